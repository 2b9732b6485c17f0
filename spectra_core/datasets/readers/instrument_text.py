"""What the text exports of instruments share: a head of remarks, then lines of numbers."""

import numpy as np
from numpy.typing import NDArray

from spectra_core.datasets.numbers import parse_number
from spectra_core.errors import ReadError


def head_text(head: bytes) -> str:
    """Return the first bytes as text, for recognition only."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head[: len(head) // 2 * 2].decode("utf-16", errors="replace")
    return head.decode("latin-1")


def decimal_of(lines: list[str]) -> str:
    """Return the decimal mark of lines whose cells are not separated by commas."""
    text = "".join(lines[:50])
    return "," if "," in text and "." not in text else "."


def number_rows(lines: list[str], separator: str | None, n_columns: int, name: str, first: int) -> NDArray[np.float64]:
    """Return lines of exactly `n_columns` numbers; None as separator means blanks or tabs.

    Raises
    ------
    ReadError
        Naming the line that is no row of numbers.
    """
    decimal = decimal_of(lines)
    rows = np.empty((len(lines), n_columns))
    for number, line in enumerate(lines):
        cells = line.split(separator)
        values = [parse_number(cell, decimal) for cell in cells]
        if len(values) != n_columns or any(value is None for value in values):
            raise ReadError(
                f"Line {first + number} of {name} should hold {n_columns} numbers, got {line.strip()[:40]!r}. "
                "The file is cut off or damaged: export it again."
            )
        rows[number] = [value for value in values if value is not None]
    return rows


def require_count(declared: str | None, found: int, name: str) -> None:
    """Refuse a file that holds another number of points than it declares.

    Raises
    ------
    ReadError
        With both numbers.
    """
    if declared is not None and declared.strip().isdigit() and int(declared) != found:
        raise ReadError(f"{name} declares {int(declared)} points but holds {found}: it is cut off or damaged.")
