"""JCAMP-DX: blocks of labelled records; axis from the first and last position and the number of points."""

import json
import re
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from spectra_core.datasets.document import Document
from spectra_core.datasets.limits import require_cells
from spectra_core.datasets.own import own_grid
from spectra_core.datasets.parts import Curve, Grid, Part
from spectra_core.datasets.readers.axis_units import axis_unit_written
from spectra_core.datasets.readers.base import Dialect
from spectra_core.datasets.readers.decoding import decoded, lines_of
from spectra_core.datasets.readers.jcamp_checks import Scale, doubts, require_line_starts, scale_of, written
from spectra_core.datasets.readers.jcamp_values import ordinates, pairs
from spectra_core.errors import ReadError

_ALWAYS = re.compile(rb"##\s*(?:TITLE|JCAMP|XYDATA|XYPOINTS|NPOINTS|END)", re.IGNORECASE)
_LABEL = re.compile(r"\s*##\s*([^=]*?)\s*=(.*)", re.DOTALL)
_SECONDARY = ("VARIANCE", "STANDARD DEVIATION", "STDDEV", "NOISE")
_DOCUMENT, _ROW = "$LATENTSPECTRA", "$LATENTSPECTRAROW"
_DATA = ("XYDATA", "XYPOINTS")
_TOLD_ONCE = frozenset({"XUNITS", "YUNITS", "FIRSTX", "LASTX", "NPOINTS", "DELTAX", "XFACTOR", "YFACTOR"})
_COMMA = re.compile(r"(?<=\d),(?=\d)|(?<![\d.]),(?=\d)")
_Data = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass
class _Block:
    """Records of one block; data lines apart, since they are long."""

    records: dict[str, str] = field(default_factory=dict)
    form: str = ""
    lines: list[str] = field(default_factory=list)
    ended: bool = False
    twice: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Jcamp:
    """The exchange format of IUPAC."""

    title: ClassVar[str] = "JCAMP-DX"
    explanation: ClassVar[str] = "Text files .jdx and .dx, packed or not, with one or several linked spectra."

    def recognises(self, head: bytes, name: str) -> bool:
        """A labelled record at the start, and one that every such file has; comments of tables begin with ##, too."""
        plain = head.removeprefix(b"\xef\xbb\xbf")
        labelled = re.match(rb"\s*(?:\$\$[^\n]*\s+)*##\s*[A-Za-z$]", plain) is not None
        return labelled and _ALWAYS.search(plain) is not None

    def read(self, data: bytes, name: str, dialect: Dialect) -> list[Part]:
        """Return one curve per block that holds a spectrum."""
        text, _, _ = decoded(data, dialect.encoding)
        blocks = _blocks(lines_of(text))
        if any("NTUPLES" in block.records for block in blocks):
            raise ReadError(f"{name} holds NTUPLES data, as of NMR or mass spectra; only single spectra are read.")
        spectra = [block for block in blocks if block.form]
        if not spectra:
            raise ReadError(f"{name} holds no XYDATA and no XYPOINTS, so it has no spectrum.")
        declared = next((block.records["BLOCKS"] for block in blocks if "BLOCKS" in block.records), "")
        if declared.isdigit() and int(declared) > sum(bool(block.records) for block in blocks):
            raise ReadError(f"{name} is cut off: it declares {declared} blocks and has {len(blocks) - 1}.")
        document = next((block.records[_DOCUMENT] for block in blocks if _DOCUMENT in block.records), None)
        if document is not None:
            return [_own_table(document, spectra, name)]
        kept = [block for block in spectra if not _secondary(block)]
        aside = [block.records.get("YUNITS", "") for block in spectra if _secondary(block)]
        notes = (f"{len(aside)} blocks are no spectra and stand aside: {', '.join(aside)}.",) if aside else ()
        return [_curve(block, name, notes, len(kept)) for block in (kept or spectra)]


def _secondary(block: _Block) -> bool:
    return block.records.get("YUNITS", "").upper().strip() in _SECONDARY


def _blocks(lines: list[str]) -> list[_Block]:
    """Split the records into blocks: each begins with a title and ends with an end."""
    open_blocks: list[_Block] = []
    blocks: list[_Block] = []
    last: str | None = None
    for raw in lines:
        line = raw.split("$$", 1)[0].rstrip()
        match = _LABEL.match(line) if "##" in line else None
        if match is None:
            block = open_blocks[-1] if open_blocks else None
            if block is not None and last in _DATA:
                if line.strip():
                    block.lines.append(line)
            elif block is not None and last is not None and len(block.records[last]) < 1_000_000:
                block.records[last] += "\n" + line
            continue
        label, value = _plain_label(match[1]), match[2].strip()
        if label == "TITLE" or not open_blocks:
            block = _Block()
            open_blocks.append(block)
            blocks.append(block)
        if label == "END":
            open_blocks.pop().ended = True
            last = None
            continue
        block = open_blocks[-1]
        if label in _DATA:
            block.form = value
            last = label
            continue
        if block.records.setdefault(label, value).strip().upper() != value.upper() and label in _TOLD_ONCE:
            block.twice[label] = value
        last = label
    return blocks


def _plain_label(label: str) -> str:
    """Labels are compared without case, blanks, dashes, slashes and underlines."""
    return re.sub(r"[\s\-/_]", "", label).upper()


