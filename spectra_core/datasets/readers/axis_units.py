"""Units of an axis as instruments write them in a record of their own, such as JCAMP-DX's XUNITS."""

import re

UNSAID = "?"
"""Unit of an axis whose file should say it and does not: asked, never guessed."""

_QUANTITIES = {
    "Raman shift": r"raman ?shifts?|raman|shifts?|stokes",
    "Wavenumber": r"wavenumbers?|wave numbers?|wellenzahl|nombre d'?onde|numero de onda|numero d'?onda",
    "Wavelength": r"wavelengths?|wave lengths?|wellenl(?:ä|ae)nge|longueur d'?onde|longitud de onda|lunghezza d'?onda"
    r"|lambda|λ",
    "Photon energy": r"(?:photon ?)?energy|(?:photonen)?energie",
    "Frequency": r"frequency|frequenz",
    "Time": r"(?:retention )?time|zeit",
}
_METRE = r"met(?:er|re)s?"
_CENTIMETRE = rf"(?:cm-1|1/cm|/cm|percm|(?:reciprocal|inverse)(?:cm|centi{_METRE})|kaysers?)"
_UNITS = (
    (_CENTIMETRE, "Wavenumber", "cm-1"), (rf"(?:rel(?:ative)?|delta|Δ|δ){_CENTIMETRE}", "Raman shift", "cm-1"),
    (rf"nms?|nano{_METRE}|millimicrons?", "Wavelength", "nm"),
    (rf"ums?|micro{_METRE}|microns?", "Wavelength", "µm"),
    (r"å|[aå]ngstr[oö]e?ms?|ang", "Wavelength", "Å"),
    (r"hz|hertz", "Frequency", "Hz"), (r"khz|kilohertz", "Frequency", "kHz"), (r"mhz|megahertz", "Frequency", "MHz"),
    (r"ghz|gigahertz", "Frequency", "GHz"), (r"thz|terahertz", "Frequency", "THz"),
    (r"ev|electron-?volts?", "Photon energy", "eV"), (r"kev|kiloelectron-?volts?", "Photon energy", "keV"),
    (r"s|secs?|seconds?", "Time", "s"), (r"ms|msecs?|milliseconds?", "Time", "ms"), (r"mins?|minutes?", "Time", "min"),
    (r"m/?z|amu|da", "Mass-to-charge ratio", "m/z"), (r"ppm", "Chemical shift", "ppm"),
)  # fmt: skip
KNOWN_UNITS = frozenset(unit for _, _, unit in _UNITS)


def axis_unit_written(text: str) -> tuple[str, str]:
    """Return quantity and unit of an axis; a text that says no known unit comes back as the unit, to be asked about.

    >>> axis_unit_written("Wavenumbers (cm-1)"), axis_unit_written("NANOMETERS"), axis_unit_written("furlongs")
    (('Wavenumber', 'cm-1'), ('Wavelength', 'nm'), ('', 'furlongs'))
    """
    shown = " ".join(text.split())
    plain = shown.lower().replace("µ", "u").replace("μ", "u").replace("⁻¹", "-1").replace("\u2212", "-")
    plain = re.sub(r"[\s_.()\[\]{}^*,:;|\"]+", " ", plain)
    said = ""
    for quantity, words in _QUANTITIES.items():
        plain, found = re.subn(rf"(?<![a-zäå])(?:{words})(?![a-zäå])", " ", plain)
        said = said or (quantity if found else "")
    rest = re.sub(r"\b(?:in|units?|of)\b|\s", "", plain)
    rest = re.sub(r"\A[/-](?!cm\Z)", "", rest)
    if not rest and said in {"Wavenumber", "Raman shift"}:
        return said, "cm-1"
    quantity, unit = next(((one, unit) for words, one, unit in _UNITS if re.fullmatch(words, rest)), ("", ""))
    if unit == "cm-1" and said in {"Raman shift", "Frequency", "Photon energy", "Wavenumber"}:
        return ("Raman shift" if "Raman shift" in {said, quantity} else quantity), unit
    return (quantity, unit) if unit and said in {"", quantity} else ("", shown or UNSAID)
