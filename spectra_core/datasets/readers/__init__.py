"""Readers by format; the first that recognises the bytes reads the file. Content counts, the extension hardly."""

from spectra_core.datasets.limits import require_size
from spectra_core.datasets.parts import Part
from spectra_core.datasets.readers.archives import Gzip, Zip
from spectra_core.datasets.readers.avantes import Avantes
from spectra_core.datasets.readers.base import HEAD_BYTES, Dialect, Reader
from spectra_core.datasets.readers.cary import Cary
from spectra_core.datasets.readers.delimited import DelimitedText
from spectra_core.datasets.readers.encodings import with_readings
from spectra_core.datasets.readers.excel import Excel
from spectra_core.datasets.readers.galactic_spc import GalacticSpc
from spectra_core.datasets.readers.hdf5 import Hdf5
from spectra_core.datasets.readers.jasco import Jasco
from spectra_core.datasets.readers.jcamp import Jcamp
from spectra_core.datasets.readers.matlab import Matlab
from spectra_core.datasets.readers.numpy_files import NumpyArchive, NumpyArray
from spectra_core.datasets.readers.ocean_optics import OceanOptics
from spectra_core.datasets.readers.optional import Foreign, Opus, RData
from spectra_core.datasets.readers.parquet import Parquet
from spectra_core.datasets.readers.perkin_elmer import PerkinElmerText
from spectra_core.datasets.readers.refused import refuse
from spectra_core.datasets.readers.shimadzu import Shimadzu
from spectra_core.errors import ReadError

READERS: dict[str, type[Reader]] = {
    "excel": Excel,
    "npz": NumpyArchive,
    "rdata": RData,
    "gzip": Gzip,
    "zip": Zip,
    "foreign": Foreign,
    "shimadzu": Shimadzu,
    "npy": NumpyArray,
    "parquet": Parquet,
    "hdf5": Hdf5,
    "opus": Opus,
    "spc": GalacticSpc,
    "matlab": Matlab,
    "jcamp": Jcamp,
    "perkin_elmer": PerkinElmerText,
    "ocean_optics": OceanOptics,
    "avantes": Avantes,
    "jasco": Jasco,
    "cary": Cary,
    "text": DelimitedText,
}
"""In the order in which they are asked; text comes last since it takes whatever is left."""
_TEXTS = frozenset({"jcamp", "perkin_elmer", "ocean_optics", "avantes", "jasco", "cary", "text"})


def reader_of(data: bytes, name: str) -> str:
    """Return the name of the reader for a file.

    Raises
    ------
    ReadError
        When the content is known to be no data: an empty file, a web page, a model, a pointer to a file.
    """
    require_size(len(data))
    head = data[:HEAD_BYTES]
    refuse(head, name.lower())
    return next(key for key, reader in READERS.items() if reader().recognises(head, name.lower()))


def parse(data: bytes, name: str, dialect: Dialect) -> list[Part]:
    """Return all parts of one file; runs in the limited child process.

    Raises
    ------
    ReadError
        In one sentence, when the file is not exactly what its format says.
    """
    key = reader_of(data, name)
    parts = READERS[key]().read(data, name, dialect)
    if not parts:
        raise ReadError("The file holds no table and no spectrum. Export it again with the data.")
    return with_readings(parts, data) if key in _TEXTS and dialect.encoding is None else parts
