"""Errors a user can act on: each message says what was expected, what came, and what to do."""

import zipfile
import zlib
from json import JSONDecodeError

try:
    from lzma import LZMAError
except ImportError:  # a Python that was built without it, whose zipfile refuses such members

    class LZMAError(Exception):  # type: ignore[no-redef]
        """Never raised there."""


ZIP_FAULTS = (zipfile.BadZipFile, zlib.error, LZMAError, RuntimeError, EOFError, OSError, ValueError, OverflowError)
"""What zipfile raises at a damaged or foreign archive: RuntimeError where a member is encrypted or packed in an unknown
way (as its subclass NotImplementedError), OSError also for bzip2, ValueError also for names that are no text."""


def json_fault(error: ValueError) -> str:
    """Say in our own words where a text stops being JSON.

    >>> import json
    >>> try:
    ...     json.loads('{"a": }')
    ... except ValueError as error:
    ...     json_fault(error)
    'is not valid JSON: something is wrong in line 1, at letter 7'
    """
    if isinstance(error, UnicodeDecodeError):
        return "is no text in UTF-8"
    if not isinstance(error, JSONDecodeError):
        return f"is not valid JSON: {error}"  # said by us: a repeated key, a number that is not finite
    return f"is not valid JSON: something is wrong in line {error.lineno}, at letter {error.colno}"


class SpectraCoreError(Exception):
    """Base of every error whose message is meant for the person using the program."""


class SpectraError(SpectraCoreError):
    """Spectra, axis or targets do not fit together, or do not fit what is asked of them."""


class ReadError(SpectraCoreError):
    """A file cannot be read exactly, so it is refused."""


class ConfigError(SpectraCoreError):
    """A choice or a parameter is unknown or out of its range."""


class NotFittedError(SpectraCoreError):
    """A model is asked for something it can only do after `fit`."""


class TrainingError(SpectraCoreError):
    """Training stopped because going on would be meaningless, for example at a non-finite loss."""


class StoreError(SpectraCoreError):
    """Something kept on disk is missing, damaged, or cannot be written."""


class SimulationError(SpectraCoreError):
    """A solution cannot be simulated as asked."""


class ClusterError(SpectraCoreError):
    """A cluster cannot be reached, or its workers cannot do the work."""
