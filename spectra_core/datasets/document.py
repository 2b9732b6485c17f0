"""What this program writes beside a table, so that its own files read back equal."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from spectra_core.datasets.formulas import FULL_WIDTH_MARKS
from spectra_core.errors import ReadError
from spectra_core.spectra import SetMeta, SpectraSet, Target

VERSION = 1
OWN_MARK = "# latent-spectra "
_DAMAGED = "What this program wrote beside the table is damaged. Delete that part and load the table."
FORMULA_MARKS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "'", " ", "#", *FULL_WIDTH_MARKS)
"""A text cell that begins with one of these could run as a formula in a spreadsheet."""


@dataclass(frozen=True)
class Document:
    """Everything about a set but its numbers and texts.

    Parameters
    ----------
    axis, signal
        Quantity and unit of each.
    targets
        Name, unit, charge and molar mass per target.
    samples
        Names of the columns of text.
    name, origin, provenance
        As in `SetMeta`.
    dtype
        "float64" or "float32" of the signal.
    """

    axis: tuple[str, str]
    signal: tuple[str, str]
    targets: tuple[Mapping[str, Any], ...] = ()
    samples: tuple[str, ...] = ("id",)
    name: str = "Unnamed set"
    origin: str = "measured"
    provenance: Mapping[str, Any] = field(default_factory=dict)
    dtype: str = "float64"

    def to_json(self) -> str:
        """Return one line of JSON in plain ASCII."""
        return json.dumps({"latent_spectra": VERSION, **asdict(self)})

    @classmethod
    def from_json(cls, text: str) -> "Document":
        """Undo `to_json`.

        Raises
        ------
        ReadError
            When the text is damaged or of a later version.
        """
        try:
            words = json.loads(text)
            if words.pop("latent_spectra") != VERSION:
                raise ReadError("The file was written by a later version of this program. Update it first.")
            made = cls(
                tuple(map(str, words["axis"])), tuple(map(str, words["signal"])),  # type: ignore[arg-type]
                tuple(dict(target) for target in words["targets"]), tuple(map(str, words["samples"])),
                str(words["name"]), str(words["origin"]), dict(words["provenance"]), str(words["dtype"]),
            )  # fmt: skip
            made.meta()
            made.target_info()
            valid = len(made.axis) == len(made.signal) == 2 and made.dtype in {"float64", "float32"}
        except ReadError:
            raise
        except Exception as error:
            # A damaged document can fail anywhere; it only ever means that the file was changed.
            raise ReadError(_DAMAGED) from error
        if not valid:
            raise ReadError(_DAMAGED)
        return made

    def meta(self) -> SetMeta:
        """Return name, origin and quantity of the set."""
        return SetMeta(self.name, self.origin, *self.signal, self.provenance)  # type: ignore[arg-type]

    def target_info(self) -> tuple[Target, ...]:
        """Return the targets."""
        return tuple(
            Target(str(one["name"]), str(one["unit"]), None if one["charge"] is None else int(one["charge"]),
                   None if one["molar_mass"] is None else float(one["molar_mass"]))
            for one in self.targets
        )  # fmt: skip


def document_of(spectra: SpectraSet) -> Document:
    """Return the document of a set."""
    meta = spectra.meta
    return Document(
        (spectra.axis.quantity, spectra.axis.unit),
        (meta.quantity, meta.unit),
        tuple(asdict(target) for target in spectra.target_info),
        tuple(map(str, spectra.samples.columns)),
        meta.name,
        meta.origin,
        dict(meta.provenance),
        str(np.dtype(spectra.signal.dtype)),
    )


def neutralised(cell: str) -> str:
    """Return a text cell on one line that no spreadsheet takes for a formula.

    >>> neutralised("=1+1"), neutralised("sample 1")
    ("'=1+1", 'sample 1')
    """
    plain = "".join(_escaped(letter) for letter in cell)
    return f"'{plain}" if plain.startswith(FORMULA_MARKS) else plain


def original(cell: str) -> str:
    r"""Undo `neutralised`.

    >>> original(neutralised("@x\n"))
    '@x\n'
    """
    plain = cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA_MARKS) else cell
    return _ESCAPE.sub(_unescaped, plain)


_ESCAPE = re.compile(r"\\(\\|x[0-9a-f]{2}|u[0-9a-f]{4})")


def _escaped(letter: str) -> str:
    if letter == "\\":
        return "\\\\"
    if letter < " " or "\x7f" <= letter <= "\xa0":
        return f"\\x{ord(letter):02x}"
    # Line and paragraph separators end lines for some readers; lone surrogates and non-characters are no text.
    if letter in "\u2028\u2029\ufeff\ufffe\uffff" or "\ud800" <= letter <= "\udfff":
        return f"\\u{ord(letter):04x}"
    return letter


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    return code if code == "\\" else chr(int(code[1:], 16))
