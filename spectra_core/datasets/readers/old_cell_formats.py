"""What a workbook of Excel 97 to 2003 (.xls) says of its cells besides their values: shown as percent, hidden.

After "[MS-XLS]: Excel Binary File Format": records BoundSheet8, Format, XF, Row, ColInfo, Number, RK, MulRk, Formula.
"""

import io
import struct
from collections.abc import Iterator

from spectra_core.datasets.readers.cell_formats import PERCENTS, Marks, Shown, shown_as

_BOF, _EOF, _SHEET, _FORMAT, _XF, _ROW, _COLUMNS = 0x0809, 0x0A, 0x85, 0x041E, 0xE0, 0x0208, 0x7D
_CELLS, _MANY = (0x0203, 0x027E, 0x0006), 0xBD
_BIFF8 = 0x0600
_HIDDEN_ROW, _HIDDEN_COLUMN = 0x20, 0x01
_Record = tuple[int, bytes]


def marks_of_xls(data: bytes, n_sheets: int) -> list[Marks]:
    """Return the marks of every sheet in their order; nothing where the file is older or not as the format says."""
    import olefile

    try:
        with olefile.OleFileIO(io.BytesIO(data)) as container:
            stream = container.openstream("Workbook").read() if container.exists("Workbook") else b""
        if len(stream) < 8 or struct.unpack_from("<HHH", stream)[::2] != (_BOF, _BIFF8):
            return []
        starts, codes, styles = _globals(stream)
        ways: dict[Shown, int] = {}
        numbers: dict[int, int] = {}
        for at, code in enumerate(styles):
            shown = shown_as(codes.get(code, PERCENTS.get(code, "")))
            if shown is not None:
                numbers[at] = ways.setdefault(shown, len(ways) + 1)
        found = [_marks(stream, start, numbers, tuple(ways)) for start in starts]
    except (struct.error, OSError, IndexError, UnicodeDecodeError, ValueError):
        return []  # what is damaged is refused by the reader of the cells
    return found if len(found) == n_sheets else []


def _globals(stream: bytes) -> tuple[list[int], dict[int, str], list[int]]:
    """Return where the sheets begin, the codes of own number formats, and the format of every style."""
    starts: list[int] = []
    codes: dict[int, str] = {}
    styles: list[int] = []
    for kind, body in _records(stream, 0):
        if kind == _SHEET:
            starts.append(struct.unpack_from("<I", body)[0])
        elif kind == _FORMAT:
            number, length, wide = struct.unpack_from("<HHB", body)
            codes[number] = body[5 : 5 + length * (1 + (wide & 1))].decode("utf-16-le" if wide & 1 else "latin-1")
        elif kind == _XF:
            styles.append(struct.unpack_from("<H", body, 2)[0])
    return starts, codes, styles


def _marks(stream: bytes, start: int, numbers: dict[int, int], ways: tuple[Shown, ...]) -> Marks:
    marks = Marks(ways)
    for kind, body in _records(stream, start):
        if kind in _CELLS:
            row, column, style = struct.unpack_from("<HHH", body)
            if style in numbers:
                marks.add(row, column, numbers[style])
        elif kind == _MANY:
            row, first = struct.unpack_from("<HH", body)
            for at in range((len(body) - 6) // 6):
                style = struct.unpack_from("<H", body, 4 + 6 * at)[0]
                if style in numbers:
                    marks.add(row, first + at, numbers[style])
        elif kind == _ROW and struct.unpack_from("<H", body, 12)[0] & _HIDDEN_ROW:
            marks.hidden.append(struct.unpack_from("<H", body)[0])
        elif kind == _COLUMNS and struct.unpack_from("<H", body, 8)[0] & _HIDDEN_COLUMN:
            first, last = struct.unpack_from("<HH", body)
            marks.hidden_columns.extend(range(first, min(last, 0xFF) + 1))
    return marks


def _records(stream: bytes, at: int) -> Iterator[_Record]:
    """Give the records of one part of the stream, up to its end; those of charts inside it are passed over."""
    depth = 0
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        depth += (kind == _BOF) - (kind == _EOF)
        if depth <= 0:
            return
        if depth == 1:
            yield kind, stream[at + 4 : at + 4 + length]
        at += 4 + length
