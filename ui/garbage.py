"""Garbage collection that passes over what modules hold; Streamlit collects after every run of a page."""

import gc
import sys
from threading import Lock

from ui.ready import has_server

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
