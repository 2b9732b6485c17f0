"""What spectra are by their names: measurements of samples, or means, deviations and references among them."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spectra_core.datasets.columns import Role
from spectra_core.datasets.names import only_axis
from spectra_core.datasets.numbers import is_missing
from spectra_core.datasets.questions import Problem, choice, listed
from spectra_core.datasets.recipe import Recipe
from spectra_core.datasets.table import ImportTable

_QUANTITIES = ("absorbance", "transmittance", "reflectance")
_DEVIATION, _MEAN, _OTHERS = "standard deviation", "mean", ""
_NEVER_MEANT = ("axis", _DEVIATION, "temperature", "sum")
_MOSTLY = 0.8
_MOST_NAMELESS = 3
_WORDS = {
    "reference": r"(?:white[ _-]?)?ref(?:erence)?(?:[ _-]?spectrum)?|white[ _-]?standard|(?:wei(?:ß|ss))?referenz"
    r"|(?:base ?line\W*)?0 ?% ?[tr]|base ?line|background",
    _QUANTITIES[0]: r"abs(?:orbance)?",
    _QUANTITIES[1]: r"%\s*t|t\s*%|transm\w*|%\s*tr",
    _QUANTITIES[2]: r"%\s*r|r\s*%|refl\w*",
    _DEVIATION: r"sd|s\.d\.|st\.? ?dev\.?|std\.? ?(?:dev(?:iation)?|err(?:or)?)\.?|standard ?(?:deviation|error)|stabw"
    r"|standardabweichung|[ée]cart[- ]type|sem|rsd|(?:±|\+/-)\s*(?:sd|sem|se)?|uncertainty|unsicherheit|errors?|sigma",
    "sum": r"(?:sub[ -]?)?(?:total|sum)|(?:zwischen)?summe",
    _MEAN: r"mean|average|avg\.?|mittel(?:wert)?|moyenne|promedio|median",
    "dark": r"dark(?:[ _-]?(?:current|spectrum|counts?|signal|noise))?|dunkel(?:strom|spektrum|messung)?",
    "raw counts": r"raw[ _-]?(?:data|counts|signal)",
    "temperature": r"temp(?:erature|eratur|\.)?(?:\s*[(\[].*)?|t\s*[(\[]\s*°?\s*[ck]\s*[)\]]|t ?°.*",
    "derivative": r"d[ya]/d[xλ]|(?:\dst|\dnd|first|second) der(?:iv(?:ative)?)?",
}
# One of these is in every name that tells a kind; looked for first, since names may be a hundred thousand hashes.
_HINTS = (
    *("abs", "%", "trans", "refl", "sd", "s.d", "st", "±", "+/-", "unc", "unsi", "err", "sig", "mean", "av", "mit"),
    *("moy", "prom", "medi", "dark", "dunkel", "ref", "white", "wei", "bas", "back", "raw"),
    *("tot", "sum", "temp", "t (", "t(", "t [", "t[", "t°", "t °", "/d", "der", "sem", "var", "se", "cart"),
)
_AXIS_HINTS = (
    *("wave", "wl", "wn", "nm", "um", "µm", "μm", "cm", "ev", "hz", "λ", "lambda", "raman", "shift", "energy", "onda"),
    *("wellen", "longueur"),
)
# Ends of names, after a mark: "A1 SD", "s2_mean", "raw data #1". "std" alone as often stands for a standard.
_KINDS = {
    kind: re.compile(rf"(?:.*[^a-zA-Z])?(?:{words})\W*(?:#\s*\d+\W*)?", re.IGNORECASE) for kind, words in _WORDS.items()
}
# Beginnings, where that is what one writes: "Mean A", "SD of batch 2".
_BEGINNINGS = {
    _MEAN: re.compile(r"(?:mean|average|avg\.?|mittelwert|moyenne|promedio|median)[\s_:(\-].*", re.IGNORECASE),
    _DEVIATION: re.compile(
        r"(?:sd|stdev|st\.? ?dev\.?|std\.? ?(?:dev|err)\.?|standard ?(?:deviation|error)|stabw\.?)[\s_:(\-].*",
        re.IGNORECASE,
    ),
}
_DIGITS = re.compile(r"\d+")
_STD = re.compile(r"(?:(?P<stem>.*\w)[\s_\-.:(\[]+)?(?:std|var|err|se)\.?\W*", re.IGNORECASE)


def on_kinds(
    ids: Sequence[str], roles: Sequence[Role], signal: NDArray[np.floating], rows: NDArray[np.bool_], recipe: Recipe
) -> list[Problem]:
    """Ask which spectra are meant, where some are by their names something else than the others.

    Parameters
    ----------
    ids
        Of all spectra; a column of text that tells their kinds counts as part of them.
    signal : (n_spectra, n_channels)
        The name of an axis is one where the values rise or fall as an axis does.
    rows : (n_spectra,)
        Mask of those that are used.
    """
    if recipe.summary_rows == "keep":
        return []
    used = np.flatnonzero(rows).tolist()
    told = _told_apart(roles, len(ids))
    # Names that differ by numbers alone are of one kind, so that a hundred thousand cost little.
    names = [told[row] if told and told[row] else ids[row] for row in used]
    plain = [_DIGITS.sub("0", name) for name in names]
    each = set(plain)
    kinds = {name: _kind(name, each) for name in each}
    axes = {name for name in set(names) if _has(_AXIS_HINTS, name) and only_axis(name)}
    said: dict[str, list[int]] = {}
    for row, name, key in zip(used, names, plain, strict=True):
        said.setdefault("axis" if name in axes and _steady(signal[row]) else kinds[key], []).append(row)
    named = set(said) - {_OTHERS}
    if len(said) < 2 or (_OTHERS in said and len(named) == 1 and named <= set(_QUANTITIES)):
        return []
    order = sorted(said, key=lambda kind: (kind not in (_OTHERS, _MEAN, *_QUANTITIES), said[kind][0]))
    kept = [number + 1 for number in np.flatnonzero(~rows).tolist()]
    ways = [
        choice(
            f"Use {kind or 'the others'} alone",
            leave_out_spectra=(*kept, *(row + 1 for row in used if row not in set(said[kind]))),
        )
        for kind in order
        if kind not in _NEVER_MEANT
    ]
    if len(named & set(_QUANTITIES)) < 2:
        ways.append(choice("All are spectra of samples", summary_rows="keep"))
    examples = [f"{ids[found[0]]} ({kind})" for kind in order if kind for found in [said[kind]]]
    text = f"By their names the spectra differ in what they measure: {listed(examples)}."
    return [Problem("quantities", text, tuple(ways), readings=True)]


def on_nameless(table: ImportTable, roles: Sequence[Role], rows: NDArray[np.bool_], recipe: Recipe) -> list[Problem]:
    """Ask about two or three columns beside an axis that have no names: they may be spectra, or what belongs to one.

    Programs write a derivative, an uncertainty, or reference and sample beside a spectrum.
    """
    used = np.flatnonzero(rows).tolist()
    named = any(table.names) or any(one.role == "id" for one in roles)
    in_columns = all(place.startswith("column ") for place in table.places)
    several = (
        2 <= len(table.places) <= _MOST_NAMELESS and len({place.partition(" of ")[2] for place in table.places}) == 1
    )
    if named or not in_columns or not several or recipe.summary_rows == "keep" or len(used) < 2:
        return []
    ways = [
        choice(
            f"Use {table.places[row].partition(' of ')[0]} alone",
            leave_out_spectra=tuple(other + 1 for other in range(len(table.places)) if other != row),
        )
        for row in used
    ]
    ways.append(choice("All are spectra of samples", summary_rows="keep"))
    text = (
        f"{len(used)} columns of numbers stand beside the axis without names. They may be spectra, or one spectrum "
        "with its derivative, its uncertainty or its reference. Say which."
    )
    return [Problem("nameless columns", text, tuple(ways), readings=True)]


def _kind(name: str, names: set[str]) -> str:
    """Return what a name says a spectrum is; "std" is a deviation only beside a mean, or beside what it is that of."""
    if not _has(_HINTS, name):
        return _OTHERS
    match = _STD.fullmatch(name.strip())
    if match is not None:
        stem = match["stem"] or ""
        if any(
            other != name and (other.startswith(stem) if stem else _KINDS[_MEAN].fullmatch(other)) for other in names
        ):
            return _DEVIATION
    patterns = (*_KINDS.items(), *_BEGINNINGS.items())
    return next((kind for kind, pattern in patterns if pattern.fullmatch(name.strip())), _OTHERS)


def _has(hints: Sequence[str], name: str) -> bool:
    lower = name.lower()
    return any(hint in lower for hint in hints)


def _told_apart(roles: Sequence[Role], n_spectra: int) -> Sequence[str] | None:
    """Return the cells of the column of text that says of nearly every spectrum what kind it is of."""
    for one in roles:
        cells = one.column.text
        if cells is None or one.role == "id" or len(cells) != n_spectra:
            continue
        filled = [cell for cell in cells if not is_missing(cell)]
        kinds = {_kind(cell, set(cells)) for cell in filled} - {_OTHERS}
        told = sum(_kind(cell, set(cells)) != _OTHERS for cell in filled)
        if len(kinds) > 1 and told >= _MOSTLY * len(cells):
            return cells
    return None


def _steady(values: NDArray[np.floating]) -> bool:
    steps = np.diff(values)
    return bool(steps.size and ((steps > 0).all() or (steps < 0).all()))
