"""Cached calls, keyed by content and bounded in bytes.

`table` keeps small results, which every visitor gets a copy of; `shared` keeps spectra and models, and `drawn` figures,
one for all visitors and read-only. Streamlit's own hashing samples large arrays and misses changes, so what is given is
keyed by `key_of`.
"""

import copyreg
import ctypes
import gc
import hashlib
import io
import pickle
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, fields, is_dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd
import streamlit as st

from spectra_core.spectra import SpectraSet
from spectra_core.store import Store, StoredModel

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from spectra_core.datasets import Understanding
    from spectra_core.datasets.parts import Part
    from spectra_core.datasets.sandbox import Sources
    from spectra_core.jobs import Jobs

Result = TypeVar("Result")

TABLE_BYTES, FIGURE_BYTES, SHARED_BYTES = 256 * 2**20, 128 * 2**20, 2 * 2**30
"""At most this much is kept of each kind, and one result that alone is larger."""
FEWEST_KEPT = 256
"""Of small results: each counts as at least one of so many parts of the bytes, so that their number is bounded, too."""
GRACE_SECONDS = 600.0
"""How long what was cached outlives the last visitor: a reload must find it again."""
TIDY_SECONDS = 60.0
"""How long after a visitor left what they held is given back to the system."""

WAITING = {
    "load_set": "Loading spectra",
    "load_model": "Loading the model",
    "load_result": "Loading the experiment",
    "load_calibration": "Loading the calibration",
    "readings": "Reading the spectra",
    "distances": "Measuring how far they lie",
    "judged": "Judging the errors",
    "encode": "Encoding the spectra",
    "fit_teacher": "Fitting the teacher",
    "make": "Generating spectra",
    "tables_of": "Comparing with the data",
    "strategies_compared": "Comparing all strategies",
    "strategy_points": "Comparing all strategies",
    "walk": "Walking through latent space",
    "reconstruct": "Reconstructing spectra",
    "noise_given_back": "Giving the noise back",
    "noise_given_to_each": "Giving the noise back",
    "signal_histograms": "Counting spectra",
    "channel_statistics": "Describing channels",
    "channel_differences": "Comparing channels",
    "channel_correlation": "Correlating channels",
    "noise_fidelity": "Measuring the noise",
    "noise_level": "Measuring the noise",
    "examples": "Choosing spectra",
    "neighbours": "Finding neighbours",
    "memorisation": "Looking for copies",
    "draw_map": "Drawing the map",
    "colour_values": "Colouring the map",
    "target_dependence": "Checking the targets",
    "channel_check": "Checking the channels",
    "repeats": "Counting repeats",
    "outliers": "Looking for outliers",
    "label_errors": "Checking the labels",
    "identifiability": "Computing what can be known",
    "written": "Writing the file",
}
"""What a visitor reads while a function computes, by its name; nothing for those that are done at once."""


def table(function: Callable[..., Result], *given: Any, **named: Any) -> Result:
    """Return ``function(*given, **named)``, a copy of what was computed at the first call with the same content.

    Parameters
    ----------
    function
        Of a module, not made within another; its result depends on what is given alone.
    given, named
        Whatever `key_of` knows. A stored model is keyed by its identifier.

    Raises
    ------
    TypeError
        When something given has no key.
    """
    key, compute = _call(function, given, named)
    copy: Result = pickle.loads(_TABLES.get(key, lambda: pickle.dumps(compute()), len))  # noqa: S301  # written here
    return copy


def shared(function: Callable[..., Result], *given: Any, **named: Any) -> Result:
    """Return ``function(*given, **named)``, one object for all visitors: never change it. Otherwise as `table`."""
    key, compute = _call(function, given, named)
    found: Result = _SHARED.get(key, compute, n_bytes)
    return found


def drawn(function: "Callable[..., go.Figure]", *given: Any, **named: Any) -> "go.Figure":
    """Return the figure ``function(*given, **named)``, one object for all visitors: never change it. As `table`."""
    key, compute = _call(function, given, named)
    figure: go.Figure = _FIGURES.get(key, lambda: _written(compute()), lambda one: 2 * n_bytes(one.to_dict()))
    return figure


def _written(figure: "go.Figure") -> "go.Figure":
    """Write a figure out once: Streamlit asks for that at every run, and plotly would copy and encode it again."""
    written = figure.to_dict()
    figure.to_dict = lambda: written
    return figure


