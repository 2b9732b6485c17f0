"""The arms of the published study and the controls it needs."""

from collections.abc import Sequence
from typing import Any

from spectra_core.choices import Choice
from spectra_core.errors import ConfigError
from spectra_core.experiment.design import Arm, Experiment
from spectra_core.spectra import SpectraSet


def _preset_arms() -> dict[str, Arm]:
    vae, cvae, mlp = Choice("vae"), Choice("cvae"), Choice("mlp")
    spectral, asked_for = Choice("spectral"), Choice("asked_for")
    arms = [
        Arm("Baseline", "baseline"),
        Arm("Step-matched", "step_matched"),
        Arm("Duplicate rows", "duplicate_rows"),
        Arm("Ensemble of 5", "ensemble"),
        Arm(
            "VAE, standard normal",
            generator=vae,
            sampler=Choice("standard_normal"),
            labelling=spectral,
            teacher=mlp,
        ),
        Arm("VAE, uniform box", generator=vae, sampler=Choice("uniform_box"), labelling=spectral, teacher=mlp),
        Arm(
            "VAE, data's own distribution",
            generator=vae,
            sampler=Choice("aggregate_posterior"),
            labelling=spectral,
            teacher=mlp,
        ),
        Arm("VAE, equalised", generator=vae, sampler=Choice("equalised"), labelling=spectral, teacher=mlp),
        Arm(
            "cVAE, independent concentrations",
            generator=cvae,
            conditions=Choice("independent_uniform"),
            latent_given=Choice("prior"),
            labelling=asked_for,
        ),
        Arm(
            "cVAE, charge-balanced",
            generator=cvae,
            conditions=Choice("salt_box"),
            latent_given=Choice("prior"),
            labelling=asked_for,
        ),
        Arm(
            "cVAE, charge-balanced, z of similar spectra",
            generator=cvae,
            conditions=Choice("salt_box"),
            latent_given=Choice("similar_concentrations"),
            labelling=asked_for,
        ),
        Arm(
            "cVAE, measured concentrations",
            generator=cvae,
            conditions=Choice("resampled"),
            latent_given=Choice("similar_concentrations"),
            labelling=asked_for,
        ),
        Arm(
            "PCA, standard normal",
            generator=Choice("pca"),
            sampler=Choice("standard_normal"),
            labelling=spectral,
            teacher=mlp,
        ),
        Arm("Noise jitter", generator=Choice("jitter")),
        Arm("Mixing", generator=Choice("mixing")),
        Arm("Oracle", "oracle"),
    ]
    return {arm.name: arm for arm in arms}


PRESET_ARMS: dict[str, Arm] = _preset_arms()
"""Ready-made arms by name: the study's own, its controls, and what they are compared with."""

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
    regressors: Sequence[str] = ("mlp", "pls"),
    epochs: int = 100,
    **fields: Any,
) -> Experiment:
    """Return the study's experiment: its arms by name, all networks trained for `epochs`.

    Parameters
    ----------
    arms
        Names from `PRESET_ARMS`. The others are compared with the step-matched arm, or, without it, the baseline.
    regressors
        Names from the regressor registry.
    epochs
        For regressors and generators that are trained by epochs.
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
    return Experiment(
        arms=tuple(_with_epochs(PRESET_ARMS[name], epochs) for name in arms),
        regressors=tuple(_trained_for(Choice(name), epochs) for name in regressors),
        **fields,
    )


def possible_arms(spectra: SpectraSet) -> list[str]:
    """Return the names of the ready-made arms that this set allows: the oracle needs a simulator."""
    simulated = "simulator" in spectra.meta.provenance
    return [name for name, arm in PRESET_ARMS.items() if simulated or arm.kind != "oracle"]


def _with_epochs(arm: Arm, epochs: int) -> Arm:
    from dataclasses import replace

    return replace(
        arm,
        generator=arm.generator and _trained_for(arm.generator, epochs),
        teacher=arm.teacher and _trained_for(arm.teacher, epochs),
    )


def _trained_for(choice: Choice, epochs: int) -> Choice:
    """Add the number of epochs where the method has one."""
    if choice.name in {"vae", "cvae", "mlp", "mlp_ensemble"}:
        return Choice(choice.name, {**choice.options, "epochs": epochs})
    return choice
