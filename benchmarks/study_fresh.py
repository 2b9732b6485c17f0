"""Part d of the study: fresh training sets from the simulator, five regressors, and a generator that knows physics."""

from collections.abc import Callable
from functools import partial

from spectra_core.choices import Choice
from spectra_core.experiment import PRESET_ARMS, Arm, Experiment
from spectra_core.experiment.modes import trained
from spectra_core.spectra import SpectraSet

RATIO = 4.0
PERTURBED = {"name": "salt_simulator", "options": {"perturbation_seed": 7}}
CRUDE = {"name": "salt_simulator", "options": {"perturbation_seed": 7, "speciation": False}}
PHYSICS, REACHING, CRUDELY = "Physics + residual", "Physics + residual, 30 % beyond", "Physics + residual, crude"
REACH = 0.3
STEP_MATCHED, ORACLE, ORACLE_ONCE = "Step-matched", "Oracle, 4n", "Oracle, 1n"


def fresh_arms(n_train: int) -> dict[str, Arm]:
    """Return the arms of part d by name, each but one oracle adding four rows a training row."""
    fast = partial(trained, mode="fast", n_train=n_train)

    def ready(name: str, of: str) -> Arm:
        arm = PRESET_ARMS[of]
        made, teacher = arm.generator and fast(arm.generator), arm.teacher and fast(arm.teacher)
        methods = {"conditions": arm.conditions, "latent_given": arm.latent_given, "sampler": arm.sampler}
        return Arm(name, arm.kind, RATIO, generator=made, teacher=teacher, labelling=arm.labelling, **methods)

    def physics(name: str, **options: object) -> Arm:
        return Arm(name, ratio=RATIO, generator=Choice("physics_residual", options))

    arms = [
        ready(STEP_MATCHED, "Step-matched"),
        physics(PHYSICS, physics=PERTURBED),
        physics(REACHING, physics=PERTURBED, reach=REACH),
        physics(CRUDELY, physics=CRUDE),
        ready("Noise jitter", "Noise jitter"),
        ready("Mixing", "Mixing"),
        ready("VAE, standard normal", "VAE, standard normal"),
        ready("cVAE, charge-balanced", "cVAE, charge-balanced"),
        ready("cVAE, independent concentrations", "cVAE, independent concentrations"),
        Arm(ORACLE_ONCE, "oracle", 1.0),
        Arm(ORACLE, "oracle", RATIO),
    ]
    return {arm.name: arm for arm in arms}


def fresh_stages(n_train: int, n_sets: int, n_test: int = 1500) -> tuple[Experiment, ...]:
    """Return part d at one size, in stages from what matters most; each holds what those before it do."""
    arms = fresh_arms(n_train)
    first = (STEP_MATCHED, PHYSICS, REACHING, CRUDELY, ORACLE_ONCE, ORACLE)
    quick, networks = ("gaussian_process", "pls", "ridge"), ("mlp", "mlp_ensemble")

    def stage(names: tuple[str, ...], regressors: tuple[str, ...], sets: int) -> Experiment:
        return Experiment(
            arms=tuple(arm for name, arm in arms.items() if name in names),
            regressors=tuple(trained(Choice(name), "fast", n_train=n_train) for name in regressors),
            fresh_sets=sets,
            n_fresh_test=n_test,
        )

    every = tuple(arms)
    few = max(2, n_sets // 4)
    return (
        stage(first, (*quick, "mlp"), few),
        stage(first, (*quick, "mlp"), n_sets),
        stage(every, (*quick, "mlp"), n_sets),
        stage(every, (*quick, *networks), n_sets),
    )


def fresh_sizes(simulated: Callable[[int | None], SpectraSet]) -> dict[int, tuple[Callable[[], SpectraSet], int]]:
    """Return per size of training sets the data whose settings are simulated anew, and how many sets."""
    return {100: (partial(simulated, 100), 20), 400: (partial(simulated, 400), 12)}
