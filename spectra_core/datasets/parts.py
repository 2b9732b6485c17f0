"""What a reader finds in a file, before anyone says what it means: tables of cells and single curves."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectra_core.spectra.text import whole

Cells = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Grid:
    """A rectangular table: the rows of a text file, a sheet, or a matrix.

    Parameters
    ----------
    name
        What a person calls it: the file, "file / sheet", "file / variable".
    format
        Name of the reader in `READERS`.
    numbers : (n_rows, n_columns)
        Cell values; NaN where a cell is empty or holds no number.
    text
        Verbatim cells of every column that holds text.
    header : n_header rows of n_columns cells
        Rows above the data, from top to bottom; empty for a table without names.
    first_row
        Number of the first data row in the file, counted from 1, so that warnings can name lines.
    odd_cells : (row, column, cell)
        Cells that hold text in a column that otherwise holds numbers.
    cut_rows
        Rows that end before the last column; what is missing is NaN.
    notes
        One sentence for everything that was skipped or assumed while reading.
    facts
        How the file was read: separator, decimal mark, encoding, with the reason in parentheses. "hidden rows" are the
        numbers of lines that a workbook does not show, or that a DataSet object excludes.
    skipped
        Numbers of the lines between the data rows that hold none: empty ones and comments.
    """

    name: str
    format: str
    numbers: NDArray[np.floating[Any]]
    text: Mapping[int, Cells] = field(default_factory=dict)
    header: tuple[Cells, ...] = ()
    first_row: int = 1
    odd_cells: tuple[tuple[int, int, str], ...] = ()
    cut_rows: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    skipped: tuple[int, ...] = ()

    def line(self, row: int) -> int:
        """Return the number of the line in the file that holds a data row."""
        line = self.first_row + row
        for skipped in self.skipped:
            line += skipped <= line
        return line

    @cached_property
    def hidden(self) -> tuple[int, ...]:
        """Data rows that the program that wrote them hides or excludes."""
        lines = {int(one) for one in self.facts.get("hidden rows", "").split()}
        return tuple(row for row in range(self.n_rows) if self.line(row) in lines) if lines else ()

    @property
    def decimal(self) -> str:
        """The decimal mark of its text."""
        return "," if self.facts.get("decimal", "").startswith("comma") else "."

    @property
    def n_rows(self) -> int:
        """Number of data rows."""
        return int(self.numbers.shape[0])

    @property
    def n_columns(self) -> int:
        """Number of columns."""
        return int(self.numbers.shape[1])

    @cached_property
    def words(self) -> frozenset[int]:
        """Columns that hold text and no number; those of numbers with some words among them are not meant."""
        return frozenset(column for column in self.text if np.isnan(self.numbers[:, column]).all())


@dataclass(frozen=True, eq=False)
class Curve:
    """One spectrum with its own positions, as instruments write them.

    Parameters
    ----------
    name
        Title of the measurement, else the file.
    format
        Name of the reader in `READERS`.
    x : (n_channels,), in `x_unit`
        Positions, in the order of the file.
    y : (n_channels,), in `y_unit`
        Signal.
    x_quantity, x_unit, y_quantity, y_unit
        As the file states them; empty where it does not.
    notes, facts
        As in `Grid`.
    """

    name: str
    format: str
    x: NDArray[np.floating[Any]]
    y: NDArray[np.floating[Any]]
    x_quantity: str = ""
    x_unit: str = ""
    y_quantity: str = ""
    y_unit: str = ""
    notes: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)


Part = Grid | Curve


def renamed(part: Part, name: str) -> Part:
    """Return the part under another name, without copying its arrays."""
    return replace(part, name=name)


def with_notes(parts: list[Part], notes: list[str]) -> list[Part]:
    """Return parts of which the first one says more."""
    return [replace(part, notes=(*part.notes, *notes)) if part is parts[0] else part for part in parts]


def described(part: Part) -> tuple[dict[str, Any], list[NDArray[Any]]]:
    """Return the part as JSON values and its arrays, for the pipe between processes; half characters are told of."""
    words, arrays = _described(part)
    text = json.dumps(words, ensure_ascii=False)
    if (mended := whole(text)) != text:
        words = json.loads(mended)
        words["notes"].append("Half characters (lone surrogates) in its text are read as \ufffd.")
    return words, arrays


def _described(part: Part) -> tuple[dict[str, Any], list[NDArray[Any]]]:
    if isinstance(part, Curve):
        words = {key: getattr(part, key) for key in ("name", "format", "x_quantity", "x_unit", "y_quantity", "y_unit")}
        return {"kind": "curve", **words, "notes": list(part.notes), "facts": dict(part.facts)}, [part.x, part.y]
    return {
        "kind": "grid",
        "name": part.name,
        "format": part.format,
        "text": {str(column): list(cells) for column, cells in part.text.items()},
        "header": [list(row) for row in part.header],
        "first_row": part.first_row,
        "odd_cells": [list(cell) for cell in part.odd_cells],
        "cut_rows": list(part.cut_rows),
        "notes": list(part.notes),
        "facts": dict(part.facts),
        "skipped": list(part.skipped),
    }, [part.numbers]


def restored(words: Mapping[str, Any], arrays: Iterator[NDArray[Any]]) -> Part:
    """Undo `described`; takes as many arrays as the part needs."""
    notes, facts = tuple(words["notes"]), dict(words["facts"])
    if words["kind"] == "curve":
        return Curve(
            words["name"],
            words["format"],
            next(arrays),
            next(arrays),
            words["x_quantity"],
            words["x_unit"],
            words["y_quantity"],
            words["y_unit"],
            notes,
            facts,
        )
    return Grid(
        words["name"],
        words["format"],
        next(arrays),
        {int(column): tuple(cells) for column, cells in words["text"].items()},
        tuple(tuple(row) for row in words["header"]),
        int(words["first_row"]),
        tuple((int(row), int(column), str(cell)) for row, column, cell in words["odd_cells"]),
        tuple(int(row) for row in words["cut_rows"]),
        notes,
        facts,
        tuple(int(line) for line in words["skipped"]),
    )
