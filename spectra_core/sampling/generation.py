"""From a fitted generator to a generated set: choose points, decode, label, say where it came from."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.conditions.base import ConditionSampler
from spectra_core.contracts import configuration, random_stream
from spectra_core.errors import ConfigError
from spectra_core.generators.base import DirectGenerator, Generator, LatentGenerator
from spectra_core.regressors.base import Regressor
from spectra_core.samplers.base import LatentSampler
from spectra_core.samplers.given_conditions import ConditionalSampler
from spectra_core.sampling.labelling import LabelContext, Labelling
from spectra_core.spectra import SetMeta, SpectraSet
from spectra_core.spectra.latent import LatentPosterior


@dataclass(frozen=True, eq=False)
class DrawnPoints:
    """What new spectra are decoded from.

    Parameters
    ----------
    latent : (n_spectra, n_latent)
    conditions : (n_spectra, n_targets)
        Asked-for concentrations; None for an unconditional generator.
    """

    latent: NDArray[np.float64]
    conditions: pd.DataFrame | None


def draw_points(
    generator: LatentGenerator,
    posterior: LatentPosterior,
    train: SpectraSet,
    n_spectra: int,
    *,
    sampler: LatentSampler | None = None,
    conditions: ConditionSampler | None = None,
    latent_given: ConditionalSampler | None = None,
    seed: int,
) -> DrawnPoints:
    """Choose concentration sets, where the generator needs them, and latent points.

    Parameters
    ----------
    posterior
        Posteriors of the spectra of `train`, in the same order.
    sampler, latent_given
        Exactly one: latent points regardless of concentrations, or given them (conditional generators only).

    Raises
    ------
    ConfigError
        When the methods do not fit the generator.
    """
    _require_fitting_methods(generator, sampler, conditions, latent_given)
    asked_for = None
    if generator.needs_conditions:
        assert conditions is not None
        asked_for = conditions.draw(train, n_spectra, random_stream(seed, "conditions"))
    rng = random_stream(seed, "latent")
    if sampler is not None:
        return DrawnPoints(sampler.draw(posterior, n_spectra, rng), asked_for)
    assert latent_given is not None
    assert asked_for is not None
    return DrawnPoints(latent_given.draw_given(posterior, train.targets, asked_for, rng), asked_for)


def generate_spectra(
    generator: Generator,
    train: SpectraSet,
    n_spectra: int,
    *,
    sampler: LatentSampler | None = None,
    conditions: ConditionSampler | None = None,
    latent_given: ConditionalSampler | None = None,
    labelling: Labelling | None = None,
    teacher: Regressor | None = None,
    seed: int,
    name: str = "Generated set",
    model: str = "",
) -> SpectraSet:
    """Make a labelled generated set.

    Parameters
    ----------
    generator
        Fitted. A direct generator brings its own labels and takes none of the methods below.
    train
        The spectra it was fitted on (or others on the same axis with the same targets, whose posteriors then
        stand for the data).
    n_spectra
        Number of spectra to make.
    sampler, conditions, latent_given
        As in `draw_points`.
    labelling, teacher
        How the spectra get their targets; None makes spectra without targets.
    seed
        Decides everything random.
    name
        Name of the new set.
    model
        Identity of the stored generator, for provenance.

    Returns
    -------
    SpectraSet
        Origin "generated"; provenance names generator, methods, seed and the fingerprint of `train`.

    Raises
    ------
    ConfigError
        When the methods do not fit the generator, or `n_spectra` is not positive.
    SpectraError
        When the generator was trained on another axis, quantity or other targets.
    """
    if n_spectra < 1:
        raise ConfigError(f"The number of spectra to generate must be at least 1, got {n_spectra}.")
    generator.frame_.require_same_signal(train.frame)
    methods = {
        "sampler": sampler,
        "conditions": conditions,
        "latent_given": latent_given,
        "labelling": labelling,
        "teacher": teacher,
    }
    provenance = {
        "generator": _described(generator),
        **{role: _described(method) for role, method in methods.items() if method is not None},
        "seed": seed,
        "training_set": train.fingerprint,
        "training_set_name": train.meta.name,
        "training_origin": train.meta.origin,
        **({"model": model} if model else {}),
        **({"salts": train.meta.provenance["salts"]} if "salts" in train.meta.provenance else {}),
    }
    meta = SetMeta(name, "generated", train.meta.quantity, train.meta.unit, provenance)
    if isinstance(generator, DirectGenerator):
        made = generator.generate(n_spectra, random_stream(seed, "direct"))
        return SpectraSet(
            made.axis,
            made.signal,
            made.targets,
            target_info=made.target_info,
            samples=made.samples,
            meta=meta,
        )
    assert isinstance(generator, LatentGenerator)
    posterior = generator.encode(train)
    points = draw_points(
        generator,
        posterior,
        train,
        n_spectra,
        sampler=sampler,
        conditions=conditions,
        latent_given=latent_given,
        seed=seed,
    )
    bare = SpectraSet(train.axis, generator.decode(points.latent, points.conditions), meta=meta)
    if labelling is None:
        return bare
    targets = labelling.label(
        LabelContext(
            spectra=bare,
            latent=points.latent,
            conditions=points.conditions,
            train=train,
            posterior=posterior,
            teacher=teacher,
        )
    )
    return SpectraSet(bare.axis, bare.signal, targets, target_info=train.target_info, samples=bare.samples, meta=meta)


def _require_fitting_methods(
    generator: LatentGenerator,
    sampler: LatentSampler | None,
    conditions: ConditionSampler | None,
    latent_given: ConditionalSampler | None,
) -> None:
    if generator.needs_conditions and conditions is None:
        raise ConfigError(f"{generator.title} makes spectra for chosen concentrations. Say how to choose them.")
    if not generator.needs_conditions and (conditions is not None or latent_given is not None):
        raise ConfigError(
            f"{generator.title} does not know concentrations, so they cannot be chosen. "
            "Use a conditional generator, or a sampler of latent points."
        )
    if (sampler is None) == (latent_given is None):
        raise ConfigError(
            "Latent points are chosen in exactly one way: by a sampler, or given the concentrations. "
            f"Got {'both: leave one out' if sampler is not None else 'neither: choose a sampler, as standard_normal'}."
        )


def _described(method: Any) -> dict[str, Any]:
    """Return class and configuration of a method, as JSON values."""
    return {"method": type(method).__name__, **configuration(method)}
