"""Axes that are no spectrum of light: angles, times, chemical shifts, masses, potentials."""

import re

_NAMES = {
    "Scattering angle": r"\b(?:2|two)[ -]?(?:theta|θ)|^(?:scattering |diffraction )?angle\b|^winkel\b",
    "Chemical shift": r"chemical shift|δ\W{0,3}ppm|^ppm$",
    "Mass-to-charge ratio": r"\bm/z\b",
    "Time": r"^(?:ret(?:ention|\.)? ?)?(?:time|zeit)\b|^t\s*[\[(/]\s*(?:s|min|h|ms)\b",
    "Temperature": r"^temp(?:erature|eratur|\.)?\b",
    "Photon energy": r"^(?:photon ?)?energy\b",
    "Frequency": r"^freq(?:uency|uenz|\.)?\b",
    "Potential": r"^(?:potential|voltage|spannung|e)\s*[\[(/]\s*m?v\b|^potential\b",
}
_AXES = {quantity: re.compile(words, re.IGNORECASE) for quantity, words in _NAMES.items()}
_UNIT = re.compile(
    r"[\[(/,]\s*(°|deg(?:rees?)?|ppm|m/z|min|s|ms|h|°\s?c|k|m?v|[mk]?ev|[kmgt]?hz)\s*[\])]?\s*\Z|^(ppm|m/z)$",
    re.IGNORECASE,
)
OTHER_AXES = frozenset(_NAMES)
SURE_AXES = r"\b(?:2|two)[ -]?(?:theta|θ)|chemical shift|\bm/z\b|δ\W{0,3}ppm"
"""Names of such axes that can hardly be those of anything else."""


def other_axis(text: str) -> tuple[str, str] | None:
    """Return quantity and unit of an axis that is no spectrum of light; None for any other text.

    The name of a column of times or temperatures says so only where that column is known to be an axis.

    >>> other_axis("2theta (deg)"), other_axis("Time (min)"), other_axis("Wavelength (nm)")
    (('Scattering angle', '°'), ('Time', 'min'), None)
    """
    text = text.strip()
    quantity = next((name for name, words in _AXES.items() if words.search(text)), None)
    if quantity is None:
        return None
    found = _UNIT.search(text)
    unit = "" if found is None else found[1] or found[2]
    return quantity, "°" if unit.lower().startswith("deg") else unit
