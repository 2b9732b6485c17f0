"""Names that people gave, as figures show them: ions typeset, nothing in them read as markup."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import numpy as np
import plotly.graph_objects as go

_SYMBOL = re.compile("[A-Z][a-z]?")
_ELEMENTS = frozenset(
    _SYMBOL.findall(
        "HHeLiBeBCNOFNeNaMgAlSiPSClArKCaScTiVCrMnFeCoNiCuZnGaGeAsSeBrKrRbSrYZrNbMoTcRuRhPdAgCdInSnSbTeIXeCsBaLaCePrNd"
        "PmSmEuGdTbDyHoErTmYbLuHfTaWReOsIrPtAuHgTlPbBiThU"
    )
)
_SUBSCRIPT = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_SUPERSCRIPT = str.maketrans("0123456789+-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻")
_PLAIN = str.maketrans("₀₁₂₃₄₅₆₇₈₉⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻\u2212", "01234567890123456789+--")
_ATOMS = r"[A-Z][a-z]?\d{0,2}"
_FORMULA = rf"(?:{_ATOMS}|\((?:{_ATOMS})+\)\d{{0,2}})+"
_ION = re.compile(rf"({_FORMULA})(?: ?\^?\(?([1-9]?[+-])\)?|\^?([+-][1-9])|(\+{{2,4}}|-{{2,4}}))")
_COUNTED = re.compile(r"(?:NO[23]|SO[34]|CO3|PO4|[CBI][lr]?O[34]|CrO4|(?<!O)H\d|\)\d)\Z")
"""Ends of cations whose last digit counts atoms: pairs as CuNO3+, hydrogen as in NH4+, groups as in Fe(OH)2+."""
_ION_IN_TEXT = re.compile(rf"(?<![\w+\-.])((?!{_FORMULA} [+-] ){_ION.pattern})(?![\w+\-])")
"""In a sum, as "2 Cu + 2 Ni", a sign between spaces is no charge."""
_WAVENUMBERS = re.compile(r"\bcm\^?-1(?![\w-])")
_MARKUP = re.compile(r"<(?!br>|/?extra>)|&(?!(?:lt|gt|amp);)")
"""Markup but what figures themselves write: line breaks, and the box beside a hover text."""


def ion_label(name: str, charge: int | None = None) -> str:
    """Typeset an ion: counts of atoms as subscripts, its charge as a superscript (IUPAC Red Book 2005, IR-2).

    Parameters
    ----------
    name
        Of a target, as a person wrote it; returned as it is where it is no ion.
    charge
        Charge number where it is known; needed where the name does not say it.

    >>> [ion_label(name) for name in ("SO4 2-", "Cu2+", "NH4+", "NO3-", "Fe+3", "glucose", "NO3")]
    ['SO₄²⁻', 'Cu²⁺', 'NH₄⁺', 'NO₃⁻', 'Fe³⁺', 'glucose', 'NO3']
    >>> [ion_label(name) for name in ("CuNO3+", "FeSO4+", "FeOH2+", "VO2+", "Fe(SO4)2-", "Fe2(OH)2 4+")]
    ['CuNO₃⁺', 'FeSO₄⁺', 'FeOH²⁺', 'VO²⁺', 'Fe(SO₄)₂⁻', 'Fe₂(OH)₂⁴⁺']
    >>> ion_label("Cu", 2), ion_label("NO3", -1), ion_label("glucose", 0), ion_label("Zn(NO3)2", 0)
    ('Cu²⁺', 'NO₃⁻', 'glucose', 'Zn(NO₃)₂')
    """
    plain = name.strip().translate(_PLAIN)
    if charge is not None and re.fullmatch(_FORMULA, plain) and _is_formula(plain):
        return plain.translate(_SUBSCRIPT) if charge == 0 else _typeset(plain, abs(charge), "+" if charge > 0 else "-")
    match = _ION.fullmatch(plain)
    if match is None:
        return name
    formula, size, sign = _parted(match, charge)
    return _typeset(formula, int(size or 1), sign) if _is_formula(formula) else name


def typeset(text: str) -> str:
    """Typeset the ions in a text that write their charge, and the unit of wavenumbers.

    >>> typeset("Label \u2212 reading: SO4 2-, mol/L"), typeset("sample A2-3, pH 7"), typeset("1200 cm-1")
    ('Label \u2212 reading: SO₄²⁻, mol/L', 'sample A2-3, pH 7', '1200 cm⁻¹')
    >>> typeset("NO3- = 2 Cu2+ + 2 Ni2+"), typeset("NO3 = 2 Cu + 2 Ni - Cl")
    ('NO₃⁻ = 2 Cu²⁺ + 2 Ni²⁺', 'NO3 = 2 Cu + 2 Ni - Cl')
    """
    if "+" not in text and "-" not in text:
        return text
    return _WAVENUMBERS.sub("cm⁻¹", _ION_IN_TEXT.sub(lambda match: ion_label(match[1]), text))


def shown(text: str) -> str:
    """Return a text as plotly shall show it: ions typeset, and letter by letter what plotly would read as markup.

    >>> shown('<a href="https://example.org">NO3-</a>, mol/L')
    '&lt;a href="https://example.org">NO₃⁻&lt;/a>, mol/L'
    """
    return _escaped(typeset(text))


def ion_labels(names: Iterable[str], charges: Iterable[int | None] = ()) -> dict[str, str]:
    """Return what the targets of a set are called, by name; those that would read alike stay as they were written.

    >>> ion_labels(["Cu2+", "glucose"]), ion_labels(["Cu2+", "Cu+2"])
    ({'Cu2+': 'Cu²⁺', 'glucose': 'glucose'}, {'Cu2+': 'Cu2+', 'Cu+2': 'Cu+2'})
    """
    known = list(charges)
    labels = {name: ion_label(name, known[i] if i < len(known) else None) for i, name in enumerate(names)}
    often = Counter(labels.values())
    return {name: label if often[label] == 1 else name for name, label in labels.items()}


def show_names(figure: go.Figure) -> None:
    """Put every text of a figure as it shall be shown, in place: its titles, legend, hover boxes and categories."""
    said = _telling_apart()
    for trace in figure.data:
        for field in ("name", "text", "hovertext", "hovertemplate", "x", "y", "customdata"):
            _replace(trace, field, said)
        for dimension in trace.dimensions or () if trace.type == "splom" else ():
            _replace(dimension, "label", said)
    layout = figure.layout
    for annotation in layout.annotations:
        _replace(annotation, "text", said)
    for name in layout:
        part = layout[name]
        if name.startswith(("xaxis", "yaxis")):
            _replace(part.title, "text", said)
            for field in ("ticktext", "tickvals", "categoryarray"):
                _replace(part, field, said)
        elif name.startswith("coloraxis"):
            _replace(part.colorbar.title, "text", said)


def _telling_apart() -> Callable[[str], str]:
    """Return what shows texts, and shows different ones differently: two names must not become one category."""
    taken: dict[str, str] = {}

    @cache
    def said(text: str) -> str:
        wanted = shown(text)
        if taken.get(wanted, text) != text:
            wanted = _escaped(text)
        while taken.get(wanted, text) != text:
            wanted += "\N{PRIME}"
        taken[wanted] = text
        return wanted

    return said


def _escaped(text: str) -> str:
    return _MARKUP.sub(lambda match: {"<": "&lt;", "&": "&amp;"}[match[0]], text)


def _replace(part: Any, field: str, said: Any) -> None:
    value = getattr(part, field, None)
    if isinstance(value, str):
        if said(value) != value:
            part[field] = said(value)
    elif isinstance(value, tuple | list):
        part[field] = [said(one) if isinstance(one, str) else one for one in value]
    elif isinstance(value, np.ndarray) and value.dtype.kind in "OU":
        flat = [said(one) if isinstance(one, str) else one for one in value.ravel()]
        part[field] = np.array(flat, dtype=object).reshape(value.shape)


def _parted(match: re.Match[str], charge: int | None) -> tuple[str, str, str]:
    """Return formula, size of the charge ("" for one) and sign of a matched ion."""
    formula, after, before, repeated = match.groups()[-4:]
    if repeated:
        return formula, str(len(repeated)), repeated[0]
    if before:
        return formula, before[1:], before[0]
    size, sign = after[:-1], after[-1]
    if size or match[0][len(formula)] in " ^(" or not _ends_in_charge(formula, sign, charge):
        return formula, size, sign
    return formula[:-1], formula[-1], sign


def _ends_in_charge(formula: str, sign: str, charge: int | None) -> bool:
    """Whether the last digit before the sign is the charge, as in "Cu2+" and "SO42-", not a count as in "NO3-"."""
    digits = re.search(r"\d*\Z", formula)
    assert digits is not None
    if not digits[0] or charge in (1, -1):
        return False
    if len(digits[0]) > 1 or (charge and str(abs(charge)) == digits[0]):
        return True
    if len(_SYMBOL.findall(formula)) == 1:
        return formula not in ("I3", "N3", "Br3")
    # Other cations are oxo-cations, as VO2+; anions end in a count of oxygen.
    return sign == "+" and not _COUNTED.search(formula)


def _is_formula(text: str) -> bool:
    return bool(text) and _ELEMENTS.issuperset(_SYMBOL.findall(text))


def _typeset(formula: str, size: int, sign: str) -> str:
    return formula.translate(_SUBSCRIPT) + f"{size if size > 1 else ''}{sign}".translate(_SUPERSCRIPT)
