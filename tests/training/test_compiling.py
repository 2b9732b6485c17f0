"""What numba keeps on disk: whether it is there, ready ahead of a person, and what is said where it is not."""

import hashlib
import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest

from spectra_core.contracts import Budget
from spectra_core.jobs import compiling_ahead
from spectra_core.training import compiling, kernels, mlp_kernels, vae_kernels
from spectra_core.training.compiling import must_compile
from spectra_core.training.mlp_kernels import mlp_epoch
from spectra_core.training.mlps import train_mlps
from spectra_core.training.vae_kernels import vae_epoch

SOURCE = "import numba\n\n\n@numba.njit(cache={cache})\ndef twice(x):\n    return 2 * x\n"


@pytest.fixture
def load(tmp_path):
    """Load a module afresh, as a new process would."""

    def load(cache=True):
        path = tmp_path / "small.py"
        if not path.exists():
            path.write_text(SOURCE.format(cache=cache))
        spec = importlib.util.spec_from_file_location("small", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.twice

    return load


def test_compiled_once_a_function_is_ready_in_later_processes_until_its_source_changes(load, tmp_path):
    first = load()
    assert must_compile(first)
    assert first(3) == 6
    assert not must_compile(first)
    later = load()
    assert not must_compile(later)
    assert later(3) == 6
    assert sum(later.stats.cache_hits.values()) == 1
    (tmp_path / "small.py").write_text(SOURCE.format(cache=True).replace("2 *", "3 *"))
    os.utime(tmp_path / "small.py", (2e9, 2e9))  # Python itself goes by the time
    changed = load()
    assert must_compile(changed)
    assert changed(3) == 9
    assert sum(changed.stats.cache_hits.values()) == 0


def test_with_another_version_of_numba_the_files_tell(load, monkeypatch):
    first = load()
    monkeypatch.setattr(type(first._cache._cache_file), "_load_index", property(lambda self: self.gone))
    assert must_compile(first)
    monkeypatch.undo()
    first(3)
    later = load()
    monkeypatch.setattr(type(later._cache._cache_file), "_load_index", property(lambda self: self.gone))
    assert not must_compile(later)


def test_what_is_not_kept_compiles_in_every_process(load):
    assert load(cache=False)(3) == 6
    assert must_compile(load(cache=False))


@pytest.mark.parametrize("epoch", [mlp_kernels, vae_kernels])
def test_who_changes_the_kernels_changes_the_files_that_numba_looks_at(epoch):
    source = Path(kernels.__file__).read_text("utf-8")
    stamp = hashlib.sha256(source.encode()).hexdigest()[:16]
    assert stamp == epoch.KERNELS, f"Write KERNELS = {stamp!r} into {epoch.__file__}, else numba runs old kernels."


class Listener:
    def __init__(self):
        self.heard = []

    def progress(self, stage, done, total, values=None):
        self.heard.append(done)

    def message(self, text):
        self.heard.append(text)


@pytest.mark.parametrize(("kernels", "ready", "told"), [("numba", False, 1), ("numba", True, 0), ("torch", False, 0)])
def test_a_person_is_told_once_and_before_the_first_epoch(monkeypatch, kernels, ready, told):
    monkeypatch.setattr(compiling, "must_compile", lambda function: not ready)
    monkeypatch.setattr(compiling, "_told", type(compiling._told)())
    values, listener = np.random.default_rng(0).random((8, 3)), Listener()
    for _ in range(2):
        train_mlps(values, values[:, :1], hidden=(2,), budget=Budget(epochs=1), kernels=kernels, reporter=listener)
    assert listener.heard == [compiling.SENTENCE, 0] * told + [1, 1]


def test_everything_is_ready_once_it_was_compiled_ahead(monkeypatch):
    compiling_ahead._use_all()
    assert not any(map(must_compile, (mlp_epoch, vae_epoch)))
    monkeypatch.setattr(compiling_ahead, "_use_all", lambda: 1 / 0)
    assert compiling_ahead.compile_ahead() is False


def test_what_could_not_be_kept_is_not_compiled_ahead(monkeypatch, load):
    monkeypatch.setattr("spectra_core.training.mlp_kernels.mlp_epoch", load(cache=False))
    monkeypatch.setattr(compiling_ahead, "_use_all", lambda: 1 / 0)
    compiling_ahead.compile_ahead()
