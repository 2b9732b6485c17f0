"""Modules are passed over by garbage collection, and what visitors make is not."""

import gc
import sys
import types
import weakref

import pytest

from ui import garbage


@pytest.fixture(autouse=True)
def thawed():
    gc.unfreeze()  # what the tests themselves take out of collection
    yield
    gc.unfreeze()


@pytest.fixture
def spared(monkeypatch):
    monkeypatch.setattr(garbage, "has_server", lambda: True)
    return garbage.Spared()


class Ring:
    """Only a collection ends it: it holds itself."""

    def __init__(self):
        self.held = self


def test_what_stands_is_passed_over_and_what_comes_later_is_collected(spared):
    spared.modules()
    assert gc.get_freeze_count() > 10_000
    seen = weakref.ref(Ring())
    gc.collect()
    assert seen() is None


def test_garbage_is_not_kept(spared):
    seen = weakref.ref(Ring())
    spared.modules()
    assert seen() is None


def test_it_comes_again_only_with_many_modules(spared, monkeypatch):
    spared.modules()
    known = gc.get_freeze_count()
    kept = [[] for _ in range(1000)]
    spared.modules()
    assert gc.get_freeze_count() <= known
    more = {f"made_up_{number}": types.ModuleType("made_up") for number in range(garbage.MANY_MODULES)}
    monkeypatch.setattr(sys, "modules", sys.modules | more)
    spared.modules()
    assert gc.get_freeze_count() > known + len(kept)


def test_without_a_server_nothing_is_spared(monkeypatch):
    known = gc.get_freeze_count()
    garbage.Spared().modules()
    assert gc.get_freeze_count() <= known
