"""What the name of a column says: a position on the axis, a unit, an ion and its charge."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from spectra_core.datasets.numbers import parse_number

AXIS_UNITS: dict[str, tuple[str, str]] = {
    "nm": ("Wavelength", "nm"),
    "nanometers": ("Wavelength", "nm"),
    "nanometer": ("Wavelength", "nm"),
    "nanometres": ("Wavelength", "nm"),
    "um": ("Wavelength", "µm"),
    "µm": ("Wavelength", "µm"),
    "μm": ("Wavelength", "µm"),
    "micrometers": ("Wavelength", "µm"),
    "microns": ("Wavelength", "µm"),
    "cm-1": ("Wavenumber", "cm-1"),
    "cm^-1": ("Wavenumber", "cm-1"),
    "cm⁻¹": ("Wavenumber", "cm-1"),
    "cm\u22121": ("Wavenumber", "cm-1"),
    "1/cm": ("Wavenumber", "cm-1"),
    "/cm": ("Wavenumber", "cm-1"),
    "ev": ("Photon energy", "eV"),
    "m/z": ("Mass-to-charge ratio", "m/z"),
}
"""Unit as written in lower case: quantity and unit of the axis."""

_UNIT = "|".join(sorted((re.escape(unit) for unit in AXIS_UNITS), key=len, reverse=True))
_POSITION = re.compile(
    rf"(?P<prefix>[^\d+\-.,]{{0,24}}?)\s*[(\[]?(?P<number>\d+(?:[.,]\d+)?(?:[eE][+-]?\d{{1,3}})?)\s*(?P<unit>{_UNIT})?\s*[)\]]?\Z",
    re.IGNORECASE,
)
_AXIS_WORD = re.compile(
    r"wave|wellen|longueur|longitud|lambda|λ|raman|shift|\bnm\b|cm[-^\u2212⁻]|1/cm|energy|\bev\b|frequenc|wl\b|wn\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Positions:
    """Positions read from a run of column names.

    Parameters
    ----------
    first
        Column of the first channel; the channels are `values.size` columns running.
    values : (n_channels,), in `unit`
        Positions in file order; not necessarily monotonic.
    quantity, unit
        Empty where the names do not say.
    prefix
        Text before each number, such as "A_".
    """

    first: int
    values: NDArray[np.float64]
    quantity: str = ""
    unit: str = ""
    prefix: str = ""


def positions_in(names: Sequence[str]) -> Positions | None:
    """Return the longest run of names that are positions, all with the same text before and after the number.

    >>> found = positions_in(["octane", "900 nm", "902 nm"])
    >>> found.first, found.values.tolist(), found.unit
    (1, [900.0, 902.0], 'nm')
    """
    return _run_of_positions(tuple(names))


@lru_cache(maxsize=4)
def _run_of_positions(names: tuple[str, ...]) -> Positions | None:
    """Do what `positions_in` does, once for a row of names that is looked at from several sides."""
    parsed = [_position(name) for name in names]
    best = (0, 0)
    at = 0
    while at < len(parsed):
        here = parsed[at]
        end = at + 1
        if here is not None:
            style = here[1:]
            while end < len(parsed) and (there := parsed[end]) is not None and there[1:] == style:
                end += 1
            if end - at > best[1] - best[0]:
                best = (at, end)
        at = end
    found = [one for one in parsed[best[0] : best[1]] if one is not None]
    if not found:
        return None
    quantity, unit = AXIS_UNITS.get(found[0][2], ("", ""))
    return Positions(best[0], np.array([one[0] for one in found]), quantity, unit, found[0][1])


def _position(name: str) -> tuple[float, str, str] | None:
    """Return number, prefix and unit of one name."""
    name = name.strip()
    try:
        if name[:1].isdigit() and "_" not in name:
            return float(name), "", ""
    except ValueError:
        pass
    for decimal in (".", ","):
        plain = parse_number(name, decimal)
        if plain is not None:
            return (plain, "", "") if np.isfinite(plain) else None
    match = _POSITION.match(name)
    if match is None:
        return None
    number = float(match["number"].replace(",", "."))
    return number, match["prefix"].strip(), (match["unit"] or "").lower()


def axis_named(text: str) -> tuple[str, str] | None:
    """Return quantity and unit when a text speaks of a spectral axis; either may be empty.

    >>> axis_named("Wavelength [nm]"), axis_named("Raman shift (cm-1)"), axis_named("glucose")
    (('Wavelength', 'nm'), ('Raman shift', 'cm-1'), None)
    """
    if not _AXIS_WORD.search(text):
        return None
    lower = text.lower()
    quantity, unit = "", ""
    for written, meaning in AXIS_UNITS.items():
        if re.search(rf"(?<![a-zµμ]){re.escape(written)}(?![a-z])", lower):
            quantity, unit = meaning
            break
    if "raman" in lower or "shift" in lower:
        return "Raman shift", unit or "cm-1"
    if not unit and ("wavelength" in lower or "wellenl" in lower):
        return "Wavelength", ""
    if not unit and "wavenumber" in lower:
        return "Wavenumber", "cm-1"
    return quantity, unit


def signal_named(text: str) -> tuple[str, str] | None:
    """Return quantity and unit when a text names what was measured.

    >>> signal_named("%T"), signal_named("Absorbance"), signal_named("INT")
    (('Transmittance', '%'), ('Absorbance', ''), ('Intensity', ''))
    """
    lower = text.strip().lower()
    if not lower:
        return None
    percent = "%" in lower or "percent" in lower
    if "log(1/r)" in lower or "log 1/r" in lower or "log(1/t)" in lower:
        return "Absorbance", ""
    if "transmi" in lower or lower in {"%t", "t%", "t"} or re.search(r"%\s*t\b", lower):
        return "Transmittance", "%" if percent else ""
    if "reflec" in lower or lower in {"%r", "r%"}:
        return "Reflectance", "%" if percent else ""
    if "absorb" in lower or "extinktion" in lower or lower in {"abs", "abs.", "a", "a.u.", "au"}:
        return "Absorbance", ""
    if any(word in lower for word in ("fluor", "intens", "counts", "emission", "raman")) or lower in {"int", "cts"}:
        return "Intensity", "counts" if "count" in lower or lower == "cts" else ""
    return None
