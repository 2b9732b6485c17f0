"""Arms that change one thing each beside an observed one, so that a gain or harm can be traced to a cause."""

from collections.abc import Iterator
from dataclasses import fields, replace

from spectra_core.choices import Choice
from spectra_core.errors import ConfigError
from spectra_core.experiment.design import Arm, Experiment
from spectra_core.generators import GENERATORS
from spectra_core.generators.base import DirectGenerator

SHARP, USUAL = 0.01, 1.0
"""Weights of the KL term: a decoder that follows the spectra, and the usual evidence lower bound."""

CHANGES: dict[str, str] = {
    "optimiser steps": "Experimental rows alone, trained for as many steps: what longer training does by itself.",
    "repeated rows": "Experimental rows repeated to the same number: what more rows do without anything new in them.",
    "noise given back": "The noise that generated spectra lack is added: what their smoothness does.",
    "density as in training": "Latent points where the training spectra lie: what drawing elsewhere does.",
    "concentrations as measured": "Only concentration sets that were measured: what new ones do.",
    "labels read from the spectra": "A regressor labels the spectra: what labels that they do not hold do.",
    "labels from the latent point": "A linear model labels the latent points: what the teacher's own errors do.",
    "true spectra at the labels": "The simulator measures what the labels say: what a perfect generator would do.",
    "sharper decoder": f"beta {SHARP:g}: what the blur of a decoder that neglects reconstruction does.",
    "smoother decoder": f"beta {USUAL:g}: what following every spectrum closely does.",
    "encoder sees the concentrations": "z need not carry them then: what their dependence does.",
    "encoder sees the spectrum only": "z carries the concentrations then: what their dependence does.",
    "z fits the concentrations": "z of spectra with similar concentrations: what z drawn regardless of them does.",
    "z from the prior": "z drawn regardless of the concentrations: what fitting ones do.",
}
"""Every change, and the question that it answers."""


def counterfactuals(arm: Arm, *, teacher: Choice | None = None, simulated: bool = False) -> tuple[Arm, ...]:
    """Return arms that differ from `arm` in one thing each, and the controls that add nothing generated.

    Parameters
    ----------
    arm
        Of kind "generated".
    teacher
        Regressor that reads labels from the arm's spectra; by default the arm's own, or the study's network trained
        for as many epochs as the generator.
    simulated
        Whether the data come from the simulator, which then knows true spectra.

    Raises
    ------
    ConfigError
        When the arm adds no generated spectra.

    Examples
    --------
    >>> arm = Arm("PCA", generator=Choice("pca"), sampler=Choice("standard_normal"), labelling=Choice("latent"))
    >>> [one.change for one in counterfactuals(arm)][:3]
    ['optimiser steps', 'repeated rows', 'noise given back']
    """
    if arm.kind != "generated" or arm.generator is None:
        raise ConfigError(f"Reasons are sought for arms with generated spectra; {arm.name!r} is of kind {arm.kind!r}.")
    at_ratio = "" if arm.ratio == 1.0 else f", ratio {arm.ratio:g}"
    controls = (
        Arm(f"Step-matched{at_ratio}", "step_matched", arm.ratio, change="optimiser steps"),
        Arm(f"Duplicate rows{at_ratio}", "duplicate_rows", arm.ratio, change="repeated rows"),
    )
    changed = tuple(
        replace(other, name=f"{arm.name}: {change}", beside=arm.name, change=change)
        for change, other in _changed(arm, teacher or arm.teacher or _teacher_like(arm.generator), simulated)
    )
    return controls + changed


def with_counterfactuals(
    experiment: Experiment, name: str, *, teacher: Choice | None = None, simulated: bool = False
) -> Experiment:
    """Return the experiment with the counterfactuals of its arm `name`, and a baseline where there is none.

    An arm that is there already under another name is not added again, but the observed arm's counterfactuals are.

    Raises
    ------
    ConfigError
        When there is no such arm, or it adds no generated spectra.
    """
    arm = experiment.arm(name)
    arms = list(experiment.arms)
    for other in (Arm("Baseline", "baseline"), *counterfactuals(arm, teacher=teacher, simulated=simulated)):
        same_kind = [one for one in arms if one.kind == other.kind and one.ratio == other.ratio]
        is_control = other.kind != "generated"
        if not (is_control and same_kind) and other.name not in [one.name for one in arms]:
            arms.append(other)
    return replace(experiment, arms=tuple(arms))


def _changed(arm: Arm, teacher: Choice, simulated: bool) -> Iterator[tuple[str, Arm]]:
    assert arm.generator is not None
    if not arm.give_noise_back:
        yield "noise given back", replace(arm, give_noise_back=True)
    if simulated and not arm.true_spectra:
        yield "true spectra at the labels", replace(arm, true_spectra=True)
    kind = GENERATORS[arm.generator.name]
    if issubclass(kind, DirectGenerator):
        return
    yield from _other_density(arm)
    yield from _other_labels(arm, teacher)
    yield from _other_decoder(arm, {one.name for one in fields(kind)})  # type: ignore[arg-type]  # a dataclass
    if arm.latent_given is not None:
        if arm.latent_given.name == "prior":
            yield "z fits the concentrations", replace(arm, latent_given=Choice("similar_concentrations"))
        else:
            yield "z from the prior", replace(arm, latent_given=Choice("prior"))


def _other_density(arm: Arm) -> Iterator[tuple[str, Arm]]:
    change = "density as in training"
    if arm.sampler is not None and arm.sampler.name == "equalised":
        if arm.sampler.options.get("strength", 1.0) > 0:
            off = Choice("equalised", {**arm.sampler.options, "strength": 0.0})
            yield change, replace(arm, sampler=off)
    elif arm.sampler is not None and arm.sampler.name != "aggregate_posterior":
        yield change, replace(arm, sampler=Choice("aggregate_posterior"))
    if arm.conditions is not None and arm.conditions.name != "resampled":
        yield "concentrations as measured", replace(arm, conditions=Choice("resampled"))


def _other_labels(arm: Arm, teacher: Choice) -> Iterator[tuple[str, Arm]]:
    assert arm.labelling is not None
    if arm.labelling.name == "spectral":
        yield "labels from the latent point", replace(arm, labelling=Choice("latent"), teacher=None)
    else:
        yield "labels read from the spectra", replace(arm, labelling=Choice("spectral"), teacher=teacher)


def _other_decoder(arm: Arm, options: set[str]) -> Iterator[tuple[str, Arm]]:
    if "beta" in options:
        beta = arm.generator.options.get("beta", USUAL) if arm.generator else USUAL
        change, other = ("smoother decoder", USUAL) if beta <= SHARP else ("sharper decoder", SHARP)
        yield change, replace(arm, generator=_with_option(arm, "beta", other))
    if "encoder_sees_targets" in options:
        sees = bool(arm.generator and arm.generator.options.get("encoder_sees_targets", False))
        change = "encoder sees the spectrum only" if sees else "encoder sees the concentrations"
        yield change, replace(arm, generator=_with_option(arm, "encoder_sees_targets", not sees))


def _with_option(arm: Arm, name: str, value: float | bool) -> Choice:
    assert arm.generator is not None
    return Choice(arm.generator.name, {**arm.generator.options, name: value})


def _teacher_like(generator: Choice) -> Choice:
    epochs = generator.options.get("epochs")
    return Choice("mlp", {} if epochs is None else {"epochs": epochs})
