"""What is cached is keyed by content: one changed value anywhere gives another answer; and memory is bounded."""

import dataclasses
import re
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.io as pio
import pytest

from spectra_core.choices import Choice
from spectra_core.datasets.simulator import SimulationSettings
from spectra_core.errors import StoreError
from spectra_core.evaluation.channels.statistics import channel_statistics
from spectra_core.figures.training import training_curve
from spectra_core.spectra import SpectralAxis, SpectraSet
from spectra_core.spectra.latent import LatentPosterior
from spectra_core.store import Store, classroom
from ui import cache
from ui.sampling import Plan

N_SPECTRA, N_CHANNELS = 600, 900  # more than the half million values from which on Streamlit hashes a sample of them


def spectra(changed: tuple[int, int] | None = None) -> SpectraSet:
    signal = np.random.default_rng(0).normal(size=(N_SPECTRA, N_CHANNELS)).astype(np.float32)
    if changed is not None:
        signal[changed] += 1e-3
    return SpectraSet(SpectralAxis(np.arange(float(N_CHANNELS))), signal)


@pytest.fixture(scope="module")
def before() -> SpectraSet:
    return spectra()


@pytest.fixture(autouse=True)
def empty():
    cache.clear()


@pytest.mark.parametrize("changed", [(0, 0), (123, 456), (599, 899), (301, 7)])
def test_one_changed_value_in_half_a_million_is_never_answered_from_the_cache(before, changed):
    cached = cache.table(channel_statistics, {"training": before})
    now = cache.table(channel_statistics, {"training": spectra(changed)})
    differs = cached["mean"] != now["mean"]
    assert list(np.flatnonzero(differs)) == [changed[1]]
    # The same content is found again, though it is another object.
    assert cache.table(channel_statistics, {"training": spectra()}).equals(cached)
    assert len(cache._TABLES) == 2


def changed_array(values: np.ndarray) -> np.ndarray:
    other = values.copy()
    other.flat[-1] = np.nextafter(other.flat[-1], np.inf)
    return other


LARGE = np.linspace(0.0, 1.0, 700_000).reshape(1000, 700)
TABLE = pd.DataFrame({"arm": ["a", "b", "", None], "value": [0.0, 1.0, np.nan, 3.0]})
NEIGHBOURS = [
    (LARGE, changed_array(LARGE)),
    (LARGE, LARGE.reshape(700, 1000)),
    (LARGE, LARGE.astype(np.float32)),
    (LatentPosterior(LARGE, LARGE + 1), LatentPosterior(LARGE, changed_array(LARGE + 1))),
    (Plan(10, 0), Plan(10, 1)),
    (Plan(10, 0, sampler=Choice("equalised")), Plan(10, 0, sampler=Choice("equalised", {"strength": 0.5}))),
    (SimulationSettings(), SimulationSettings(limits={"CuSO4": 0.5})),
    ({"a": 1}, {"a": 1.0}),
    ({"a": 1}, {"a": True}),
    ({"a": None}, {"a": "None"}),
    (("ab", "c"), ("a", "bc")),
    (("a", ("b", "c")), ("a", "b", "c")),
    (0.1 + 0.2, 0.3),
    ("'", "\\'"),
    (TABLE, TABLE.assign(value=changed_array(TABLE["value"].to_numpy()))),
    (TABLE, TABLE.assign(arm=["a", "b", "", "None"])),
    (TABLE, TABLE.assign(arm=["ab", "", "", None])),
    (TABLE, TABLE.rename(columns={"arm": "way"})),
    (TABLE, TABLE.rename(index={3: 4})),
    (TABLE, TABLE[["value", "arm"]]),
    (TABLE, TABLE.astype({"value": "float32"})),
    (TABLE.assign(mixed=[1, "1", True, 1.0]), TABLE.assign(mixed=["1", "1", True, 1.0])),
    (TABLE.assign(mixed=[1, "1", True, 1.0]), TABLE.assign(mixed=[1, "1", 1, 1.0])),
    (TABLE["value"], TABLE["value"].astype(str)),
]


@pytest.mark.parametrize(("one", "other"), NEIGHBOURS)
def test_different_content_has_different_keys_and_equal_content_equal_ones(one, other):
    assert cache.key_of(one) != cache.key_of(other)
    again = one.copy() if isinstance(one, np.ndarray | dict | pd.DataFrame | pd.Series) else one
    if dataclasses.is_dataclass(one):
        again = dataclasses.replace(one)
    assert cache.key_of(one) == cache.key_of(again)


def test_a_set_is_found_again_under_its_present_name_only(before):
    assert cache.key_of(before) != cache.key_of(before.with_meta(name="Another name"))


@pytest.mark.parametrize("given", [object(), pd.DataFrame({"a": [object()]}), np.array([object()]), threading.Lock()])
def test_what_has_no_key_is_refused_rather_than_guessed_at(given):
    with pytest.raises(TypeError, match="has no key of its content"):
        cache.table(str, given)


