"""Values that are known only to lie below or above a limit: "<0.05", ">3", "LOD", "trace"."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from spectra_core.datasets.ions import concentration_unit
from spectra_core.datasets.numbers import is_missing, parse_number

_BELOW = (
    r"lod|loq|mdl|lld|lloq|bdl|bld|bql|blq|blod|bloq|blloq|b\.d\.l\.?|b\.q\.l\.?|below.*|not detected|not quantified"
    r"|n\.? ?d\.?|n\.? ?n\.?|n\.? ?q\.?|traces?|tr\.?|u\.? ?n\.? ?g\.?|(?:unter |u\. ?)?(?:nwg|bg)"
)
_ABOVE = r"sat\.?|saturated|saturation|above.*|off.?scale|out of range|o\.?o\.?r\.?|o\.?r\.?|over.*|uloq|max"
_UNDER = r"<<?=?|≤|⩽|\uff1c|(?:less|lower|smaller|kleiner) (?:than|als)|below|under|unter"
_OVER = r">>?=?|≥|⩾|\uff1e|(?:more|greater|higher|larger|größer) (?:than|als)|above|over|über"
_SIGNED = re.compile(
    rf"(?:n\.?d\.?\s*)?(?P<sign>{_UNDER}|{_OVER})\s*(?:(?P<number>[+\-]?[\d.,]+(?:[eE][+-]?\d+)?)\s*(?P<unit>[^\d\s].*)?|(?P<word>[a-z.]+)(?:\s*\(?(?P<told>[\d.,]+)\)?)?)\Z",
    re.IGNORECASE,
)
_BELOW_WORD, _ABOVE_WORD = re.compile(rf"(?:{_BELOW})\Z", re.IGNORECASE), re.compile(rf"(?:{_ABOVE})\Z", re.IGNORECASE)
_QUANTITY = re.compile(r"(?P<number>[+\-]?[\d.,]+(?:[eE][+-]?\d+)?)\s*(?P<unit>\D.*)\Z")


@dataclass(frozen=True)
class Censored:
    """What a cell says instead of a value.

    Parameters
    ----------
    above
        Whether the value lies above the limit, not below it.
    limit
        None where the cell names none, as "LOD" does.
    """

    above: bool
    limit: float | None


def censored(cell: str, decimal: str = ".") -> Censored | None:
    """Return what a cell says of a value that was beyond a limit, or None.

    >>> censored("<0.05"), censored("> 3"), censored("LOD").limit, censored("oops")
    (Censored(above=False, limit=0.05), Censored(above=True, limit=3.0), None, None)
    """
    cell = cell.strip()
    match = _SIGNED.match(cell)
    if match is not None:
        above = re.fullmatch(_OVER, match["sign"], re.IGNORECASE) is not None
        written = match["number"] or match["told"] or ""
        number = parse_number(written, decimal)
        return Censored(above, parse_number(written, "," if decimal == "." else ".") if number is None else number)
    if _BELOW_WORD.match(cell):
        return Censored(False, None)
    return Censored(True, None) if _ABOVE_WORD.match(cell) else None


def is_censored(cell: str) -> bool:
    """Whether a cell says that its value lies beyond a limit."""
    return censored(cell) is not None


def quantities(cells: Sequence[str], decimal: str) -> tuple[list[float], str] | None:
    """Return the numbers of cells that all carry one unit of concentration, and that unit.

    >>> quantities(["0.5 mM", "", "1 mM"], ".")
    ([0.5, nan, 1.0], 'mmol/L')
    """
    values, units = [], set()
    for cell in cells:
        match = _QUANTITY.match(cell)
        number = None if match is None else parse_number(match["number"], decimal)
        if (
            match is not None
            and number is not None
            and (unit := concentration_unit(match["unit"]) or _short(match["unit"]))
        ):
            values.append(number)
            units.add(unit)
        elif is_missing(cell):
            values.append(float("nan"))
        else:
            return None
    return (values, units.pop()) if len(units) == 1 else None


def _short(unit: str) -> str:
    """Return the unit of a molarity, which alone would be a length."""
    return {"M": "mol/L", "mM": "mmol/L", "uM": "µmol/L", "µM": "µmol/L", "μM": "µmol/L", "nM": "nmol/L"}.get(
        unit.strip(), ""
    )
