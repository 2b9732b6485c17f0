"""How the networks of a ready-made experiment are trained: as in the study, or fast, as each member says."""

from dataclasses import fields
from typing import Literal, get_args

from spectra_core.choices import Choice
from spectra_core.errors import ConfigError
from spectra_core.generators import GENERATORS
from spectra_core.generators.base import Generator
from spectra_core.regressors import REGRESSORS
from spectra_core.regressors.base import Regressor

Mode = Literal["faithful", "fast"]
EXPLANATIONS: dict[Mode, str] = {
    "faithful": "The study's own training: on all channels, with a constant learning rate.",
    "fast": (
        "Another path of optimisation than the study's: the same networks and losses, trained on the principal "
        "components above the noise, with other learning rates and for fewer epochs."
    ),
}


def trained(choice: Choice, mode: Mode, *, epochs: int | None = None, n_train: int | None = None) -> Choice:
    """Return the choice with the options of the mode, where the member has any; else as it is.

    Parameters
    ----------
    epochs
        Of every network, in place of the mode's.
    n_train
        Training spectra of a fold, from which fast mode chooses its epochs; None where it is not known.

    Raises
    ------
    ConfigError
        When the mode is unknown.
    """
    if mode not in get_args(Mode):
        raise ConfigError(f"The mode of training is one of {', '.join(get_args(Mode))}; got {mode!r}.")
    members: dict[str, type[Generator] | type[Regressor]] = {**GENERATORS, **REGRESSORS}
    member = members.get(choice.name)
    if member is None:
        return choice  # refused where it is made
    options = dict(member.study_options)
    if mode == "fast" and member.fast is not None:
        options |= {**member.fast.options, "epochs": member.fast.epochs(n_train)}
    if epochs is not None and "epochs" in {field.name for field in fields(member)}:  # type: ignore[arg-type]
        options["epochs"] = epochs
    return Choice(choice.name, {**options, **choice.options}) if options else choice
