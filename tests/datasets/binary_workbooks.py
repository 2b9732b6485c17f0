"""Binary workbooks (.xlsb) byte by byte, after [MS-XLSB]: records of a type, a size and a body."""

import io
import struct
import zipfile
from collections.abc import Sequence

_TYPES = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">{}</Types>'
_LINKS = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def record(kind: int, body: bytes = b"") -> bytes:
    """Return one record; numbers of seven bits a byte, as [MS-XLSB] 2.1.4 has them."""

    def varying(number: int) -> bytes:
        low, rest = number & 0x7F, number >> 7
        return bytes([low | 0x80]) + varying(rest) if rest else bytes([low])

    return varying(kind) + varying(len(body)) + body


def wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def cell(column: int, value: object) -> bytes:
    """BrtCellSt (6) for text, BrtCellBool (4), BrtCellError (3), BrtCellRk (2) for whole numbers, BrtCellReal (5)."""
    head = struct.pack("<II", column, 0)
    if isinstance(value, bool):
        return record(4, head + bytes([value]))
    if isinstance(value, str):
        return record(3, head + b"\x2a") if value == "#N/A" else record(6, head + wide(value))
    if isinstance(value, int):
        return record(2, head + struct.pack("<i", value << 2 | 2))
    return record(5, head + struct.pack("<d", value))


def sheet_of(rows: Sequence[Sequence[object]]) -> bytes:
    body = record(129) + record(148, struct.pack("<IIII", 0, len(rows) - 1, 0, max(map(len, rows)) - 1)) + record(145)
    for number, row in enumerate(rows):
        body += record(0, struct.pack("<IIHBBBI", number, 0, 300, 0, 0, 0, 0))
        body += b"".join(cell(at, value) for at, value in enumerate(row) if value is not None and value != "")
    return body + record(146) + record(130)


def xlsb_of(sheets: dict[str, Sequence[Sequence[object]]]) -> bytes:
    names = list(sheets)
    bundle = b"".join(
        record(156, struct.pack("<II", 0, number) + wide(f"rId{number}") + wide(name))
        for number, name in enumerate(names, 1)
    )
    links = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{number}.bin"/>'
        for number in range(1, len(names) + 1)
    )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("[Content_Types].xml", _TYPES.format('<Default Extension="bin" ContentType="a/b"/>'))
        link = f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.bin"/>'
        archive.writestr("_rels/.rels", _LINKS.format(link))
        archive.writestr("xl/workbook.bin", record(131) + record(143) + bundle + record(144) + record(132))
        archive.writestr("xl/_rels/workbook.bin.rels", _LINKS.format(links))
        for number, name in enumerate(names, 1):
            archive.writestr(f"xl/worksheets/sheet{number}.bin", sheet_of(sheets[name]))
    return stream.getvalue()
