"""The contract of a reader: bytes in, parts out, or one sentence why not."""

from dataclasses import dataclass
from typing import ClassVar, Protocol

from spectra_core.datasets.parts import Part

HEAD_BYTES = 65_536


@dataclass(frozen=True)
class Dialect:
    """How a text file is written, where a person has said so; None is guessed.

    Parameters
    ----------
    encoding
        Python's name of the encoding.
    separator
        One character, or " " for any run of blanks.
    decimal
        "." or ",".
    header_rows
        How many of the rows directly above the data hold names and units.
    """

    encoding: str | None = None
    separator: str | None = None
    decimal: str | None = None
    header_rows: int | None = None


class Reader(Protocol):
    """Reads one format; never opens a path, a link or an address of its own."""

    title: ClassVar[str]
    explanation: ClassVar[str]

    def recognises(self, head: bytes, name: str) -> bool:
        """Whether the first bytes are this format; the name (lower case) counts only where content cannot tell."""

    def read(self, data: bytes, name: str, dialect: Dialect) -> list[Part]:
        """Return everything in the file.

        Parameters
        ----------
        data
            The whole file.
        name
            What the parts are called; never a path.
        dialect
            What a person has said about a text file.

        Raises
        ------
        ReadError
            In one sentence, when the file is not exactly what its format says.
        """
