"""Ways to a calibration: what the training set is made of, and the regressor; which of them a set allows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from spectra_core.choices import Choice, build
from spectra_core.errors import SpectraCoreError
from spectra_core.evaluation.labels.label_errors import label_errors
from spectra_core.experiment.advice.preparing import has_replicates
from spectra_core.experiment.design import Arm
from spectra_core.experiment.modes import trained
from spectra_core.generators import GENERATORS
from spectra_core.generators.physics import PHYSICS
from spectra_core.regressors import REGRESSORS
from spectra_core.regressors.choice import RegressorChoice, regressor_title
from spectra_core.spectra import SpectraSet

Prepared = Literal["as they are", "suspicious labels set aside", "replicates averaged"]

AS_NOW, LONGER = "As now", "As now, trained longer"
MORE_SPECTRA = "More spectra"
RATIO = 4.0
"""Generated rows per training row."""
PLAIN = Arm("Baseline", "baseline")
PERTURBED = 1
"""Seed of the constants that stand for a literature which is right in form and wrong in number."""
DERIVATIVE = (Choice("savitzky_golay", {"derivative": 1}),)
_SHORT = {"mlp": "network"}


@dataclass(frozen=True)
class Way:
    """One way to a calibration.

    Parameters
    ----------
    name
        What tables call the remedy.
    regressor
        Predicts the targets, after preprocessing where it says so.
    arm
        What is added to the training spectra.
    spectra
        What is done to them before.
    """

    name: str
    regressor: Choice
    arm: Arm = PLAIN
    spectra: Prepared = "as they are"

    @property
    def judges_itself(self) -> bool:
        """Whether its regressor tells an error of its own on left-out spectra (``rmsecv_`` per target)."""
        return self.regressor.name == "stack"

    @property
    def content(self) -> dict[str, Any]:
        """What decides its result."""
        return {"arm": self.arm.content, "regressor": self.regressor.to_json(), "spectra": self.spectra}


def usual_reference(n_train: int) -> Choice:
    """Return what people do unless told: the study's network, in its fast training for so many spectra."""
    return trained(Choice("mlp"), "fast", n_train=n_train)


def ways_for(
    spectra: SpectraSet, reference: Choice, n_train: int, physics: Choice | None = None
) -> tuple[list[Way], dict[str, str]]:
    """Return the ways that this set allows, the reference first, then the more promising ones for their time first.

    Parameters
    ----------
    reference
        Regressor that is in use.
    n_train
        Training spectra of a fold.
    physics
        As in `advise`.

    Returns
    -------
    ways, not_possible
        The latter by remedy, with a sentence that says why.
    """
    now, process = Way(AS_NOW, reference), Choice("gaussian_process")
    title = _title(reference)
    ways = [now, *(Way(REGRESSORS[name].title, Choice(name)) for name in ("gaussian_process", "ridge", "pls"))]
    stack = trained(Choice("stack"), "fast", n_train=n_train)
    ways.append(Way(REGRESSORS["stack"].title, stack))
    known, without_physics = _physics(spectra, physics)
    if known is not None:
        ways += [Way(f"{known.name}, {_title(one)}", one, known) for one in (process, stack)]
    prepared, not_possible = _prepared(spectra, {_title(process): process, title: reference})
    ways += [
        Way(f"{REGRESSORS[name].title} on first derivative", RegressorChoice(name, {}, DERIVATIVE))
        for name in ("gaussian_process", "ridge", "pls")
    ]
    for name in ("jitter", "nuisances"):
        arm = Arm(GENERATORS[name].title, generator=Choice(name), ratio=RATIO)
        ways.append(Way(f"{arm.name}, {title}", reference, arm))
    ways += prepared
    if REGRESSORS[reference.name].has_steps:
        ways.append(Way(LONGER, reference, Arm("Step-matched", "step_matched", ratio=RATIO)))
    ways.append(Way(REGRESSORS["mlp_ensemble"].title, trained(Choice("mlp_ensemble"), "fast", n_train=n_train)))
    different: dict[str, Way] = {}
    for way in ways:
        if all(way.content != other.content for other in different.values()):
            different[way.name] = way
    return list(different.values()), {**not_possible, **without_physics}


def _prepared(spectra: SpectraSet, regressors: Mapping[str, Choice]) -> tuple[list[Way], dict[str, str]]:
    """Return ways that prepare the measured spectra, and why others are not possible."""
    found: list[Prepared] = []
    not_possible = {}
    if has_replicates(spectra):
        found.append("replicates averaged")
    else:
        not_possible["Replicates averaged"] = (
            "No spectra of this set share a sample and its labels while they differ, so there is nothing to average."
        )
    try:
        suspicious = label_errors(spectra)[1].n_suspicious
    except SpectraCoreError as error:
        not_possible["Suspicious labels set aside"] = str(error)
    else:
        if suspicious:
            found.append("suspicious labels set aside")
        else:
            not_possible["Suspicious labels set aside"] = "All labels fit their spectra, as far as can be told."
    ways = [
        Way(f"{what.capitalize()}, {title}", regressor, spectra=what)
        for what in found
        for title, regressor in regressors.items()
    ]
    return ways, not_possible


def _physics(spectra: SpectraSet, physics: Choice | None) -> tuple[Arm | None, dict[str, str]]:
    """Return the arm with rows of physics and a learned residual, and why there is none.

    The simulator knows the true constants of what it simulated, as nobody knows those of a laboratory: for simulated
    sets they are drawn anew within their uncertainty.
    """
    title = GENERATORS["physics_residual"].title
    perturbed = physics is None and "simulator" in spectra.meta.provenance
    choice = physics or Choice("salt_simulator", {"perturbation_seed": PERTURBED} if perturbed else {})
    obstacle = build(PHYSICS, choice, "physics").obstacle(spectra.frame)
    if obstacle is not None:
        return None, {title: f"{PHYSICS[choice.name].title}: {obstacle}."}
    name = title.replace("Physics", "Physics (constants drawn anew)") if perturbed else title
    return Arm(name, generator=Choice("physics_residual", {"physics": choice.to_json()}), ratio=RATIO), {}


def _title(regressor: Choice) -> str:
    return _SHORT.get(regressor.name, regressor_title(regressor))
