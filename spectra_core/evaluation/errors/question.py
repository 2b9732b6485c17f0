"""What an experiment asks: the comparisons that are declared before looking, and the smallest effect that matters."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from spectra_core.errors import ConfigError

SMALLEST_EFFECT = 5.0
"""Per cent of the reference's error: below this, a difference is taken to matter to nobody."""


@dataclass(frozen=True)
class Question:
    """The declared comparisons; whatever else an experiment compares is looked at afterwards, without verdicts.

    Parameters
    ----------
    reference
        Name of the arm that the others are compared with; None for what the experiment says.
    arms, regressors
        Names; None for all.
    targets
        Names; None for those of which the reference's predictions explain at least a tenth of the variance.
    n_train
        Training sizes; None for the largest.
    smallest_effect
        Smallest effect of interest, in per cent of the reference's error: arms are the same where the effect lies
        within that of none.
    """

    reference: str | None = None
    arms: tuple[str, ...] | None = None
    regressors: tuple[str, ...] | None = None
    targets: tuple[str, ...] | None = None
    n_train: tuple[int, ...] | None = None
    smallest_effect: float = SMALLEST_EFFECT

    def __post_init__(self) -> None:
        for name in ("arms", "regressors", "targets", "n_train"):
            named = getattr(self, name)
            if named is None:
                continue
            kind, what = (int, "whole numbers") if name == "n_train" else (str, "names")
            listed = isinstance(named, (list, tuple)) and all(type(one) is kind for one in named)
            if not listed or not named or len(set(named)) < len(named):
                raise ConfigError(f"The declared {name} are a list of different {what}, got {named!r:.100}.")
            object.__setattr__(self, name, tuple(named))
        if self.reference is not None and not isinstance(self.reference, str):
            raise ConfigError(f"The declared reference is the name of an arm, got {self.reference!r:.100}.")
        effect = self.smallest_effect
        if isinstance(effect, bool) or not isinstance(effect, (int, float)) or not 0 < effect < 100:
            raise ConfigError(
                "The smallest effect of interest lies between 0 and 100 per cent of the reference's error, "
                f"got {effect!r:.100}."
            )

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values, without what is None."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
            if value is not None
        }

    @classmethod
    def from_json(cls, document: Any) -> "Question":
        """Read it from JSON values.

        Raises
        ------
        ConfigError
            When it is no object, or a field is unknown; the known ones are listed.
        """
        known = list(cls.__dataclass_fields__)
        if not isinstance(document, Mapping):
            raise ConfigError(f"Declared comparisons are a JSON object, got {document!r:.100}.")
        unknown = sorted(set(document) - set(known))
        if unknown:
            raise ConfigError(f"Declared comparisons have no field {unknown[0]!r}. Their fields: {', '.join(known)}.")
        return cls(**document)
