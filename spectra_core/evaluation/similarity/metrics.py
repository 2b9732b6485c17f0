"""The metrics of a generated set: what each says, which way is good, and what it cannot see."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from spectra_core.evaluation.channels.noise import POINTS, noise_level
from spectra_core.evaluation.similarity import fidelity, two_sample
from spectra_core.evaluation.similarity.point_clouds import CloudPair
from spectra_core.spectra import SpectraSet

Question = Literal["fidelity", "coverage", "copies", "noise", "distribution"]


@dataclass(frozen=True)
class Metric:
    """One number about a generated set.

    Parameters
    ----------
    title
        Its name in the field.
    question
        What it is about.
    better
        "higher" or "lower", or the value that is right: "one" or "half". In truth none should be better than
        its real-versus-real floor: that is how copies and over-smoothed spectra look.
    sentence
        What the number means.
    cannot_see
        Known blind spots.
    compute
        From a `CloudPair` to the number; NaN where it is not defined.
    unit
        "share", "signal" (the signal's unit) or "" for a plain number.
    most
        Spectra per set that it looks at; of more, the first of a seeded shuffle.
    needs_unseen
        Whether it needs real spectra that the generator did not see.
    weight
        How many times longer it takes than a light one, roughly: steps of progress are counted by it.
    """

    title: str
    question: Question
    better: Literal["higher", "lower", "one", "half"]
    sentence: str
    cannot_see: str
    compute: Callable[[CloudPair], float]
    unit: Literal["share", "signal", ""] = "share"
    most: int = 2000
    needs_unseen: bool = False
    weight: int = 1


def noise_ratio(pair: CloudPair) -> float:
    """Median over channels of the ratio of generated to real noise; NaN with fewer than five channels."""
    if len(pair.axis) < POINTS:
        return float("nan")
    real, generated = (noise_level(SpectraSet(pair.axis, cloud.points)) for cloud in (pair.real, pair.generated))
    there = real > 0
    return float(np.median(generated[there] / real[there])) if there.any() else float("nan")


METRICS: dict[str, Metric] = {
    "precision": Metric(
        "Precision",
        "fidelity",
        "higher",
        "Share of generated spectra that lie among experimental ones.",
        "Copies, over-smoothing, and spectra near a single odd experimental one.",
        fidelity.precision,
    ),
    "density": Metric(
        "Density",
        "fidelity",
        "higher",
        "How crowded with experimental spectra the places of generated ones are; about 1 for fresh spectra.",
        "Copies; rises above 1 when everything is drawn in the middle.",
        fidelity.density,
        unit="",
    ),
    "clipped_density": Metric(
        "Clipped density",
        "fidelity",
        "higher",
        "Density that odd spectra cannot lift: the share of generated spectra that are good.",
        "Copies and over-smoothing.",
        fidelity.clipped_density,
    ),
    "alpha_precision": Metric(
        "Alpha-precision",
        "fidelity",
        "higher",
        "Whether distances from the average spectrum are distributed alike; 1 where they are.",
        "Everything but the distance from the average: direction, shape, copies, noise.",
        fidelity.alpha_precision,
        unit="",
    ),
    "recall": Metric(
        "Recall",
        "coverage",
        "higher",
        "Share of experimental spectra that lie among generated ones.",
        "Copies; a few far-off generated spectra make it rise.",
        fidelity.recall,
    ),
    "coverage": Metric(
        "Coverage",
        "coverage",
        "higher",
        "Share of experimental spectra with a generated one among their neighbours.",
        "Copies (it rises with them) and over-smoothing.",
        fidelity.coverage,
    ),
    "clipped_coverage": Metric(
        "Clipped coverage",
        "coverage",
        "higher",
        "Coverage as the share of good spectra that would reach as far.",
        "Copies (it rises with them) and over-smoothing.",
        fidelity.clipped_coverage,
    ),
    "beta_recall": Metric(
        "Beta-recall",
        "coverage",
        "higher",
        "Whether the central part of generated spectra covers the experimental part it should.",
        "Copies; wrong shapes at the right distance from the average.",
        fidelity.beta_recall,
        unit="",
    ),
    "vendi_score": Metric(
        "Vendi score",
        "coverage",
        "higher",
        "How many different spectra there are, in effect. More than in the experiment is no gain.",
        "Whether any of them is right: noise and nonsense are diverse.",
        two_sample.vendi_score,
        unit="",
        most=1000,
        weight=5,
    ),
    "authenticity": Metric(
        "Authenticity",
        "copies",
        "half",
        "Share of generated spectra that are not suspiciously near an experimental one.",
        "Whether they are any good: nonsense is authentic.",
        fidelity.authenticity,
    ),
    "memorised_share": Metric(
        "Nearer to training",
        "copies",
        "half",
        "Share of generated spectra nearer to those trained on than to as many unseen ones.",
        "Whether they are any good: far-off spectra give one half too.",
        fidelity.memorised_share,
        needs_unseen=True,
    ),
    "copied_share": Metric(
        "Exact copies",
        "copies",
        "lower",
        "Share of generated spectra equal to an experimental one, value by value.",
        "Copies with a little noise on them.",
        fidelity.copied_share,
    ),
    "noise_ratio": Metric(
        "Noise ratio",
        "noise",
        "one",
        "Noise of generated over that of experimental spectra, median over channels.",
        "Everything but the jitter from channel to channel.",
        noise_ratio,
        unit="",
        weight=4,
    ),
    "classifier": Metric(
        "Classifier |AUC \N{MINUS SIGN} 0.5|",
        "distribution",
        "lower",
        "How well trees tell generated from experimental spectra: 0 is guessing, 0.5 is always right.",
        "Little with many spectra, much with few; not why the sets differ.",
        two_sample.classifier_auc,
        unit="",
        most=1000,
        weight=150,
    ),
    "mmd": Metric(
        "MMD²",
        "distribution",
        "lower",
        "Squared maximum mean discrepancy of a Gaussian kernel: around 0 for equal distributions.",
        "Copies, noise, and whatever is small beside typical distances.",
        two_sample.mmd,
        unit="",
        weight=2,
    ),
    "energy_distance": Metric(
        "Energy distance",
        "distribution",
        "lower",
        "Mean distance between the sets beyond that within them: around 0 for equal distributions.",
        "Copies, noise, and whatever is small beside typical distances.",
        two_sample.energy_distance,
        unit="signal",
    ),
    "sliced_wasserstein": Metric(
        "Sliced Wasserstein",
        "distribution",
        "lower",
        "How far projected spectra must be moved to match, mean over random directions.",
        "Copies, noise, and what shows in few directions only.",
        two_sample.sliced_wasserstein,
        unit="signal",
        weight=6,
    ),
    "frechet_distance": Metric(
        "Fréchet distance",
        "distribution",
        "lower",
        "Distance between means and covariances of principal components.",
        "Copies, and all that leaves mean and covariance as they are.",
        two_sample.frechet_distance,
        unit="signal",
        weight=30,
    ),
}
"""All metrics by name."""
