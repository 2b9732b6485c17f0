"""Ions and units of concentration as column names give them."""

import re
from dataclasses import dataclass

ATOMIC_MASS = {  # g/mol, IUPAC 2021 abridged standard atomic weights
    "H": 1.008, "Li": 6.94, "B": 10.81, "C": 12.011, "N": 14.007, "O": 15.999, "F": 18.998, "Na": 22.990,
    "Mg": 24.305, "Al": 26.982, "Si": 28.085, "P": 30.974, "S": 32.06, "Cl": 35.45, "K": 39.098, "Ca": 40.078,
    "Ti": 47.867, "V": 50.942, "Cr": 51.996, "Mn": 54.938, "Fe": 55.845, "Co": 58.933, "Ni": 58.693, "Cu": 63.546,
    "Zn": 65.38, "As": 74.922, "Se": 78.971, "Br": 79.904, "Rb": 85.468, "Sr": 87.62, "Mo": 95.95, "Ag": 107.87,
    "Cd": 112.41, "Sn": 118.71, "I": 126.90, "Ba": 137.33, "Ce": 140.12, "Nd": 144.24, "Ho": 164.93, "Hg": 200.59,
    "Pb": 207.2, "Bi": 208.98, "U": 238.03,
}  # fmt: skip
USUAL_CHARGE = {
    "H": 1, "Li": 1, "Na": 1, "K": 1, "Ag": 1, "NH4": 1, "Mg": 2, "Ca": 2, "Sr": 2, "Ba": 2, "Mn": 2, "Co": 2,
    "Ni": 2, "Cu": 2, "Zn": 2, "Cd": 2, "Hg": 2, "Pb": 2, "Cr": 3, "Al": 3, "Ho": 3, "Nd": 3,
    "F": -1, "Cl": -1, "Br": -1, "I": -1, "OH": -1, "NO3": -1, "NO2": -1, "HCO3": -1, "ClO4": -1, "MnO4": -1,
    "SO4": -2, "CO3": -2, "CrO4": -2, "SO3": -2, "HPO4": -2, "Cr2O7": -2, "PO4": -3,
}  # fmt: skip
"""The charge an ion usually has in water. Fe is left out: 2+ and 3+ are both common."""
WORDS = {
    "nitrate": "NO3", "nitrite": "NO2", "sulfate": "SO4", "sulphate": "SO4", "carbonate": "CO3", "chloride": "Cl",
    "bromide": "Br", "phosphate": "PO4", "ammonium": "NH4", "copper": "Cu", "nickel": "Ni", "cobalt": "Co",
    "chromium": "Cr", "zinc": "Zn", "sodium": "Na", "potassium": "K", "calcium": "Ca", "magnesium": "Mg",
    "glucose": "C6H12O6", "ethanol": "C2H6O", "methanol": "CH4O", "acetone": "C3H6O",
}  # fmt: skip
AMOUNT_UNITS = {"mol/L": 1.0, "mmol/L": 1e-3, "µmol/L": 1e-6, "nmol/L": 1e-9}
"""Units of amount concentration in mol/L."""
MASS_UNITS = {"g/L": 1.0, "mg/L": 1e-3, "µg/L": 1e-6, "g/dL": 10.0, "mg/dL": 1e-2}
"""Units of mass concentration in g/L."""
_UNIT_SPELLINGS = {
    "m": "mol/L", "mol/l": "mol/L", "mol/dm3": "mol/L", "moll-1": "mol/L", "moldm-3": "mol/L",
    "mm": "mmol/L", "mmol/l": "mmol/L", "mmoll-1": "mmol/L", "mmol/dm3": "mmol/L",
    "um": "µmol/L", "umol/l": "µmol/L", "umoll-1": "µmol/L", "nm": "nmol/L", "nmol/l": "nmol/L",
    "g/l": "g/L", "gl-1": "g/L", "mg/ml": "g/L", "mg/l": "mg/L", "mgl-1": "mg/L",
    "ug/ml": "mg/L", "ug/l": "µg/L", "ugl-1": "µg/L", "ng/ml": "µg/L", "kg/m3": "g/L", "g/dm3": "g/L", "mg/dm3": "mg/L",
    "mmoldm-3": "mmol/L", "mol/m3": "mmol/L", "g/dl": "g/dL", "gdl-1": "g/dL", "g/100ml": "g/dL", "mg/dl": "mg/dL",
    "mg/100ml": "mg/dL", "mgdl-1": "mg/dL", "mgml-1": "g/L", "ugml-1": "mg/L",
    "mol/kg": "mol/kg", "molal": "mol/kg", "mmol/kg": "mmol/kg", "g/kg": "g/kg", "gkg-1": "g/kg", "mg/kg": "mg/kg",
    "mgkg-1": "mg/kg", "%": "%", "wt%": "%", "g/100g": "g/100 g", "%w/w": "% (w/w)", "%(w/w)": "% (w/w)",
    "%w/v": "% (w/v)", "%(w/v)": "% (w/v)", "%v/v": "% (v/v)", "%(v/v)": "% (v/v)", "vol%": "% (v/v)",
    "ppm": "ppm", "ppb": "ppb",
}  # fmt: skip
_CHARGE = re.compile(r"\^?\s*(?P<number>\d)(?P<sign>[+\-\u2212])\Z")
_REPEATED = re.compile(r"\s*(?P<repeat>\+{1,4}|-{1,4}|\u2212{1,4})\Z")
_REVERSED = re.compile(r"(?P<sign>[+\-\u2212])(?P<number>\d)\Z")
_ROMAN = re.compile(r"\((?P<roman>IV|V?I{1,3}|VI|V)\)\Z")
_PARTS = re.compile(r"([A-Z][a-z]?)(\d*)")
_CONC = re.compile(r"^(?:[CcKk]on[cz](?:entration)?[\s_.:\[(]*(?:of\s+)?|[Cc](?:[\s_.:]+|[\s_.:]*[\[(]))(?=[A-Za-z])")
_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻₀₁₂₃₄₅₆₇₈₉", "0123456789+-0123456789")
_ROMAN_VALUE = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "VI": 6, "VII": 7, "VIII": 8}


