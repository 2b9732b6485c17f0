"""Tables that this program wrote: sample columns, targets, channels, and the document beside them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.datasets.column import Column
from spectra_core.datasets.document import Document, original
from spectra_core.datasets.parts import Grid, Part
from spectra_core.datasets.recipe import Recipe
from spectra_core.datasets.table import ImportTable
from spectra_core.errors import ReadError, SpectraError
from spectra_core.spectra import SpectralAxis, SpectraSet


def own_grid(
    document: Document,
    samples: Sequence[Sequence[str]],
    targets: NDArray[Any],
    positions: NDArray[Any],
    signal: NDArray[Any],
    *,
    name: str,
    form: str,
) -> Grid:
    """Put the pieces of an own file into one table, neutralised cells and all.

    Parameters
    ----------
    samples
        One sequence of cells per column of text.
    targets, positions, signal
        (n_spectra, n_targets), (n_channels,), (n_spectra, n_channels).

    Raises
    ------
    ReadError
        When the pieces do not fit the document.
    """
    fits = (
        signal.ndim == targets.ndim == 2
        and positions.ndim == 1
        and signal.shape == (len(targets), len(positions))
        and targets.shape[1] == len(document.targets)
        and len(samples) == len(document.samples)
        and all(len(cells) == len(signal) for cells in samples)
    )
    if not fits or signal.size == 0:
        raise ReadError(f"{name} does not fit together: its parts have different sizes. It was changed or is cut off.")
    blank = np.full((len(signal), len(samples)), np.nan)
    header = (
        *document.samples,
        *(str(one["name"]) for one in document.targets),
        *(repr(float(at)) for at in positions),
    )
    numbers = np.concatenate([blank, targets, signal], axis=1, dtype=np.float64)
    text = {at: tuple(str(cell) for cell in cells) for at, cells in enumerate(samples)}
    facts = {"format": f"{form} (written by this program)", "document": document.to_json()}
    return Grid(name, form, numbers, text, (header,), facts=facts)


def own_part(parts: Sequence[Part]) -> tuple[Grid, Document] | None:
    """Return the table of an own file with its document; None for files of others, or several files."""
    if len(parts) != 1 or not isinstance(parts[0], Grid) or "document" not in parts[0].facts:
        return None
    grid = parts[0]
    document = Document.from_json(grid.facts["document"])
    n_side = len(document.samples) + len(document.targets)
    if not grid.header or grid.n_columns <= n_side or set(grid.text) != set(range(len(document.samples))):
        raise ReadError(f"{grid.name} does not fit together: its columns are not those it was written with.")
    return grid, document


def own_table(grid: Grid, document: Document) -> ImportTable:
    """Return the import table of an own file."""
    n_text, n_side = len(document.samples), len(document.samples) + len(document.targets)
    try:
        positions = np.array([float(cell) for cell in grid.header[-1][n_side:]])
    except ValueError as error:
        raise ReadError(f"{grid.name} has a channel name that is no position. It was changed.") from error
    columns = [
        Column(name, None, tuple(original(cell) for cell in grid.text[at])) for at, name in enumerate(document.samples)
    ]
    columns += [Column(str(one["name"]), grid.numbers[:, n_text + at]) for at, one in enumerate(document.targets)]
    signal = grid.numbers[:, n_side:].astype(document.dtype, copy=False)
    places = tuple(f"row {row + 1} of {grid.name}" for row in range(grid.n_rows))
    return ImportTable(signal, positions, columns, (), places, *document.axis, *document.signal, trusted=True)


def own_recipe(document: Document, decided: Recipe) -> Recipe:
    """Return what the document says as a recipe, under what a person decided."""
    roles = {name: "group" if name == "group" else "ignored" for name in document.samples}
    roles |= {"id": "id"} if "id" in roles else {}
    roles |= {str(one["name"]): "target" for one in document.targets}
    base = Recipe(
        columns=roles,
        targets={str(one["name"]): dict(one) for one in document.targets},
        axis_quantity=document.axis[0],
        axis_unit=document.axis[1],
        signal_quantity=document.signal[0],
        signal_unit=document.signal[1],
        name=document.name,
    )
    changes = {key: value for key, value in vars(decided).items() if value not in (None, (), {})}
    return base.but(**changes)


def own_set(table: ImportTable, document: Document) -> SpectraSet:
    """Return exactly the set that was written.

    Raises
    ------
    ReadError
        When the file was changed into something that is no set.
    """
    n_text = len(document.samples)
    texts = {column.name: list(column.text or ()) for column in table.columns[:n_text]}
    values = [column.numbers for column in table.columns[n_text:] if column.numbers is not None]
    names = [column.name for column in table.columns[n_text:]]
    targets = pd.DataFrame(np.column_stack(values), columns=names) if values else None
    try:
        return SpectraSet(
            SpectralAxis(np.asarray(table.positions), *document.axis),
            table.signal,
            targets,
            target_info=document.target_info() if values else None,
            samples=pd.DataFrame(texts) if texts else None,
            meta=document.meta(),
        )
    except SpectraError as error:
        raise ReadError(f"The file was changed after it was written: {error}") from error
