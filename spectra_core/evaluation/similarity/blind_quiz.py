"""Real or generated? Blind questions, what gives an answer away, and scores of people and of a classifier."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from spectra_core.contracts import random_stream
from spectra_core.evaluation.channels.noise import POINTS, local_residual
from spectra_core.evaluation.physics.checks import CHECKS, noise_units, physics_offences
from spectra_core.evaluation.similarity.neighbours import neighbours
from spectra_core.evaluation.similarity.point_clouds import CloudPair, PointCloud
from spectra_core.evaluation.similarity.two_sample import classifier_auc
from spectra_core.shares import percent
from spectra_core.spectra import SpectraSet

N_QUESTIONS = 12
CONFIDENCE = 0.95
MOST_TOLD_APART = 400
"""Spectra per set that the classifier learns from."""
Difficulty = Literal["easy", "medium", "hard"]
DIFFICULTIES: dict[Difficulty, str] = {
    "easy": "Generated spectra that break most physical limits, as they were made.",
    "medium": "Any generated spectra, as they were made.",
    "hard": "Any generated spectra, with the noise given back that they lack.",
}
_GIVEAWAYS = {
    "pure_components": "No mixture of the components' spectra looks like it.",
    "negative": "It falls further below zero than noise explains.",
    "saturation": "Too many of its channels lie where the detector sees no light.",
    "t2": "An extreme mixture, beyond what the experimental spectra span.",
    "q": "It holds something that the experimental spectra do not.",
}


@dataclass(frozen=True)
class BlindQuestion:
    """Two spectra, one of which is generated.

    Parameters
    ----------
    kind
        "pair": any experimental spectrum beside it; "duel": the nearest one.
    experimental, generated
        Rows of the sets "training" and "generated".
    generated_first
        Whether the generated one is shown first.
    """

    kind: Literal["pair", "duel"]
    experimental: int
    generated: int
    generated_first: bool


def blind_questions(
    sets: Mapping[str, SpectraSet], offences: pd.DataFrame, difficulty: Difficulty, *, seed: int, n: int = N_QUESTIONS
) -> list[BlindQuestion]:
    """Draw questions: the first half pairs, then duels of nearest neighbours.

    Parameters
    ----------
    sets
        Needs "training" and "generated", the latter as it is shown.
    offences
        From `physics_offences` of these sets.
    seed
        Decides all draws; another one asks other questions.
    """
    rng = random_stream(seed, "blind quiz", difficulty)
    rows = rng.permutation(len(sets["generated"]))
    if difficulty == "easy":
        broken = offences.loc[offences["role"] == "generated", "n_offences"].to_numpy()
        rows = rows[np.argsort(-broken[rows], kind="stable")]
    rows = rows[np.arange(n) % len(rows)]
    rng.shuffle(rows)
    nearest = neighbours({"training": sets["training"], "generated": sets["generated"].take(rows)})["nearest_training"]
    found = []
    for number, row in enumerate(rows):
        pair = number < n // 2
        beside = int(rng.integers(len(sets["training"]))) if pair else int(nearest.iloc[number])
        found.append(BlindQuestion("pair" if pair else "duel", beside, int(row), bool(rng.integers(2))))
    return found


def blind_pair(sets: Mapping[str, SpectraSet], question: BlindQuestion) -> pd.DataFrame:
    """Return both spectra of a question, and what they jitter from channel to channel.

    Returns
    -------
    DataFrame, one row per channel
        ``position``; ``training`` and ``generated`` [signal unit]; ``jitter_training`` and ``jitter_generated``:
        `local_residual` beyond the curvature that all measured spectra share, in units of the channel's noise; NaN
        with fewer than five channels.
    """
    training = sets["training"]
    rows = {"training": question.experimental, "generated": question.generated}
    table = pd.DataFrame({"position": training.axis.positions})
    noise = noise_units(training)
    shared = None
    if training.n_channels >= POINTS:
        shared = np.median(local_residual(training.signal, training.axis), axis=0)
    for role, row in rows.items():
        signal = sets[role].signal[[row]]
        table[role] = signal[0]
        left = np.full(len(noise), np.nan) if shared is None else local_residual(signal, training.axis)[0] - shared
        table[f"jitter_{role}"] = left / noise
    return table


def giveaways(question: BlindQuestion, physics: pd.DataFrame, limits: pd.DataFrame) -> list[str]:
    """Say what tells the generated spectrum of a question from a measured one.

    Parameters
    ----------
    physics, limits
        From `physics` and `physics_limits` of the sets that are shown.
    """
    own = physics[(physics["role"] == "generated") & (physics["sample"] == question.generated)]
    limit = limits.set_index("check")["limit"]
    usual = physics.loc[physics["role"] == "training", "roughness"].median()
    offences = physics_offences(own, limits).iloc[0]
    jitter, charge = own[["roughness", "charge"]].iloc[0]
    said = []
    if usual > 0 and offences.get("smooth", False):
        said.append(
            f"Too smooth: its jitter from channel to channel is {percent(jitter / usual)} of what "
            f"experimental spectra usually have; 99 of 100 have more than {percent(limit['smooth'] / usual)}."
        )
    if usual > 0 and offences.get("rough", False):
        said.append(
            f"Too rough: its jitter from channel to channel is {jitter / usual:.1f} times what "
            f"experimental spectra usually have; 99 of 100 have less than {limit['rough'] / usual:.1f} times."
        )
    said += [words for name, words in _GIVEAWAYS.items() if name in CHECKS and offences.get(name, False)]
    if offences.get("charge", False):
        said.append(
            f"Impossible concentrations, which the figure does not show: its labels leave {percent(charge, 1)} of "
            f"all charge over; 99 of 100 experimental ones leave less than {percent(limit['charge'], 1)}."
        )
    return said or ["Nothing that we measure gives it away: neither its noise, nor its concentrations, nor its shape."]


def score_interval(n_right: int, n_asked: int) -> tuple[float, float]:
    """Return the 95 % interval of the share of right answers (Clopper & Pearson, Biometrika 1934)."""
    from scipy.stats import binomtest

    found = binomtest(n_right, n_asked).proportion_ci(CONFIDENCE, method="exact")
    return float(found.low), float(found.high)


def machine_score(sets: Mapping[str, SpectraSet], *, seed: int = 0) -> float:
    """Return the share of pairs that a classifier tells right, after learning from others.

    Of one real and one generated spectrum it takes that with the higher score for the generated one; it is right as
    often as the area under its ROC curve says (Green & Swets, Signal Detection Theory and Psychophysics, 1966).
    """
    centre = sets["training"].signal.mean(axis=0, dtype=np.float64)
    clouds = []
    for role in ("training", "generated"):
        rows = random_stream(seed, "machine", role).permutation(len(sets[role]))[:MOST_TOLD_APART]
        clouds.append(PointCloud(sets[role].signal[rows] - centre))
    n = min(map(len, clouds))
    return 0.5 + classifier_auc(CloudPair(clouds[0], clouds[1], sets["training"].axis, seed=seed).first(n))