@dataclass(frozen=True)
class NamedTarget:
    """What a column name says of a target.

    Parameters
    ----------
    name
        The name without its unit.
    unit
        In this program's spelling; empty where the name gives none.
    formula
        Chemical formula without charge; empty where none is recognised.
    charge
        Charge number; None where it is not known.
    molar_mass
        In g/mol; None where it is not known.
    reason
        Where the charge comes from, and whether it is stated or only usual.
    """

    name: str
    unit: str
    formula: str
    charge: int | None
    molar_mass: float | None
    reason: str
    stated: bool


def concentration_unit(text: str) -> str | None:
    """Return a unit of concentration in this program's spelling, or None.

    >>> [concentration_unit(text) for text in ("mM", "µmol·L-1", "mg L-1", "nm")]
    ['mmol/L', 'µmol/L', 'mg/L', None]
    """
    plain = text.strip().translate(_SUPERSCRIPT).replace("\u2212", "-").replace("μ", "u").replace("µ", "u")
    plain = re.sub(r"[\s·.*^]", "", plain).replace("_", "/")
    if plain in {"nm", "um", "mm", "m"}:  # lengths; concentrations are written nM, uM, mM, M
        return None
    return _UNIT_SPELLINGS.get(plain.lower())


def named_target(column: str) -> NamedTarget:
    """Read name, unit, formula, charge and molar mass from a column name.

    >>> found = named_target("SO4 2- (mM)")
    >>> found.name, found.unit, found.charge, round(found.molar_mass, 2)
    ('SO4 2-', 'mmol/L', -2, 96.06)
    >>> named_target("concCu").charge, named_target("concCu").reason
    (2, 'usual charge of Cu in water')
    """
    name, unit = _split_unit(column)
    core = _CONC.sub("", name.translate(_SUPERSCRIPT)).strip(" _[]")
    core = core[:-1] if core.endswith(")") and core.count(")") > core.count("(") else core
    formula, charge, stated = _formula_and_charge(core)
    if not formula:
        return NamedTarget(name, unit, "", charge, None, "no ion recognised in the name", stated)
    if charge is None and formula in USUAL_CHARGE:
        charge, reason = USUAL_CHARGE[formula], f"usual charge of {formula} in water"
    else:
        reason = "written in the name" if stated else "no charge known"
    return NamedTarget(name, unit, formula, charge, molar_mass(formula), reason, stated)


def molar_mass(formula: str) -> float | None:
    """Return the molar mass of a plain formula in g/mol, or None where it is none.

    >>> round(molar_mass("NO3"), 3)
    62.004
    """
    parts = _PARTS.findall(formula)
    if not parts or "".join(symbol + count for symbol, count in parts) != formula:
        return None
    if any(symbol not in ATOMIC_MASS for symbol, _ in parts):
        return None
    return round(sum(ATOMIC_MASS[symbol] * int(count or 1) for symbol, count in parts), 4)


def _split_unit(column: str) -> tuple[str, str]:
    """Take a unit off the end of a name: in brackets, or after a slash, comma, colon, underscore or blank."""
    column = column.strip()
    bracketed = re.match(r"(.+?)\s*[(\[]([^()\[\]]+)[)\]]\Z", column)
    splits = [bracketed.groups()] if bracketed else []
    splits += [(column[: one.start()], column[one.end() :]) for one in re.finditer(r"[\s_/,:]+", column)]
    for name, text in splits:
        unit = concentration_unit(text.strip("()[]") if text[:1] in {"(", "["} else text)
        plain = re.sub(r"[\s/,:_]+\Z|\s+in\s*\Z", "", name)
        if unit is not None and plain:
            return plain, unit
    return column, ""


def _formula_and_charge(core: str) -> tuple[str, int | None, bool]:
    word = WORDS.get(core.lower())
    if word:
        return word, None, False
    if molar_mass(core) is not None and not _looks_like_word(core):
        return core, None, False
    readings: list[tuple[str, int]] = []
    for pattern in (_ROMAN, _REVERSED, _CHARGE, _REPEATED):
        match = pattern.search(core)
        stem = core[: match.start()].strip(" ^_{}") if match else ""
        if match and molar_mass(stem) is not None:
            readings.append((stem, _charge_of(match)))
    # "NO3-" reads as NO with 3- or as NO3 with 1-: the ion that exists wins.
    for stem, charge in readings:
        if USUAL_CHARGE.get(stem) == charge:
            return stem, charge, True
    return (*readings[0], True) if readings else ("", None, False)


def _looks_like_word(core: str) -> bool:
    """Whether a formula of several letters is more likely a word: "Co" is cobalt, "CO" or "PH" are not ions."""
    return (
        core not in USUAL_CHARGE
        and core not in WORDS.values()
        and not any(letter.isdigit() for letter in core)
        and len(core) > 2
    )


def _charge_of(match: re.Match[str]) -> int:
    groups = match.groupdict()
    if groups.get("roman"):
        return _ROMAN_VALUE[groups["roman"]]
    if groups.get("number"):
        return int(groups["number"]) * (1 if groups["sign"] == "+" else -1)
    signs = groups["repeat"]
    return len(signs) * (1 if signs[0] == "+" else -1)
