"""Garbage collection that passes over what modules hold, and memory that goes back to the system.

Streamlit collects after every run of a page, and gives every run a thread of its own.
"""

import ctypes
import gc
import sys
from contextlib import suppress
from threading import Lock

from ui.ready import has_server

_ARENA_MAX = -8
"""Of `mallopt` in the C library of Linux."""
ARENAS = 2
MANY_MODULES = 100
"""A collection passes over modules again when so many were loaded since the last time."""


class Spared:
    """What stands for good and is not collected: with each of the large libraries it grows, some ten times in all.

    With PyTorch, scikit-learn and umap-learn loaded, a collection goes through 430,000 objects and takes 0.2 s, in
    which no visitor's page moves (docs/decisions/180). What is made later is collected as before.
    """

    def __init__(self) -> None:
        self._lock, self._n_modules = Lock(), 0

    def modules(self) -> None:
        """Take all that is there out of collection, where many modules were loaded since the last time."""
        if has_server() and self._lock.acquire(blocking=False):
            try:
                if len(sys.modules) >= self._n_modules + MANY_MODULES:
                    self.everything()
            finally:
                self._lock.release()

    def everything(self) -> None:
        """Take all that is there out of collection, but for what is garbage already."""
        self._n_modules = len(sys.modules)
        gc.collect()
        gc.freeze()


SPARED = Spared()


def share_arenas() -> None:
    """Let all threads take memory from two places, where the C library of Linux has eight for every processor.

    Each would grow to what the dearest page needs, and keep it: with 16 of them 60 MB more after 15 visitors.
    """
    with suppress(OSError, AttributeError):  # another system or C library
        ctypes.CDLL("libc.so.6").mallopt(_ARENA_MAX, ARENAS)
