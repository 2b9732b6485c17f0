"""What a person decided about files of one kind, as a value that is kept as JSON and used again."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Annotated, Any, Literal, get_args

import numpy as np

from spectra_core.datasets.dialect import Dialect
from spectra_core.errors import ConfigError, SpectraError, json_fault
from spectra_core.json_text import strict_value
from spectra_core.options import Range, option_of, require_options
from spectra_core.spectra.text import require_whole

PartRole = Literal["spectra", "axis", "targets", "ignored"]
ColumnRole = Literal["target", "id", "group", "ignored", "channel"]
Orientation = Literal["rows", "columns", "pairs", "long"]
GapRule = Literal["leave out spectra", "leave out channels", "interpolate"]
MOST_POSITIONS = 100_000
_CHOICES: dict[str, tuple[str, ...]] = {
    "orientation": get_args(Orientation),
    "axis_order": ("sort",),
    "repeated_channels": ("first", "mean"),
    "summary_rows": ("leave out", "keep"),
    "cut_rows": ("leave out", "keep"),
    "hidden_rows": ("leave out", "keep"),
    "brackets": ("negative", "plain"),
    "gaps": get_args(GapRule),
    "join": ("id", "order", "number"),
    "resample": ("linear", "cubic"),
    "decimal": (".", ","),
    "contradictions": ("accept",),
    "blank_ids": ("above", "own"),
    "sentinels": ("missing", "keep", "leave out spectra"),
    "censored": ("missing", "half", "limit"),
}
_FACTS = {
    "name": option_of("name", str),
    "unit": option_of("unit", str),
    "charge": option_of("charge", Annotated[int, Range(-99, 99)] | None),
    "molar_mass": option_of("molar_mass", Annotated[float, Range(0, 10**9)] | None),
}
"""What may be said of a target."""
_LIMIT, _OUT = option_of("limits", float), option_of("leave_out_spectra", int)


@dataclass(frozen=True)
class Recipe:
    """Decisions about an import; whatever is None or empty is guessed, with a reason, from the files.

    Parameters
    ----------
    encoding, separator, decimal, header_rows
        How text is written; see `Dialect`.
    parts
        Role per table: "spectra", "axis", "targets" or "ignored". A key is the name of the table, of the sheet or
        variable in it, or its number in the list such as "#1".
    orientation
        "rows" for one spectrum a row, "columns" for one spectrum a column, "pairs" for columns of positions and values
        in turn, "long" for one value a row.
    signal_column
        Name of the column of values in a table of one value a row.
    columns
        Role per column that is no channel: "target", "id", "group" or "ignored"; "channel" for one that could be taken
        for something else. Columns without names are called "#1", "#2", ... from the left.
    axis_quantity, axis_unit
        What the positions of the channels measure.
    axis_first, axis_last
        Ends of an evenly spaced axis that the file does not hold.
    axis_order
        "sort" to put channels in rising order, spectra along with them.
    repeated_channels
        "first" or "mean" for channels at one position.
    signal_quantity, signal_unit
        What the spectra measure: "Absorbance", "Transmittance", "Intensity", ...
    convert_axis, convert_signal, convert_targets
        Unit to convert the axis to ("nm", "cm-1", "eV"), quantity to convert the signal to ("Absorbance",
        "Transmittance"), and unit of concentration to convert every target to.
    targets
        Per column name: any of "name", "unit", "charge", "molar_mass".
    summary_rows, cut_rows
        "leave out" or "keep" rows named Mean, SD and the like, and rows that the file ends within.
    hidden_rows
        "leave out" or "keep" rows that are hidden in a workbook, or excluded in a DataSet object.
    brackets
        "negative" or "plain": what numbers in brackets are, such as "(0.2)".
    gaps
        "leave out spectra", "leave out channels" or "interpolate" where values are missing or not finite.
    blank_ids
        "above" or "own": whether a spectrum without an id belongs to the id above, as in merged cells, or has none.
    sentinels
        "missing", "keep" or "leave out spectra" for numbers that lie far outside all others, such as -9999.
    contradictions
        "accept" data that the header of their file contradicts.
    censored
        "missing", "half" or "limit": what stands for a cell such as "<0.05" or "LOD". Above a limit (">3"), "half"
        takes the limit, too.
    limits
        Per column name, or "signal": the limit of cells that do not name it, such as "LOD".
    leave_out_spectra
        Ids (text) of spectra to leave out, or their numbers, counted from 1 in the order of the files.
    leave_out_channels
        Ranges of positions to leave out, ends included, in the unit of the file.
    join
        "id", "order" or "number": how targets from another table find their spectra; "number" by the numbers in ids
        that have other words before them.
    groups
        Name of a column whose equal values keep spectra together in splits, "id", "id without replicate", "equal
        targets", or "none".
    resample
        "linear" or "cubic": put spectra of different grids on the grid of the first one, within the common range.
    grid
        First and last position and step of an even grid that all spectra are resampled onto, in the unit of the file.
    name
        What to call the set.
    """

    encoding: str | None = None
    separator: str | None = None
    decimal: str | None = None
    header_rows: int | None = None
    parts: Mapping[str, str] = field(default_factory=dict)
    orientation: str | None = None
    signal_column: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    axis_quantity: str | None = None
    axis_unit: str | None = None
    axis_first: float | None = None
    axis_last: float | None = None
    axis_order: str | None = None
    repeated_channels: str | None = None
    signal_quantity: str | None = None
    signal_unit: str | None = None
    convert_axis: str | None = None
    convert_signal: str | None = None
    convert_targets: str | None = None
    targets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    summary_rows: str | None = None
    cut_rows: str | None = None
    hidden_rows: str | None = None
    brackets: str | None = None
    gaps: str | None = None
    blank_ids: str | None = None
    sentinels: str | None = None
    contradictions: str | None = None
    censored: str | None = None
    limits: Mapping[str, float] = field(default_factory=dict)
    leave_out_spectra: tuple[int | str, ...] = ()
    leave_out_channels: tuple[tuple[float, float], ...] = ()
    join: str | None = None
    groups: str | None = None
    resample: str | None = None
    grid: tuple[float, float, float] | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        require_options(self, "The recipe")
        for key in ("parts", "columns", "targets", "limits"):
            if not isinstance(getattr(self, key), Mapping):
                raise ConfigError(f"The recipe: {key} are decisions by name, got {getattr(self, key)!r:.80}.")
        for key, known in _CHOICES.items():
            value = getattr(self, key)
            if value is not None and value not in known:
                raise ConfigError(f"Unknown {key} {value!r} in the recipe. Known: {', '.join(known)}.")
        _require_roles(self.parts, get_args(PartRole), "table")
        _require_roles(self.columns, get_args(ColumnRole), "column")
        for name, facts in self.targets.items():
            _require_facts(name, facts)
        for name, limit in self.limits.items():
            _LIMIT.checked(limit, f"The recipe, limit of {name!r}")
        if self.header_rows is not None and not 0 <= self.header_rows <= 20:
            raise ConfigError(f"A table has between 0 and 20 header rows, got {self.header_rows}.")
        left_out = tuple(
            one if isinstance(one, str) else _OUT.checked(one, "The recipe") for one in self.leave_out_spectra
        )
        object.__setattr__(self, "leave_out_spectra", left_out)
        if self.grid is not None:
            object.__setattr__(self, "grid", _checked_grid(self.grid))
        ranges = tuple((float(low), float(high)) for low, high in self.leave_out_channels)
        object.__setattr__(self, "leave_out_channels", ranges)
        try:
            require_whole(self.to_json(), "The recipe")
        except SpectraError as error:
            raise ConfigError(str(error)) from error

    @property
    def dialect(self) -> Dialect:
        """The part of the recipe that a reader of text needs."""
        return Dialect(self.encoding, self.separator, self.decimal, self.header_rows)

    def but(self, **changes: Any) -> "Recipe":
        """Return the recipe with some decisions changed; mappings are merged."""
        merged: dict[str, Any] = {
            key: {**getattr(self, key), **value} if key in {"parts", "columns", "targets", "limits"} else value
            for key, value in changes.items()
        }
        return replace(self, **merged)

    def to_json(self) -> str:
        """Return the decisions as JSON, without what is guessed.

        >>> Recipe.from_json(Recipe(decimal=",", columns={"Cu": "target"}).to_json()).columns
        {'Cu': 'target'}
        """
        decided = {key: value for key, value in asdict(self).items() if value not in (None, (), {})}
        return json.dumps(decided, indent=2, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Recipe":
        """Undo `to_json`.

        Raises
        ------
        ConfigError
            When the text is no recipe, naming the unknown entry.
        """
        try:
            decided = strict_value(text)
        except ValueError as error:
            raise ConfigError(f"The recipe {json_fault(error)}. Give a recipe as this program saves it.") from error
        if not isinstance(decided, dict):
            raise ConfigError("A recipe is a JSON object with one entry per decision.")
        known = [one.name for one in fields(cls)]
        unknown = [key for key in decided if key not in known]
        if unknown:
            raise ConfigError(f"Unknown entry {unknown[0]!r} in the recipe. Known entries: {', '.join(known)}.")
        try:
            return cls(**decided)
        except (TypeError, ValueError, AttributeError) as error:
            raise ConfigError(
                "An entry of the recipe is of the wrong kind. Give a recipe as this program saves it."
            ) from error


def _require_facts(name: str, facts: Any) -> None:
    if not isinstance(facts, Mapping):
        raise ConfigError(f"The recipe says {facts!r:.80} of target {name!r}. Known: {', '.join(_FACTS)}.")
    for fact, value in facts.items():
        if fact not in _FACTS:
            raise ConfigError(f"The recipe says {fact!r} of target {name!r}. Known: {', '.join(_FACTS)}.")
        _FACTS[fact].checked(value, f"The recipe, target {name!r}")


def _require_roles(roles: Mapping[str, str], known: tuple[str, ...], what: str) -> None:
    for name, role in roles.items():
        if role not in known:
            raise ConfigError(f"Unknown role {role!r} of {what} {name!r} in the recipe. Known: {', '.join(known)}.")


def _checked_grid(grid: Sequence[float]) -> tuple[float, float, float]:
    first, last, step = (float(value) for value in grid)
    if not (np.isfinite([first, last, step]).all() and first != last and step != 0):
        raise ConfigError(f"A grid is a first and a last position that differ, and a step; got {list(grid)}.")
    if not 1 <= abs((last - first) / step) <= MOST_POSITIONS:
        raise ConfigError(f"A grid has between 2 and {MOST_POSITIONS:,} positions. Choose another step.")
    return first, last, abs(step)
