"""The contract of a writer, and the table all of them write."""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from spectra_core.datasets.document import Document, document_of, neutralised
from spectra_core.spectra import SpectraSet


class Writer(Protocol):
    """Writes one format, so that this program reads it back equal and others read the table."""

    title: ClassVar[str]
    explanation: ClassVar[str]
    extension: ClassVar[str]
    mime: ClassVar[str]

    def write(self, spectra: SpectraSet) -> bytes:
        """Return the file.

        Raises
        ------
        ConfigError
            When the format cannot hold a set of this size.
        """


@dataclass(frozen=True, eq=False)
class Table:
    """A set as columns.

    Parameters
    ----------
    document
        What no column holds.
    samples
        Neutralised cells per column of text.
    targets : (n_spectra, n_targets)
        Values.
    header
        Names of all columns: text, targets, then positions of the channels; unique.
    """

    document: Document
    samples: tuple[tuple[str, ...], ...]
    targets: NDArray[np.float64]
    header: tuple[str, ...]


def table_of(spectra: SpectraSet) -> Table:
    """Return a set as columns."""
    document = document_of(spectra)
    samples = spectra.samples
    names = [*document.samples, *(target.label for target in spectra.target_info)]
    channels = [repr(float(position)) for position in spectra.axis.positions]
    header: list[str] = []
    taken = set(channels)
    for name in names:
        label, number = neutralised(name), 2
        while label in taken:
            label, number = f"{neutralised(name)} ({number})", number + 1
        taken.add(label)
        header.append(label)
    return Table(
        document,
        tuple(tuple(neutralised(cell) for cell in samples[name]) for name in document.samples),
        spectra.target_values,
        (*header, *channels),
    )
