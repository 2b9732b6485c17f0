"""The contract of a reader: bytes in, parts out, or one sentence why not."""

from typing import ClassVar, Protocol

from spectra_core.datasets.dialect import Dialect
from spectra_core.datasets.parts import Part

__all__ = ["HEAD_BYTES", "Dialect", "Reader"]

HEAD_BYTES = 65_536


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
