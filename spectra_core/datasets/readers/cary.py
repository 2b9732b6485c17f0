"""Cary WinUV exports: pairs of columns, each spectrum on its own grid, then the log of the instrument."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from spectra_core.datasets.names import axis_named, signal_named
from spectra_core.datasets.numbers import parse_number
from spectra_core.datasets.parts import Curve, Part
from spectra_core.datasets.readers.base import Dialect
from spectra_core.datasets.readers.decoding import decoded, lines_of
from spectra_core.datasets.readers.dialects import cells_of
from spectra_core.datasets.readers.instrument_text import head_text
from spectra_core.errors import ReadError


@dataclass(frozen=True)
class Cary:
    """Spectra of Agilent and Varian Cary instruments."""

    title: ClassVar[str] = "Cary"
    explanation: ClassVar[str] = "CSV of Cary WinUV: names above pairs of wavelength and value, a log below."

    def recognises(self, head: bytes, name: str) -> bool:
        """A second line of axis and signal words in turn."""
        return _layout(lines_of(head_text(head[:20_000]))[:2]) is not None

    def read(self, data: bytes, name: str, dialect: Dialect) -> list[Part]:
        """Return one curve per pair of columns."""
        text, _, _ = decoded(data, dialect.encoding)
        lines = lines_of(text)
        separator = _layout(lines[:2])
        assert separator is not None
        words = cells_of(lines[1], separator)
        names = (cells_of(lines[0], separator) + [""] * len(words))[: len(words)]
        n_pairs = sum(1 for at in range(0, len(words) - 1, 2) if words[at])
        decimal = "," if separator != "," and any("," in line for line in lines[2:5]) else "."
        x: list[list[float]] = [[] for _ in range(n_pairs)]
        y: list[list[float]] = [[] for _ in range(n_pairs)]
        end = 2
        for number, line in enumerate(lines[2:], start=3):
            cells = cells_of(line, separator)
            if not any(cells):
                break
            for pair in range(n_pairs):
                two = (cells + [""] * (2 * n_pairs))[2 * pair : 2 * pair + 2]
                if two == ["", ""]:
                    continue
                values = [parse_number(cell, decimal) for cell in two]
                if values[0] is None:
                    raise ReadError(f"Line {number} of {name} should hold pairs of numbers, got {line[:40]!r}.")
                if len(x[pair]) < number - 3:
                    raise ReadError(f"In line {number} of {name}, spectrum {pair + 1} goes on after a gap.")
                x[pair].append(values[0])
                y[pair].append(float("nan") if values[1] is None else values[1])
            end = number
        _require_one_table(lines, end, separator, name)
        rest = [line for line in lines[end:] if line.strip(separator + " ")]
        notes = (f"{len(rest)} lines after the spectra are the log of the instrument.",) if rest else ()
        return [
            _curve(names[2 * pair] or f"{name} {pair + 1}", words[2 * pair : 2 * pair + 2], x[pair], y[pair], notes)
            for pair in range(n_pairs)
            if x[pair]
        ]


def _require_one_table(lines: list[str], end: int, separator: str, name: str) -> None:
    """Refuse a second table under the spectra: the log of the instrument holds none."""
    words = [cell for cell in cells_of(lines[1], separator) if cell][:2]
    again = next((at for at in range(end, len(lines)) if cells_of(lines[at], separator)[:2] == words), None)
    if again is not None:
        raise ReadError(
            f"Line {again + 1} of {name} begins a second table: more spectra follow under the first ones. "
            "Save each in a file of its own, or all beside each other in one table."
        )


def _curve(title: str, words: list[str], x: list[float], y: list[float], notes: tuple[str, ...]) -> Curve:
    facts = {"format": "Cary (a line of axis and signal names in turn)"}
    axis, signal = axis_named(words[0]) or ("", ""), signal_named(words[1]) or ("", "")
    return Curve(title, "cary", np.array(x), np.array(y), *axis, *signal, notes, facts)


def _layout(lines: list[str]) -> str | None:
    """Return the separator when the second line names axis and signal in turn under names of samples."""
    if len(lines) < 2:
        return None
    for separator in (",", ";", "\t"):
        cells = lines[1].split(separator)
        while cells and not cells[-1].strip():
            cells.pop()
        above = lines[0].split(separator)
        pairs = len(cells) >= 2 and len(cells) % 2 == 0
        named = (
            pairs and all(axis_named(cell) for cell in cells[0::2]) and all(signal_named(cell) for cell in cells[1::2])
        )
        # Names stand over the first column of each pair only.
        if named and not any(cell.strip() for cell in above[1::2][: len(cells) // 2]):
            return separator
    return None
