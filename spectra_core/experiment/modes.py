"""How the networks of a ready-made experiment are trained: as in the study, or fast."""

from typing import Any, Literal, get_args

from spectra_core.choices import Choice
from spectra_core.errors import ConfigError

Mode = Literal["faithful", "fast"]
EXPLANATIONS: dict[Mode, str] = {
    "faithful": "The study's own training: on all channels, with a constant learning rate.",
    "fast": (
        "Another path of optimisation than the study's: the same networks and losses, trained on the principal "
        "components above the noise, with other learning rates and for fewer epochs."
    ),
}

REGRESSORS, GENERATORS = ("mlp", "mlp_ensemble"), ("vae", "cvae")
STUDY_EPOCHS = 100
FAST_REGRESSOR_EPOCHS, FAST_GENERATOR_EPOCHS = 15, 80
"""Found on validation folds of simulated spectra, 2867 to train on; see docs/decisions/014."""
_FAST_REGRESSOR_STEPS, _FAST_GENERATOR_STEPS = 1350, 7200

_FAST_REGRESSOR = {"coordinates": "components", "schedule": "cosine", "learning_rate": 3e-3}
# A falling rate brings a better loss but worse spectra: what is drawn from the prior needs the noise of a constant one.
_FAST_GENERATOR = {"coordinates": "components", "schedule": "constant", "learning_rate": 1.2e-3}


def fast_epochs(n_train: int | None) -> tuple[int, int]:
    """Return epochs of regressors and of generators in fast mode.

    As many as make about the number of optimiser steps that the schedule was found with, at least `FAST_..._EPOCHS` and
    at most the study's 100: small sets need more passes.

    Parameters
    ----------
    n_train
        Training spectra of a fold; None where it is not known.

    Examples
    --------
    >>> fast_epochs(3276), fast_epochs(600), fast_epochs(50)
    ((15, 80), (72, 100), (100, 100))
    """
    if n_train is None:
        return FAST_REGRESSOR_EPOCHS, FAST_GENERATOR_EPOCHS
    steps = -(-n_train // 32)  # of an epoch, at the batch size of the study
    wanted = ((FAST_REGRESSOR_EPOCHS, _FAST_REGRESSOR_STEPS), (FAST_GENERATOR_EPOCHS, _FAST_GENERATOR_STEPS))
    regressors, generators = (min(STUDY_EPOCHS, max(fewest, -(-total // steps))) for fewest, total in wanted)
    return regressors, generators


def trained(choice: Choice, mode: Mode, *, epochs: int | None = None, n_train: int | None = None) -> Choice:
    """Return the choice with the options of the mode, where it is a network; else as it is.

    Parameters
    ----------
    epochs
        Of every network, in place of the mode's.
    n_train
        As in `fast_epochs`.

    Raises
    ------
    ConfigError
        When the mode is unknown.
    """
    if mode not in get_args(Mode):
        raise ConfigError(f"The mode of training is one of {', '.join(get_args(Mode))}; got {mode!r}.")
    if choice.name not in (*REGRESSORS, *GENERATORS):
        return choice
    options: dict[str, Any] = {"epochs": STUDY_EPOCHS, "kernels": "numba"}
    if mode == "fast":
        of_regressors, of_generators = fast_epochs(n_train)
        if choice.name in REGRESSORS:
            options |= _FAST_REGRESSOR | {"epochs": of_regressors}
        else:
            options |= _FAST_GENERATOR | {"epochs": of_generators}
    if epochs is not None:
        options["epochs"] = epochs
    return Choice(choice.name, {**options, **choice.options})