def test_a_function_made_at_every_call_is_refused():
    with pytest.raises(TypeError, match="made anew"):
        cache.table(lambda: 1)


calls: list[int] = []


def counted(number: int, size: int = 0) -> np.ndarray:
    calls.append(number)
    return np.zeros(size, dtype=np.uint8)


def test_a_figure_is_drawn_once_for_all_and_leaves_as_it_was_drawn():
    curve = pd.DataFrame({"epoch": [1, 2], "reconstruction": [2.0, 1.0], "kl": [0.1, 0.2]})
    once, again = (cache.drawn(training_curve, curve.copy()) for _ in range(2))
    assert once is again
    assert cache.drawn(training_curve, 2 * curve) is not once
    fresh = training_curve(curve)
    assert pio.to_json(once, validate=False) == pio.to_json(once, validate=False) == fresh.to_json()
    page, expected = (one.to_html(include_plotlyjs=False, div_id="figure") for one in (once, fresh))
    assert page == expected


def test_a_table_is_a_copy_and_what_is_shared_is_one_object():
    calls.clear()
    one, other = cache.table(counted, 1, size=3), cache.table(counted, 1, size=3)
    one[:] = 7
    assert not other.any()
    assert cache.shared(counted, 2) is cache.shared(counted, 2)
    assert calls == [1, 2]


def test_the_least_recently_used_is_given_up_when_the_bytes_are_spent():
    calls.clear()
    kept = cache.Kept(most_bytes=1200)
    for number in (1, 2, 1, 3, 1, 2):
        kept.get(str(number), lambda number=number: counted(number, 400), cache.n_bytes)
    assert calls == [1, 2, 3, 2]
    assert kept.n_bytes <= 1200
    kept.get("large", lambda: counted(4, 5000), cache.n_bytes)
    assert len(kept) == 1, "one that alone is larger stays, or every run would compute it again"


def test_the_number_of_small_results_is_bounded_too():
    kept = cache.Kept(most_bytes=100 * cache.FEWEST_KEPT)
    for number in range(2 * cache.FEWEST_KEPT):
        kept.get(str(number), lambda: b"", len)
    assert len(kept) == cache.FEWEST_KEPT


def test_what_many_ask_for_at_once_is_computed_once():
    calls.clear()
    begun, kept = threading.Barrier(4), cache.Kept(most_bytes=1000)
    found = []

    def ask() -> None:
        begun.wait()
        found.append(kept.get("key", lambda: counted(1), cache.n_bytes))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == [1]
    assert all(one is found[0] for one in found)


def test_an_error_is_not_kept():
    kept = cache.Kept(most_bytes=1000)
    with pytest.raises(ZeroDivisionError):
        kept.get("key", lambda: 1 // 0, cache.n_bytes)
    assert kept.get("key", lambda: 1, cache.n_bytes) == 1


def test_the_size_of_a_set_is_that_of_its_arrays(before):
    assert cache.n_bytes(before) == pytest.approx(before.signal.nbytes, rel=0.1)


def test_memory_is_given_back_when_the_last_visitor_has_left():
    cache.clear()
    cache._visitors.clear()  # of other tests
    cache.shared(counted, 5)
    cache._visitors.add("someone")
    cache.clear_if_empty()
    assert len(cache._SHARED) == 1
    for visitor in ("someone", "someone else", "a third"):
        cache._left(visitor)
    waiting = [one for one in threading.enumerate() if getattr(one, "function", None) == cache._TIDYING.now]
    assert len(waiting) == 1  # and no thread for each of them
    cache._TIDYING.now()
    assert len(cache._SHARED) == 1  # who reloads a page finds it again
    cache._TIDYING._last -= cache.GRACE_SECONDS
    cache._TIDYING.now()
    assert len(cache._SHARED) == 0
    assert cache._TIDYING._timer is None


def test_every_function_that_makes_a_visitor_wait_exists():
    root = Path(cache.__file__).parents[1]
    sources = [path.read_text("utf-8") for folder in ("ui", "spectra_core") for path in (root / folder).rglob("*.py")]
    defined = {name for source in sources for name in re.findall(r"(?m)^ *def (\w+)\(", source)}
    assert set(cache.WAITING) <= defined


def test_what_the_shelf_of_a_class_holds_is_loaded_once_and_what_a_workspace_holds_for_it_alone(tmp_path, mixtures):
    first, second = (Store(classroom.home_of_secret(tmp_path, classroom.new_secret())) for _ in range(2))
    shared, own = Store(tmp_path).save_set(mixtures), first.save_set(mixtures.take(np.arange(6)))
    assert cache.shared(Store.load_set, first, shared) is cache.shared(Store.load_set, second, shared)
    assert len(cache.shared(Store.load_set, first, own)) == 6
    with pytest.raises(StoreError, match="not in the store"):
        cache.shared(Store.load_set, second, own)
