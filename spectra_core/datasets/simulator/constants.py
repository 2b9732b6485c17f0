"""The constants of the simulator: read, shown with status and source, overridden, drawn within their uncertainty."""

import io
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources

import numpy as np
import pandas as pd

from spectra_core.contracts import random_stream
from spectra_core.errors import ConfigError

STATUS = {
    "F": "found in a primary source",
    "M": "measured on real spectra",
    "K": "textbook value",
    "A": "assumed",
}

_ANNOTATED = re.compile(
    r"^(?P<before>\s+(?:(?P<quantity>log_k|delta_h)|(?P<pair>\S+\s+\S+))\s+)(?P<value>[-+.\d]+)"
    r"(?P<after>[^#]*#\s*\+-\s*(?P<sd>[.\d]+)\s*\[(?P<status>[FMKA])\]\s*(?P<source>.*))$"
)
"""A line of the database file that holds a constant with its uncertainty, status and source."""

_MULTIPLICATIVE = ("absorptivity", "width", "factor", "overtone", "visible tail", "hydration", "nitrate gain")
"""Quantities that stay positive: drawn log-normally."""


@dataclass(frozen=True)
class Constant:
    """One constant: its name in `SimulationSettings.constants`, value, one standard deviation, unit, status, source."""

    constant: str
    value: float
    uncertainty: float
    unit: str
    status: str
    source: str


@dataclass(frozen=True, eq=False)
class Chemistry:
    """All constants in force, ready to compute with.

    Parameters
    ----------
    database
        Text of the PHREEQC database.
    species
        One row per species: name, PHREEQC name, charge and number of each ion.
    bands
        One row per absorption band: absorptivity [L/mol/cm], centre and width [cm-1].
    absorbs_like
        One row per species and group of bands that it takes over from another species.
    ions
        Value by ion (rows) and quantity (columns), in the units of ``ions.csv``; 0 where none is given.
    water
        Wavelength [nm], Napierian absorption [1/m] at 20 C and its derivatives.
    """

    database: str
    species: pd.DataFrame
    bands: pd.DataFrame
    absorbs_like: pd.DataFrame
    ions: pd.DataFrame
    water: pd.DataFrame


def constants_table() -> pd.DataFrame:
    """List every constant that can be overridden or drawn.

    Returns
    -------
    DataFrame, one row per constant
        Columns ``constant`` (its name in `SimulationSettings.constants`), ``value``, ``uncertainty`` (one standard
        deviation, in the same unit), ``unit``, ``status`` (a key of `STATUS`), ``source``.
    """
    return pd.DataFrame([asdict(constant) for constant in _constants()])


def load_chemistry(overrides: Mapping[str, float] | None = None, perturbation_seed: int | None = None) -> Chemistry:
    """Return the constants, each drawn within its uncertainty if a seed is given, then overridden by name.

    Raises
    ------
    ConfigError
        For a constant that does not exist, or a value that is not a finite number.
    """
    values = {
        one.constant: one.value if perturbation_seed is None else _drawn(one, perturbation_seed) for one in _constants()
    }
    for name, value in (overrides or {}).items():
        if name not in values:
            raise ConfigError(
                f"Unknown constant {name!r}. The table of constants lists them; it starts with "
                f"{', '.join(repr(known) for known in list(values)[:3])}."
            )
        if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
            raise ConfigError(f"The constant {name!r} must be a finite number, got {value!r}.")
        values[name] = float(value)
    return Chemistry(
        database=_database(values),
        species=_table("species.csv"),
        bands=_replaced("bands.csv", ("absorptivity", "centre", "width"), _band_name, values),
        absorbs_like=_replaced("absorbs_like.csv", ("factor", "shift"), _likeness_name, values),
        ions=_replaced("ions.csv", ("value",), _ion_name, values)
        .set_index(["ion", "quantity"])["value"]
        .unstack(fill_value=0),
        water=_table("water.csv"),
    )