def _call(function: Callable[..., Result], given: Any, named: Any) -> tuple[str, Callable[[], Result]]:
    """Return the key of a call, and the call, with its words for the visitor who waits."""
    if "<" in function.__qualname__:
        raise TypeError(f"{function.__qualname__} is made anew at every call: its name does not say what it does.")
    if len(given) > 1 and isinstance(given[0], Store) and isinstance(given[1], str):
        # What the shelf of a class holds is loaded once for all, not once for every visitor.
        given = given[0].holding(given[1]), *given[1:]

    def compute() -> Result:
        words = WAITING.get(function.__name__)
        with st.spinner(words) if words else nullcontext():
            return function(*given, **named)

    return f"{function.__module__}.{function.__qualname__}{key_of(given)}{key_of(named)}", compute


def key_of(given: Any) -> str:
    """Return a text that is equal for equal content only.

    Raises
    ------
    TypeError
        For what it does not know: a guess would bring answers about other data.

    Examples
    --------
    >>> key_of({"a": (1, 1.0, "1", None)})
    "{str:'a'=(int:1,float:1.0,str:'1',NoneType:None)}"
    """
    if given is None or isinstance(given, bool | int | float | str | np.generic):
        return f"{type(given).__name__}:{given!r}"
    if isinstance(given, SpectraSet):
        return f"set:{given.fingerprint}:{given.meta.name!r}"
    if isinstance(given, StoredModel):
        return f"model:{given.record.id}"
    if isinstance(given, Store):
        return f"store:{given.root}"
    if isinstance(given, np.ndarray) and not given.dtype.hasobject:
        return f"{given.dtype}{given.shape}:{hashlib.sha256(np.ascontiguousarray(given).data).hexdigest()}"
    if isinstance(given, pd.DataFrame):
        alike = given.shape[1] > 1 and len(set(given.dtypes)) == 1 and isinstance(given.dtypes.iloc[0], np.dtype)
        cells = (given.columns, given.to_numpy()) if alike and not given.dtypes.iloc[0].hasobject else given.items()
        return f"table:{key_of(given.index)}{key_of(list(cells))}"
    if isinstance(given, pd.Series | pd.Index):
        values = given.to_numpy()
        written = _key_of_cells(values.tolist()) if values.dtype.hasobject else key_of(values)
        return f"{given.dtype}:{given.name!r}{written}"
    if is_dataclass(given) and getattr(given, "__dataclass_params__").frozen:  # noqa: B009  # unknown to mypy
        return f"{type(given).__qualname__}:{key_of({one.name: getattr(given, one.name) for one in fields(given)})}"
    if isinstance(given, Mapping):
        return f"{{{','.join(f'{key_of(name)}={key_of(value)}' for name, value in given.items())}}}"
    if isinstance(given, tuple | list):
        return f"({','.join(map(key_of, given))})"
    raise TypeError(f"A {type(given).__name__} has no key of its content, so a call with one cannot be cached.")


def _key_of_cells(cells: list[Any]) -> str:
    """Return the key of a column of cells; text and plain numbers are written out at once, as there are many."""
    if not {type(cell) for cell in cells} <= {str, int, float, bool, type(None)}:
        return key_of(cells)
    return hashlib.sha256(repr(cells).encode("utf-8", "surrogatepass")).hexdigest()


def n_bytes(value: Any) -> int:
    """Return about how much memory a value holds: what pickling would write, without copying its arrays."""
    buffers: list[pickle.PickleBuffer] = []
    rest = io.BytesIO()
    pickler = pickle.Pickler(rest, protocol=5, buffer_callback=buffers.append)
    pickler.dispatch_table = {**copyreg.dispatch_table, MappingProxyType: lambda proxy: (dict, (dict(proxy),))}
    # What cannot be written, such as a lock, holds next to nothing; the arrays before it are counted.
    with suppress(TypeError, AttributeError, pickle.PicklingError):
        pickler.dump(value)
    return rest.tell() + sum(buffer.raw().nbytes for buffer in buffers)


