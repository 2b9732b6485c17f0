"""Part d of the study: fresh training sets from the simulator, five regressors, and a generator that knows physics."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
from scipy import stats

from spectra_core.choices import Choice
from spectra_core.experiment import PRESET_ARMS, Arm, Experiment
from spectra_core.experiment.modes import trained
from spectra_core.spectra import SpectraSet

RATIO = 4.0
N_TEST = 1500
PERTURBED, OTHER = ({"name": "salt_simulator", "options": {"perturbation_seed": seed}} for seed in (1, 7))
"""Physics right in form and wrong in number, and another draw, whose spectra are twice as wrong."""
CRUDE = {"name": "salt_simulator", "options": {"perturbation_seed": 1, "speciation": False}}
PHYSICS, REACHING = "Physics + residual, inside the range", "Physics + residual, 30 % beyond"
WORSE, CRUDELY = f"{REACHING}, worse constants", f"{REACHING}, crude"
REACH = 0.3
STEP_MATCHED, ORACLE, ORACLE_ONCE = "Step-matched", "Oracle, 4n", "Oracle, 1n"


def fresh_arms(n_train: int) -> dict[str, Arm]:
    """Return the arms of part d by name, each but one oracle adding four rows a training row."""
    fast = partial(trained, mode="fast", n_train=n_train)

    def ready(name: str, of: str) -> Arm:
        arm = PRESET_ARMS[of]
        made, teacher = arm.generator and fast(arm.generator), arm.teacher and fast(arm.teacher)
        methods = {"conditions": arm.conditions, "latent_given": arm.latent_given, "sampler": arm.sampler}
        methods |= {"choose_nuisances": arm.choose_nuisances}
        return Arm(name, arm.kind, RATIO, generator=made, teacher=teacher, labelling=arm.labelling, **methods)

    def physics(name: str, **options: object) -> Arm:
        return Arm(name, ratio=RATIO, generator=Choice("physics_residual", options))

    arms = [
        ready(STEP_MATCHED, "Step-matched"),
        physics(PHYSICS, physics=PERTURBED, reach=0.0),
        physics(REACHING, physics=PERTURBED, reach=REACH),
        physics(WORSE, physics=OTHER, reach=REACH),
        physics(CRUDELY, physics=CRUDE, reach=REACH),
        ready("Noise jitter", "Noise jitter"),
        ready("Nuisances", "Nuisances"),
        ready("Nuisances, chosen", "Nuisances, chosen"),
        ready("Mixing", "Mixing"),
        ready("VAE, standard normal", "VAE, standard normal"),
        ready("cVAE, charge-balanced", "cVAE, charge-balanced"),
        ready("cVAE, independent concentrations", "cVAE, independent concentrations"),
        Arm(ORACLE_ONCE, "oracle", 1.0),
        Arm(ORACLE, "oracle", RATIO),
    ]
    return {arm.name: arm for arm in arms}


def fresh_stages(n_train: int, n_sets: int) -> tuple[Experiment, ...]:
    """Return part d at one size, in stages from what matters most; each holds what those before it do."""
    arms = fresh_arms(n_train)
    controls = ("Noise jitter", "Nuisances", "Mixing", "cVAE, independent concentrations")
    first = (STEP_MATCHED, PHYSICS, REACHING, WORSE, CRUDELY, ORACLE_ONCE, ORACLE)
    quick, networks = ("gaussian_process", "pls", "ridge"), ("mlp", "mlp_ensemble")

    def stage(names: tuple[str, ...], regressors: tuple[str, ...], sets: int) -> Experiment:
        return Experiment(
            arms=tuple(arm for name, arm in arms.items() if name in names),
            regressors=tuple(trained(Choice(name), "fast", n_train=n_train) for name in regressors),
            fresh_sets=sets,
            n_fresh_test=N_TEST,
        )

    every = tuple(arms)
    usual = tuple(name for name in every if name != "Nuisances, chosen")
    return (
        *(stage(first, (*quick, "mlp"), sets) for sets in _quarters(n_sets)),
        stage(first, (*quick, *networks), n_sets),
        stage((*first, *controls), (*quick, *networks), n_sets),
        stage(usual, (*quick, *networks), n_sets),
        stage(every, (*quick, *networks), n_sets),
    )


def stack_stages(n_train: int, n_sets: int) -> tuple[Experiment, ...]:
    """Return what the stack gains by rows of physics and residual, beside the network, on the sets of part d."""
    arms = fresh_arms(n_train)
    chosen = Experiment(
        arms=(arms[STEP_MATCHED], arms[REACHING]),
        regressors=tuple(trained(Choice(name), "fast", n_train=n_train) for name in ("mlp", "stack")),
        fresh_sets=n_sets,
        n_fresh_test=N_TEST,
    )
    return tuple(replace(chosen, fresh_sets=sets) for sets in _quarters(n_sets))


def _quarters(n_sets: int) -> list[int]:
    return sorted({max(2, n_sets * part // 4) for part in (1, 2, 3, 4)})


def fresh_sizes(simulated: Callable[[int | None], SpectraSet]) -> dict[int, tuple[Callable[[], SpectraSet], int]]:
    """Return per size of training sets the data whose settings are simulated anew, and how many sets."""
    return {100: (partial(simulated, 100), 20), 400: (partial(simulated, 400), 12)}


def marks(errors: pd.DataFrame, targets: Sequence[str]) -> list[list[str]]:
    """Return, per regressor and arm, how many targets improve: against the arm's own regressor, and against the MLP.

    Training sets are independent: plain paired t-test on ln(RMSEP) per target, Holm over the targets, 5 % in all.
    Efficiency is the mean of that logarithm over targets and sets, over that of 4n truly new spectra if there are any.
    An arm is told with the regressors that it was run with.
    """
    wide = np.log(errors.pivot_table(index="fold", columns=["regressor", "arm", "target"], values="rmsep"))
    rows = []
    arms = list(dict.fromkeys(errors["arm"]))
    for regressor in dict.fromkeys(errors["regressor"]):
        own = wide[regressor, STEP_MATCHED][list(targets)]
        whole = (wide[regressor, ORACLE][list(targets)] - own).to_numpy().mean() if ORACLE in arms else np.nan
        for arm in arms:
            if (regressor, arm) not in wide.columns.droplevel("target"):
                continue  # not run with this regressor
            change = wide[regressor, arm][list(targets)] - own
            mean = change.to_numpy().mean()
            if arm != STEP_MATCHED:
                cells = [f"{100 * np.expm1(mean):+.1f}", _rounded(100 * mean / whole), _improved(change)]
            elif regressor != "mlp":
                cells = ["", "", ""]
            else:
                continue
            if "mlp" in wide.columns.get_level_values(0):
                beside = wide[regressor, arm][list(targets)] - wide["mlp", STEP_MATCHED][list(targets)]
                cells += [_improved(beside), f"{100 * np.expm1(beside.to_numpy().mean()):+.0f}"]
            rows.append([regressor, arm, *cells])
    return rows


def _rounded(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.0f}"


def _improved(change: pd.DataFrame) -> str:
    """Return how many columns are below and above zero after Holm, as "5 of 8, 0 worse"."""
    p = stats.ttest_1samp(change.to_numpy(), 0.0).pvalue
    order = np.argsort(p)
    allowed = 0.05 / np.arange(len(p), 0, -1)
    told = np.zeros(len(p), dtype=bool)
    told[order] = np.logical_and.accumulate(p[order] <= allowed)
    down = change.to_numpy().mean(axis=0) < 0
    return f"{int((told & down).sum())} of {len(p)}, {int((told & ~down).sum())} worse"