def _drawn(one: Constant, seed: int) -> float:
    """Draw one constant; its stream is named after it, so that adding another constant changes nothing."""
    # Three standard deviations at most: far tails of a textbook value are not physics.
    z = float(np.clip(random_stream(seed, "constant", one.constant).standard_normal(), -3.0, 3.0))
    if one.constant.startswith(_MULTIPLICATIVE) and one.value > 0:
        return float(one.value * np.exp(z * np.log1p(one.uncertainty / one.value)))
    return one.value + one.uncertainty * z


def _read(name: str) -> str:
    return (resources.files(__package__) / "chemistry" / name).read_text(encoding="utf-8")


@cache
def _table(name: str) -> pd.DataFrame:
    """Read one data file, once; nobody changes the table in place."""
    return pd.read_csv(io.StringIO(_read(name)))


_Row = dict[str, str]
_Naming = Callable[[_Row, str], str]


def _band_name(row: _Row, quantity: str) -> str:
    return f"{quantity} {row['species']} {row['band']}"


def _likeness_name(row: _Row, quantity: str) -> str:
    return f"{quantity} {row['species']} like {row['like']} {row['bands']}"


def _ion_name(row: _Row, _: str) -> str:
    return f"{row['quantity']} {row['ion']}"


@cache
def _constants() -> tuple[Constant, ...]:
    found = _database_constants()
    for name, naming, units in (
        ("bands.csv", _band_name, {"absorptivity": "L/mol/cm", "centre": "cm-1", "width": "cm-1"}),
        ("absorbs_like.csv", _likeness_name, {"factor": "1", "shift": "cm-1"}),
    ):
        for row in _records(_table(name)):
            found += [
                Constant(naming(row, q), float(row[q]), float(row[f"{q}_sd"]), unit, row["status"], row["source"])
                for q, unit in units.items()
            ]
    found += [
        Constant(
            _ion_name(row, "value"),
            float(row["value"]),
            float(row["uncertainty"]),
            row["unit"],
            row["status"],
            row["source"],
        )
        for row in _records(_table("ions.csv"))
    ]
    return tuple(found)


def _records(table: pd.DataFrame) -> list[_Row]:
    return [{str(name): str(value) for name, value in row.items()} for row in table.to_dict(orient="records")]


@cache
def _names(file: str, quantity: str, naming: _Naming) -> tuple[str, ...]:
    return tuple(naming(row, quantity) for row in _records(_table(file)))


def _replaced(file: str, quantities: tuple[str, ...], naming: _Naming, values: Mapping[str, float]) -> pd.DataFrame:
    """Return a table with the values in force."""
    return _table(file).assign(**{q: [values[name] for name in _names(file, q, naming)] for q in quantities})


@cache
def _database_lines() -> list[tuple[str, re.Match[str] | None, str]]:
    """Return each line of the database with its match and the name of the constant it holds."""
    lines: list[tuple[str, re.Match[str] | None, str]] = []
    product = ""
    for line in _read("speciation.dat").splitlines():
        if "=" in line and not line.startswith((" ", "#")):
            product = _product(line)
        match = _ANNOTATED.match(line)
        name = ""
        if match:
            pair = match["pair"]
            name = f"epsilon {' '.join(pair.split())}" if pair else f"{match['quantity']} {product}"
        lines.append((line, match, name))
    return lines


def _product(reaction: str) -> str:
    """Name what a reaction forms: the first species on the right.

    >>> _product("Fe+3 + H2O = FeOH+2 + H+")
    'FeOH+2'
    """
    return next(part for part in reaction.split("=")[1].split() if not part.isdigit())


def _database_constants() -> list[Constant]:
    units = {"log_k": "log10", "delta_h": "kJ/mol"}
    return [
        Constant(
            name,
            float(match["value"]),
            float(match["sd"]),
            units.get(name.split()[0], "kg/mol"),
            match["status"],
            match["source"],
        )
        for _, match, name in _database_lines()
        if match
    ]


def _database(values: Mapping[str, float]) -> str:
    """Write the database with other values in the same places."""
    return "\n".join(
        f"{match['before']}{values[name]:.12g} {match['after']}" if match else line
        for line, match, name in _database_lines()
    )
