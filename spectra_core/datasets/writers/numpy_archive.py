"""NPZ: axis, signal, targets and columns of text as arrays, without pickled objects."""

import io
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from spectra_core.datasets.writers.base import table_of
from spectra_core.spectra import SpectraSet


@dataclass(frozen=True)
class Npz:
    """NumPy archive."""

    title: ClassVar[str] = "NumPy archive"
    explanation: ClassVar[str] = "Arrays axis, signal and targets for Python: np.load(file)['signal']."
    extension: ClassVar[str] = ".npz"
    mime: ClassVar[str] = "application/octet-stream"

    def write(self, spectra: SpectraSet) -> bytes:
        """Write every array in its own precision."""
        table = table_of(spectra)
        texts = {f"sample_{number}": np.array(cells, dtype=np.str_) for number, cells in enumerate(table.samples)}
        stream = io.BytesIO()
        np.savez(
            stream,
            allow_pickle=False,
            document=np.array(table.document.to_json()),
            axis=spectra.axis.positions,
            signal=spectra.signal,
            targets=table.targets,
            **texts,
        )
        return stream.getvalue()
