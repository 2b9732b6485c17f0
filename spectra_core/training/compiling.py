"""Whether compiled code is ready, and what a person is told while it is not."""

import threading
from pathlib import Path
from typing import Any

from spectra_core.contracts import Reporter

SENTENCE = (
    "First use after installation: the training is compiled for this processor, which takes a quarter of a minute "
    "and happens once."
)

_told = threading.Event()


def must_compile(function: Any) -> bool:
    """Whether the next call of a function compiled by numba compiles for seconds, as far as the kept files tell.

    Parameters
    ----------
    function
        Decorated by ``numba.njit``. Without a folder to keep results in, it compiles once in every process.
    """
    if function.signatures:
        return False
    if function.stats.cache_path is None:
        return True
    try:
        # Numba has no public way to ask. Empty as well where the source has changed since.
        return not function._cache._cache_file._load_index()
    except AttributeError:  # another version of numba: a sentence too few, or compiled ahead once more
        source = Path(function.py_func.__code__.co_filename)
        return not any(Path(function.stats.cache_path).glob(f"{source.stem}.{function.py_func.__qualname__}-*"))


def tell_compiling(function: Any, reporter: Reporter) -> None:
    """Say once in this process that the next call has to compile, where it has to."""
    if not _told.is_set() and must_compile(function):
        _told.set()
        reporter.message(SENTENCE)
        reporter.progress("Compiling the training", 0, 1)  # or what was done before would be told for as long