def _curve(block: _Block, name: str, notes: tuple[str, ...], n_blocks: int) -> Curve:
    records = block.records
    title = records.get("TITLE", "").strip() if n_blocks > 1 else ""
    n_points = _whole(records, "NPOINTS", name)
    if n_points is not None:
        if n_points < 1 or n_points > 40 * sum(map(len, block.lines)) + 1:
            raise ReadError(
                f"{name} declares {n_points:,} points, which its data cannot hold: it is cut off or damaged."
            )
        require_cells(1, n_points, name)
    scale = scale_of(records, name)
    x, y = _data(block, scale, n_points, name)
    x_quantity, x_unit = axis_unit_written(records.get("XUNITS", ""))
    if "RAMAN" in records.get("DATATYPE", "").upper() and x_unit == "cm-1":
        x_quantity = "Raman shift"
    facts = {"format": "JCAMP-DX (labelled records)"}
    doubt = doubts(records, scale, x, y, even="++" in block.form, twice=block.twice, name=name)
    return Curve(
        title or name,
        "jcamp",
        x,
        y,
        x_quantity,
        x_unit,
        *_signal(records, y),
        notes,
        facts | ({"doubt": doubt} if doubt else {}),
    )


def _data(block: _Block, scale: Scale, n_points: int | None, name: str) -> _Data:
    """Return positions and values; where commas stand between digits, the reading that the header confirms.

    Raises
    ------
    ReadError
        When no reading fits the header, or two do.
    """
    form = re.sub(r"\s", "", block.form).upper()
    if form.startswith("(X++("):
        read = _evenly_spaced
    elif form in {"(XY..XY)", "(XY)", "(X,Y)"}:
        read = _pairs
    else:
        raise ReadError(f"The data of {name} have the form {block.form[:40]!r}; (X++(Y..Y)) and (XY..XY) are read.")
    if not any(_COMMA.search(line) for line in block.lines):
        return read(block.lines, scale, n_points, name)
    decimal = [_COMMA.sub(".", line) for line in block.lines]
    found: list[_Data] = []
    refused: list[ReadError] = []
    for lines in (decimal, block.lines):
        try:
            found.append(read(lines, scale, n_points, name))
        except ReadError as error:
            refused.append(error)
    if len(found) == 2:
        fitting = [one for one in found if n_points is not None and not scale.contradicted_ends(one[0])]
        found = fitting or found
    if not found:
        raise refused[0 if scale.comma else -1]
    if len(found) > 1:
        raise ReadError(
            f"The commas in the data of {name} may be decimal marks or stand between numbers, and its header does not "
            "tell which. Export it again with decimal points."
        )
    return found[0]


def _own_table(document: str, blocks: list[_Block], name: str) -> Grid:
    """Return a set that this program wrote: texts and targets stand in a record of each block."""
    about = Document.from_json(document.replace("\n", ""))
    curves = [_curve(block, name, (), 1) for block in blocks]
    try:
        rows = [json.loads(block.records[_ROW].replace("\n", "")) for block in blocks]
        texts = [[str(row["samples"][at]) for row in rows] for at in range(len(about.samples))]
        targets = np.array([[float(value) for value in row["targets"]] for row in rows]).reshape(len(rows), -1)
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise ReadError(f"What this program wrote beside the spectra in {name} is damaged.") from error
    if any(not np.array_equal(curve.x, curves[0].x) for curve in curves):
        raise ReadError(f"The spectra in {name} lie on different axes: the file was changed.")
    signal = np.stack([curve.y for curve in curves])
    return own_grid(about, texts, targets, curves[0].x, signal, name=name, form="jcamp")


def _evenly_spaced(lines: list[str], scale: Scale, n_points: int | None, name: str) -> _Data:
    if n_points is None:
        raise ReadError(
            f"{name} does not say how many points it has (NPOINTS), so it cannot be checked. Export it again."
        )
    values, starts = ordinates(lines, n_points, name)
    _require_points(len(values), n_points, name)
    if scale.first is None or scale.last is None:
        raise ReadError(f"{name} does not say where its axis starts and ends (FIRSTX, LASTX). Export it again.")
    require_line_starts(starts, scale, n_points, name)
    # Adding up DELTAX would drift, since it is rounded; the ends and the number of points are exact.
    return np.linspace(scale.first[0], scale.last[0], n_points), values * scale.y_factor


def _pairs(lines: list[str], scale: Scale, n_points: int | None, name: str) -> _Data:
    values = pairs(lines, name)
    if n_points is not None:
        _require_points(len(values), n_points, name)
    return values[:, 0] * scale.x_factor, values[:, 1] * scale.y_factor


def _require_points(found: int, n_points: int, name: str) -> None:
    if found != n_points:
        raise ReadError(f"{name} declares {n_points:,} points but holds {found:,}: it is cut off or damaged.")


def _signal(records: dict[str, str], y: NDArray[np.float64]) -> tuple[str, str]:
    words = records.get("YUNITS", "").upper().strip()
    largest = float(np.nanmax(np.abs(y))) if y.size and np.isfinite(y).any() else 0.0
    if "TRANSMI" in words or words == "%T":
        return "Transmittance", "%" if largest > 2 else ""
    if "REFLECT" in words:
        return "Reflectance", "%" if largest > 2 else ""
    if "ABSORB" in words:
        return "Absorbance", ""
    if "KUBELKA" in words:
        return "Kubelka-Munk", ""
    if any(word in words for word in ("INTENS", "COUNT", "ARBITRARY", "ABUNDANCE", "EMISSION")):
        return "Intensity", "counts" if "COUNT" in words else ""
    return words.capitalize(), ""


def _whole(records: dict[str, str], label: str, name: str) -> int | None:
    if label not in records:
        return None
    value = written(records, label, name)
    if value is None or not value[0].is_integer() or abs(value[0]) > 1e18:
        raise ReadError(f"{label} of {name} is {records[label][:30]!r}, which is no whole number.")
    return int(value[0])
