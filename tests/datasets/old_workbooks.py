"""Workbooks of 1997 (.xls) as bytes: records of BIFF8 in an OLE2 container, enough to be read."""

import struct
from collections.abc import Sequence


def record(kind: int, body: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def container(stream: bytes) -> bytes:
    """Put one stream called Workbook into an OLE2 container: header, FAT, directory, then its sectors."""
    n_sectors = max(8, -(-len(stream) // 512))
    fat = [0xFFFFFFFD, 0xFFFFFFFE, *range(3, 2 + n_sectors), 0xFFFFFFFE]
    fat += [0xFFFFFFFF] * (128 - len(fat))
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    head += struct.pack("<HHHHH6xIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096)
    head += struct.pack("<IIII", 0xFFFFFFFE, 0, 0xFFFFFFFE, 0) + struct.pack("<109I", 0, *[0xFFFFFFFF] * 108)

    def entry(name: str, kind: int, start: int, size: int, child: int) -> bytes:
        raw = name.encode("utf-16-le")
        return raw.ljust(64, b"\0") + struct.pack(
            "<HBBIII36xIQ", len(raw) + 2 if name else 0, kind, 1, 0xFFFFFFFF, 0xFFFFFFFF, child, start, size
        )

    folder = entry("Root Entry", 5, 0xFFFFFFFE, 0, 1) + entry("Workbook", 2, 2, 512 * n_sectors, 0xFFFFFFFF)
    folder += entry("", 0, 0, 0, 0xFFFFFFFF) * 2
    return head + struct.pack("<128I", *fat) + folder + stream.ljust(512 * n_sectors, b"\0")


def xls(
    rows: Sequence[Sequence[object]],
    *,
    code: str = "",
    shown: Sequence[tuple[int, int]] = (),
    hidden_rows: Sequence[int] = (),
    hidden_columns: Sequence[int] = (),
) -> bytes:
    """One sheet of text and numbers.

    Parameters
    ----------
    code, shown
        A number format, "0%" being the ninth of those that every workbook has, and the cells that have it.
    """

    def begin(kind: int) -> bytes:
        return record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0, 0, 0, 0))

    cells = b""
    for column in hidden_columns:
        cells += record(0x7D, struct.pack("<HHHHHH", column, column, 2048, 0, 1, 0))
    for row in range(len(rows)):
        cells += record(0x0208, struct.pack("<HHHHHHI", row, 0, 9, 255, 0, 0, 0x20 if row in hidden_rows else 0))
    for at, row in enumerate(rows):
        for column, cell in enumerate(row):
            place = struct.pack("<HHH", at, column, 1 if (at, column) in shown else 0)
            if isinstance(cell, str):
                cells += record(0x0204, place + struct.pack("<HB", len(cell), 0) + cell.encode("latin-1"))
            else:
                cells += record(0x0203, place + struct.pack("<d", cell))
    head = begin(5) + record(0x0042, struct.pack("<H", 1200))
    if code and code != "0%":
        head += record(0x041E, struct.pack("<HHB", 164, len(code), 0) + code.encode("latin-1"))
    for number in (0, 9 if code == "0%" else 164):
        head += record(0xE0, struct.pack("<HH", 0, number) + bytes(16))
    start = len(head) + len(record(0x0085, bytes(9))) + len(record(0x0A))
    listed = record(0x0085, struct.pack("<IBBBB", start, 0, 0, 1, 0) + b"S")
    return container(head + listed + record(0x0A) + begin(0x10) + cells + record(0x0A))