@dataclass(eq=False)
class Kept:
    """Results by key, the least recently used given up first; each is computed once however many ask for it."""

    most_bytes: int
    _results: OrderedDict[str, tuple[Any, int]] = field(default_factory=OrderedDict)
    _computing: dict[str, threading.Lock] = field(default_factory=dict)
    _lock: Any = field(default_factory=threading.Lock)

    def get(self, key: str, compute: Callable[[], Any], size: Callable[[Any], int]) -> Any:
        """Return the result under `key`, computing it where there is none."""
        with self._lock:
            one_at_a_time = self._computing.setdefault(key, threading.Lock())
        with one_at_a_time:
            try:
                with self._lock:
                    if key in self._results:
                        self._results.move_to_end(key)
                        return self._results[key][0]
                value = compute()
                with self._lock:
                    self._results[key] = value, max(size(value), self.most_bytes // FEWEST_KEPT)
                    while len(self._results) > 1 and self.n_bytes > self.most_bytes:
                        self._results.popitem(last=False)
                return value
            finally:
                with self._lock:
                    self._computing.pop(key, None)

    @property
    def n_bytes(self) -> int:
        """How much is kept, as bounded."""
        return sum(size for _, size in self._results.values())

    def __len__(self) -> int:
        """Return how many results are kept."""
        return len(self._results)

    def clear(self) -> None:
        """Give everything up."""
        with self._lock:
            self._results.clear()


_TABLES, _FIGURES, _SHARED = Kept(TABLE_BYTES), Kept(FIGURE_BYTES), Kept(SHARED_BYTES)
_visitors: set[str] = set()


def clear() -> None:
    """Give up everything that was cached."""
    for kept in (_TABLES, _FIGURES, _SHARED, _parsed_uploads, understanding):
        kept.clear()


def clear_if_empty() -> None:
    """Give up everything that was cached, where no visitor is left."""
    if not _visitors:
        clear()


@dataclass(eq=False)
class _Tidying:
    """What follows when visitors leave, in one thread for all of them: each would have one with memory of its own."""

    _last: float = 0.0
    _timer: threading.Timer | None = None
    _lock: Any = field(default_factory=threading.Lock)

    def later(self) -> None:
        """Tidy up in a while, and a last time when nobody has come for longer."""
        with self._lock:
            self._last = time.monotonic()
            if self._timer is None:
                self._start()

    def now(self) -> None:
        """Give memory back; what was cached, too, where the last visitor left long ago."""
        with self._lock:
            is_long_ago = time.monotonic() - self._last >= GRACE_SECONDS
        if is_long_ago:
            clear_if_empty()
        give_back()
        with self._lock:
            self._timer = None
            if not is_long_ago:
                self._start()

    def _start(self) -> None:
        self._timer = threading.Timer(TIDY_SECONDS, self.now)
        self._timer.daemon = True
        self._timer.start()


_TIDYING = _Tidying()


def give_back() -> None:
    """Let the system have what closed pages held: the C library of Linux keeps it, for each thread it once gave it."""
    gc.collect()
    with suppress(OSError, AttributeError):  # another system or C library
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def _left(visitor: str) -> None:
    _visitors.discard(visitor)
    _TIDYING.later()


@st.cache_resource(scope="session", show_spinner=False, on_release=_left)
def greet() -> str:
    """Count a visitor until the session ends; app.py's beginning of every run calls this."""
    visitor = uuid.uuid4().hex
    _visitors.add(visitor)
    return visitor


_MOST_HOMES = 256
"""Data folders that stay open: in a class every visitor has one."""


@lru_cache(maxsize=_MOST_HOMES)
def store(home: str) -> Store:
    """Open the store below `home` once."""
    return Store(Path(home) if home else None)


@lru_cache(maxsize=_MOST_HOMES)
def jobs(home: str) -> "Jobs":
    """Open the jobs below `home` once."""
    from spectra_core.jobs import Jobs

    return Jobs(Path(home) if home else None)


@st.cache_resource(max_entries=3, show_spinner="Reading the files")
def _parsed_uploads(home: str, keys: tuple[str, ...], dialect: str) -> "tuple[list[Part], Sources]":
    """Parse kept uploads once per dialect, whatever else a person then decides about them."""
    from spectra_core.datasets import Recipe
    from spectra_core.datasets.sandbox import parse_files

    return parse_files(store(home).upload_files(keys), Recipe.from_json(dialect).dialect)


@st.cache_resource(max_entries=8, show_spinner=False)
def understanding(home: str, keys: tuple[str, ...], recipe: str) -> "Understanding":
    """Understand kept uploads under a recipe (JSON)."""
    from spectra_core.datasets import Recipe, Understanding

    decided = Recipe.from_json(recipe)
    parts, sources = _parsed_uploads(home, keys, _dialect_of(recipe))
    return Understanding(parts, decided, sources)


def forget_understanding(home: str, keys: tuple[str, ...], recipe: str) -> None:
    """Let go of what kept uploads hold, which may be half a gigabyte."""
    understanding.clear()
    _parsed_uploads.clear(home, keys, _dialect_of(recipe))


def _dialect_of(recipe: str) -> str:
    """Return the decisions (JSON) that need the files parsed again."""
    from spectra_core.datasets import Recipe

    return Recipe(**vars(Recipe.from_json(recipe).dialect)).to_json()
