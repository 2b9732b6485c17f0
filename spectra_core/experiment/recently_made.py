"""Spectra that an arm added a moment ago: several regressors train on the same."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from spectra_core.spectra import SpectraSet

MOST_BYTES = 256 * 2**20
WORTH_KEEPING = 0.1
"""Seconds; what is made sooner is made again."""


class RecentlyMade:
    """Keeps sets that took long to make, those asked for last, up to `MOST_BYTES` in all."""

    def __init__(self, most_bytes: int = MOST_BYTES, worth_keeping: float = WORTH_KEEPING) -> None:
        self._most, self._worth = most_bytes, worth_keeping
        self._kept: OrderedDict[str, SpectraSet] = OrderedDict()
        self._guard = threading.Lock()

    def get(self, key: str, make: Callable[[], SpectraSet]) -> SpectraSet:
        """Return the set that `key` names, made unless it is kept."""
        with self._guard:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        begin = time.monotonic()
        made = make()
        if time.monotonic() - begin >= self._worth:
            with self._guard:
                self._kept[key] = made
                while sum(one.signal.nbytes for one in self._kept.values()) > self._most:
                    self._kept.popitem(last=False)
        return made
