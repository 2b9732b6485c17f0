"""The arms of the published study and the controls it needs."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from spectra_core.choices import Choice
from spectra_core.conditions import CONDITIONS
from spectra_core.conditions.salts import salt_basis
from spectra_core.errors import ConfigError
from spectra_core.experiment.design import Arm, Experiment
from spectra_core.experiment.modes import Mode, trained
from spectra_core.experiment.sweeps import with_controls
from spectra_core.spectra import SpectraSet


def _preset_arms() -> dict[str, Arm]:
    def labelled_by_network(name: str, generator: str, sampler: str) -> Arm:
        made, drawn = Choice(generator), Choice(sampler)
        return Arm(name, generator=made, sampler=drawn, labelling=Choice("spectral"), teacher=Choice("mlp"))

    def asked_for(name: str, conditions: str, latent_given: str) -> Arm:
        drawn, given = Choice(conditions), Choice(latent_given)
        return Arm(name, generator=Choice("cvae"), conditions=drawn, latent_given=given, labelling=Choice("asked_for"))

    arms = [
        Arm("Baseline", "baseline"),
        Arm("Step-matched", "step_matched"),
        Arm("Duplicate rows", "duplicate_rows"),
        Arm("Ensemble of 5", "ensemble"),
        labelled_by_network("VAE, standard normal", "vae", "standard_normal"),
        labelled_by_network("VAE, uniform box", "vae", "uniform_box"),
        labelled_by_network("VAE, data's own distribution", "vae", "aggregate_posterior"),
        labelled_by_network("VAE, equalised", "vae", "equalised"),
        asked_for("cVAE, independent concentrations", "independent_uniform", "prior"),
        asked_for("cVAE, charge-balanced", "salt_box", "prior"),
        asked_for("cVAE, charge-balanced, z of similar spectra", "salt_box", "similar_concentrations"),
        asked_for("cVAE, measured concentrations", "resampled", "similar_concentrations"),
        labelled_by_network("PCA, standard normal", "pca", "standard_normal"),
        Arm("Noise jitter", generator=Choice("jitter")),
        Arm("Nuisances", ratio=4.0, generator=Choice("nuisances")),
        Arm("Nuisances, chosen", ratio=4.0, generator=Choice("nuisances"), choose_nuisances=True),
        Arm("Mixing", generator=Choice("mixing")),
        Arm("Physics + residual", ratio=4.0, generator=Choice("physics_residual")),
        Arm("Oracle", "oracle"),
    ]
    return {arm.name: arm for arm in arms}


PRESET_ARMS: dict[str, Arm] = _preset_arms()
"""Ready-made arms by name: the study's own, its controls, and what they are compared with."""

USUAL_REGRESSORS = ("mlp", "pls", "ridge", "gaussian_process")
"""The study's network, and the exact regressors that a gain has to hold against, too."""

STUDY_ARMS = (
    "Baseline",
    "Step-matched",
    "Duplicate rows",
    "VAE, standard normal",
    "cVAE, independent concentrations",
    "cVAE, charge-balanced",
)


def study_experiment(
    arms: Sequence[str] = STUDY_ARMS,
    *,
    regressors: Sequence[str] = USUAL_REGRESSORS,
    mode: Mode = "faithful",
    epochs: int | None = None,
    n_spectra: int | None = None,
    **fields: Any,
) -> Experiment:
    """Return the study's experiment: its arms by name, with all networks trained alike.

    Parameters
    ----------
    arms
        Names from `PRESET_ARMS`. The others are compared with the step-matched arm, or, without it, the baseline.
        Where one adds more rows than the step-matched arm is made for, a step-matched arm of its ratio joins.
    regressors
        Names from the regressor registry.
    mode
        "faithful": trained as in the study; "fast": on another path of optimisation (`modes.EXPLANATIONS`).
    epochs
        Of all networks, in place of the mode's own: 100 as in the study, or fewer in fast mode.
    n_spectra
        Size of the set, from which fast mode chooses its epochs.
    fields
        Other fields of `Experiment`, such as ``n_folds`` and ``seed``.

    Raises
    ------
    ConfigError
        When a name is unknown; the known ones are listed.

    Examples
    --------
    >>> experiment = study_experiment(["Baseline", "VAE, standard normal"], epochs=5, n_folds=2)
    >>> experiment.arms[1].generator.options["epochs"]
    5
    """
    unknown = [name for name in arms if name not in PRESET_ARMS]
    if unknown:
        raise ConfigError(f"Unknown arm {unknown[0]!r}. Known arms: {'; '.join(PRESET_ARMS)}.")
    kinds = [PRESET_ARMS[name].kind for name in arms]
    if "reference" not in fields and "step_matched" not in kinds:
        fields["reference"] = "baseline"
    n_folds = fields.get("n_folds", Experiment.n_folds)
    n_train = None if n_spectra is None else n_spectra - n_spectra // max(2, n_folds)  # `Experiment` refuses fewer
    in_mode = partial(trained, mode=mode, epochs=epochs, n_train=n_train)
    return Experiment(
        arms=tuple(_trained_arm(arm, in_mode) for arm in with_controls([PRESET_ARMS[name] for name in arms])),
        regressors=tuple(in_mode(Choice(name)) for name in regressors),
        **fields,
    )


def fast_experiment(arms: Sequence[str] = STUDY_ARMS, **options: Any) -> Experiment:
    """Return `study_experiment` in fast mode: another path of optimisation than the study's."""
    return study_experiment(arms, mode="fast", **options)


def possible_arms(spectra: SpectraSet) -> list[str]:
    """Return the names of the ready-made arms that this set allows.

    The oracle needs a simulator, and charge-balanced concentrations need salts, known or found among the targets.
    """
    simulated, salts = "simulator" in spectra.meta.provenance, has_salts(spectra)
    return [
        name
        for name, arm in PRESET_ARMS.items()
        if (simulated or arm.kind != "oracle")
        and (salts or arm.conditions is None or not CONDITIONS[arm.conditions.name].needs_salts)
    ]


def has_salts(spectra: SpectraSet) -> bool:
    """Whether concentrations of this set can be drawn as amounts of salts."""
    return spectra.n_targets > 0 and salt_basis(spectra).found_from != "none"


def _trained_arm(arm: Arm, in_mode: Callable[[Choice], Choice]) -> Arm:
    return replace(
        arm, generator=arm.generator and in_mode(arm.generator), teacher=arm.teacher and in_mode(arm.teacher)
    )
