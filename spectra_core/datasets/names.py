"""What the name of a column says: a position on the axis, a unit, an ion and its charge."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from spectra_core.datasets.numbers import parse_number
from spectra_core.datasets.other_axes import SURE_AXES, other_axis

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
    "cm^\u22121": ("Wavenumber", "cm-1"),
    "1/cm": ("Wavenumber", "cm-1"),
    "/cm": ("Wavenumber", "cm-1"),
    "cm.1": ("Wavenumber", "cm-1"),  # as R writes cm-1 in a name
    "cm..1": ("Wavenumber", "cm-1"),
    "нм": ("Wavelength", "nm"),
    "мкм": ("Wavelength", "µm"),
    "см-1": ("Wavenumber", "cm-1"),
    "å": ("Wavelength", "Å"),
    "angstrom": ("Wavelength", "Å"),
    "angstroms": ("Wavelength", "Å"),
    "ångström": ("Wavelength", "Å"),
    "ghz": ("Frequency", "GHz"),
    "thz": ("Frequency", "THz"),
    "ev": ("Photon energy", "eV"),
    "m/z": ("Mass-to-charge ratio", "m/z"),
}
"""Unit as written in lower case: quantity and unit of the axis."""

_UNIT = "|".join(sorted((re.escape(unit) for unit in AXIS_UNITS), key=len, reverse=True))
_UNIT_WORD = re.compile(rf"(?<![a-zµμ])(?P<unit>{_UNIT})(?![a-z\d])", re.IGNORECASE)
_POSITION = re.compile(
    r"(?P<prefix>.{0,40}?)(?<!\d)(?P<number>\d+(?:[.,]\d+)?(?:[eE][+-]?\d{1,3})?)"
    rf"(?P<suffix>\D{{0,24}}|[\s\W_]{{0,3}}(?:{_UNIT})[\s\W_]{{0,3}}\D{{0,16}})\Z",
    re.IGNORECASE | re.DOTALL,
)
_MARKS = re.compile(r"[\s.,:;_=\-+@#/\\()\[\]{}]+")
_WAVELENGTH = (
    r"wavel|wellenl|longueur d|longitud de|lunghezza d|comprimento d|длин\w* волн|波長|波长|파장|golflengte|våglängd"
    r"|długość fali|vlnová délka|dalga boyu"
)
_WAVENUMBER = r"wave ?num|wellenzahl|nombre d.onde|n[uú]mero d.{1,2}onda|волнов\w* числ|波数|波數|파수"
_AXIS_WORD = re.compile(
    rf"{_WAVELENGTH}|{_WAVENUMBER}|\bwave\b|wellen|longueur|longitud|onda\b|lambda|λ|raman|\bshift\b.*(?:cm|1/)|^shift$"
    r"|photon.?energy|^energy$|^frequency$|\bnm\b|cm\^?[-\u2212⁻]|1/cm|\bev\b|µm|μm|\bum\b|\bwl\b|\bwn\b|\b[gt]hz\b"
    r"|\bм?к?нм\b|см-1|å\b|angstrom"
    rf"|{SURE_AXES}",
    re.IGNORECASE,
)
_RECIPROCAL = re.compile(
    r"1\s*/\s*(?:[pnuµμmk]?m|å|angstroms?)(?![a-z])|(?<![a-zµμ])(?:[pnuµμmk]?m|å)\s*\^?\s*[-\u2212⁻]\s*[1¹]",
    re.IGNORECASE,
)
"""Units of wavenumbers other than 1/cm, which are no wavelengths."""
_LESS_USUAL = re.compile(r"[\[(/,]\s*([pmk]?m|[mk]ev|[km]?hz)\s*[\])]?\s*\Z", re.IGNORECASE)
_FACTOR = re.compile(
    r"(?:[x\xd7*]\s*)?(?:10\s*(?:\^|\*\*)\s*[-+\u2212]?\d|10[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+|(?<=[x\xd7*])\s*10{1,4}\b|\b10{3}\b).*",
    re.DOTALL,
)
"""A unit that is so many of a known one, as in "10^3 cm-1": no known unit."""
_LETTER = re.compile(r"[^\W\d_]")
"""Hundreds of thousands of channels may be bare numbers, which name no axis."""
_SAMPLE_WORD = re.compile(
    r"(?:s|sa|smp|sample|samples|spectrum|spectra|spec|probe|std|standard|mix|mixture|rep|replicate|scan|run|id|no|nr|row|obs"
    r"|specimen|batch|file|vial|tube|col|column|unnamed|pc|lv|comp|component|target|conc|y)\Z",
    re.IGNORECASE,
)

_BOTH_MARKS = re.compile(r"\d{1,3}(?:,\d{3})+\.\d+|\d{1,3}(?:\.\d{3})+,\d+")  # 1,900.5 and 1.900,5
_FAR_OUT = 100.0  # as nm and cm-1 lie, and numbers of targets do not
_FEWEST, _MOST_STRAYS = 3, 5

NAMES_IDS = re.compile(
    r"^(?:#1|samples?|sample.?(?:id|name|no|number)s?|id|ids|name|names|no\.?|nr\.?|index|probe.*|code|label|spectrum|spectra"
    r"|spectrum.?(?:id|name|no|number)|file|filename|row|unnamed.*)$",
    re.IGNORECASE,
)
"""Names of columns that hold names or numbers of samples."""


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
        Text around each number without its marks, such as "A" of "A_300".
    """

    first: int
    values: NDArray[np.float64]
    quantity: str = ""
    unit: str = ""
    prefix: str = ""

    @property
    def counted(self) -> bool:
        """Whether the names only count: V1, V2, V3, ... or 0, 1, 2, ..."""
        return not self.unit and float(self.values[0]) in {0.0, 1.0} and bool((np.diff(self.values) == 1).all())

    @property
    def like_axis(self) -> bool:
        """Whether the names can hardly be anything but channels: with a unit, or steady and far from zero."""
        if self.values.size < _FEWEST:
            return False
        steps = np.diff(self.values)
        steady = bool((steps > 0).all() or (steps < 0).all())
        far = float(np.abs(self.values).min()) >= _FAR_OUT and not self.of_samples
        return bool(self.unit) or (steady and far)

    @property
    def of_samples(self) -> bool:
        """Whether the names are those of samples: S12, S15, sample 3."""
        return not self.unit and bool(_SAMPLE_WORD.match(self.prefix))


