"""How a text file is written, where a person has said so."""

from dataclasses import dataclass


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