def positions_in(names: Sequence[str]) -> Positions | None:
    """Return the longest run of names that are positions, all with the same words before and after the number.

    >>> found = positions_in(["octane", "900 nm", "902 nm"])
    >>> found.first, found.values.tolist(), found.unit
    (1, [900.0, 902.0], 'nm')
    >>> [float(positions_in([name]).values[0]) for name in ("X350.5", "NIR.900.nm", "A(350)", "350,5", "350nm_abs")]
    [350.5, 900.0, 350.0, 350.5, 350.0]
    """
    runs = runs_of_positions(names)
    if len(runs) < 2:
        return runs[0] if runs else None
    longest = max(runs, key=lambda run: run.values.size)
    if longest.like_axis:
        return longest
    # Columns that are only numbered, such as T1 to T25, may outnumber the channels.
    like = [run for run in runs if run.like_axis and 2 * run.values.size >= longest.values.size]
    return max(like, key=lambda run: run.values.size, default=longest)


def runs_of_positions(names: Sequence[str]) -> tuple[Positions, ...]:
    """Return every run of names that are positions with the same words before and after the number."""
    return _runs(tuple(names)) if len(names) > 1 else _runs.__wrapped__(tuple(names))


@lru_cache(maxsize=4)
def _runs(names: tuple[str, ...]) -> tuple[Positions, ...]:
    """Do what `runs_of_positions` does, once for a row of names that is looked at from several sides."""
    parsed = [_position(name) for name in names]
    runs: list[Positions] = []
    at = 0
    while at < len(parsed):
        here = parsed[at]
        end = at + 1
        if here is not None:
            while end < len(parsed) and (there := parsed[end]) is not None and there[1:] == here[1:]:
                end += 1
            words, unit = here[1:]
            quantity, unit = AXIS_UNITS.get(unit, ("", ""))
            if quantity == "Wavenumber" and ("raman" in words or "shift" in words):
                quantity = "Raman shift"
            if not unit and words and (named := axis_named(_UNIT_WORD.sub("", words))):
                quantity, unit = named
            values = _unmangled(names[at:end], np.array([one[0] for one in parsed[at:end] if one is not None]))
            n_strays = _strays(values)
            runs.append(Positions(at + n_strays, values[n_strays:], quantity, unit, words))
        at = end
    return tuple(runs)


def _unmangled(names: Sequence[str], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return positions without the ".1" that pandas and R put behind a name that comes again: 412 and 412.1 among 2 nm.

    Where steps as small are usual, it is a decimal.
    """
    if len(values) < _FEWEST or not any("." in name for name in names):
        return values
    usual = float(np.median(np.abs(np.diff(values))))
    kept = values.copy()
    for at in (np.flatnonzero(np.abs(np.diff(values)) < usual / 4) + 1).tolist():
        stem, _, number = names[at].rpartition(".")
        if stem and number.isdigit() and names[at - 1] in {stem, f"{stem}.{int(number) - 1}"}:
            kept[at] = kept[at - 1]
    return kept


def _strays(values: NDArray[np.float64]) -> int:
    """Return how many numbers before the positions are names of something else: 1, 2 before 900, 902, 904.

    A target may be called by a number; no axis leaps from below 100 to beyond by more than it spans afterwards.
    """
    for n_strays in range(1, min(_MOST_STRAYS, len(values) - 3) + 1):
        rest = values[n_strays:]
        leap = rest[0] - values[:n_strays].max()
        if values[:n_strays].max() < _FAR_OUT <= rest.min() and leap > max(np.ptp(rest), 20 * abs(rest[1] - rest[0])):
            return n_strays
    return 0


def _position(name: str) -> tuple[float, str, str] | None:
    """Return the number in one name, the words around it, and their unit of an axis."""
    name = name.strip()
    if "," in name and "." in name:
        name = _BOTH_MARKS.sub(lambda found: re.sub(r"[.,](?=.*[.,])", "", found[0]), name)
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
    if match is None or not _words_only(match["prefix"]):
        return None
    over = _RECIPROCAL.search(name)
    if over is not None and over.start() <= match.start("number") < over.end():
        return None
    number = float(match["number"].replace(",", "."))
    # A dash before the number parts it from the word; only a bare one is a sign.
    around = f"{match['prefix']} {match['suffix']}"
    unit = _unit_in(match["suffix"]) or _unit_in(match["prefix"])
    return number, _MARKS.sub(" ", around).strip().lower(), unit


def _unit_in(text: str) -> str:
    """Return a unit of an axis as written in lower case; nM and µM are concentrations."""
    found = _UNIT_WORD.search(text)
    return (
        "" if found is None or (found["unit"].endswith("M") and found["unit"][:-1].islower()) else found["unit"].lower()
    )


def _words_only(prefix: str) -> bool:
    """Whether the text before a number may be the same for all channels: no number of its own but in a formula."""
    plain = re.sub(rf"1\s*/\s*[a-z]|{_UNIT}", "", prefix, flags=re.IGNORECASE)
    return not re.search(r"[\d<>≤≥~]", plain)


def axis_named(text: str) -> tuple[str, str] | None:
    """Return quantity and unit when a text speaks of a spectral axis; either may be empty.

    >>> axis_named("Wavelength [nm]"), axis_named("Raman shift (cm-1)"), axis_named("glucose")
    (('Wavelength', 'nm'), ('Raman shift', 'cm-1'), None)
    """
    if not _AXIS_WORD.search(re.sub(r"\b[nuµμ]M\b", "", text)):
        return None
    lower = text.lower()
    quantity, unit = "", ""
    if (inverse := _RECIPROCAL.search(text)) is not None:
        return ("Wavenumber" if re.search(_WAVENUMBER, lower) else ""), inverse[0]
    if (other := other_axis(text)) is not None and not re.search(_UNIT_WORD, text.replace("m/z", "")):
        return other
    for written, meaning in AXIS_UNITS.items():
        if re.search(rf"(?<![a-zµμ]){re.escape(written)}(?![a-z])", lower):
            quantity, unit = meaning
            break
    if unit and (many := _FACTOR.search(text)) and many[0].strip() != "1/cm":
        return quantity, many[0].strip(" )]")
    if not unit and (less := _LESS_USUAL.search(text)) is not None:
        return ("Wavelength" if re.search(_WAVELENGTH, lower) else ""), less[1]
    if "raman" in lower or "shift" in lower:
        return "Raman shift", unit or "cm-1"
    if not unit and re.search(_WAVELENGTH, lower):
        return "Wavelength", ""
    if not unit and re.search(_WAVENUMBER, lower):
        return "Wavenumber", "cm-1"
    return quantity, unit


def only_axis(text: str) -> bool:
    """Whether a name that speaks of an axis can hardly mean anything else, as "particle size (nm)" does.

    >>> [only_axis(text) for text in ("Wavelength (nm)", "x (nm)", "cm-1", "particle size (nm)", "octane")]
    [True, True, True, False, False]
    """
    if not _LETTER.search(text):
        return False
    if re.search(SURE_AXES, text, re.IGNORECASE):
        return True
    if re.search(rf"{_WAVELENGTH}|{_WAVENUMBER}|wellen|raman|lambda|λ|longueur|longitud|onda\b", text, re.IGNORECASE):
        return True
    words = _MARKS.sub(" ", re.sub(_UNIT, " ", text, flags=re.IGNORECASE)).strip().lower()
    plain = {"", "x", "axis", "position", "energy", "photon energy", "shift", "frequency", "wave", "wl", "wn"}
    return axis_named(text) is not None and words in plain


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
    if re.search("transmi|пропускан|透[过過]率", lower) or lower in {"%t", "t%", "t"} or re.search(r"%\s*t\b", lower):
        return "Transmittance", "%" if percent else ""
    if re.search("refle[ck]|отражен|反射率", lower) or lower in {"%r", "r%"}:
        return "Reflectance", "%" if percent else ""
    if re.search("absor[bpv]|assorb|extinktion|吸光|оптическая плотность|поглощени", lower) or lower in {
        "abs",
        "abs.",
        "a",
        "a.u.",
        "au",
    }:
        return "Absorbance", ""
    if any(word in lower for word in ("fluor", "intens", "counts", "emission", "raman")) or lower in {"int", "cts"}:
        return "Intensity", "counts" if "count" in lower or lower == "cts" else ""
    return None


def signal_in_channel(name: str) -> tuple[str, str] | None:
    """Return quantity and unit of the signal when the name of a channel says them beside its position.

    >>> signal_in_channel("%T 400 nm"), signal_in_channel("Abs_350"), signal_in_channel("T400")
    (('Transmittance', '%'), ('Absorbance', ''), None)
    """
    match = _POSITION.match(name.strip())
    words = "" if match is None else _MARKS.sub(" ", _UNIT_WORD.sub("", f"{match['prefix']} {match['suffix']}")).strip()
    return signal_named(words) if len(words) > 1 else None
