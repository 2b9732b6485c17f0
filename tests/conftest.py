"""Small data sets with known truth, shared by the tests."""

import gc
import importlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock

from spectra_core.contracts import SILENT
from spectra_core.jobs import processes
from spectra_core.spectra import SetMeta, SpectralAxis, SpectraSet, Target
from spectra_core.store import Store

WITH_PROCESSES = ("browser", "cluster", "jobs")
"""Folders whose tests drive real browsers, workers and jobs, which a busy machine may hold up longer than they wait."""

LONGEST = ("browser", "pages", "cluster", "jobs", "training", "experiment", "evaluation", "generators")
"""Folders that take longest, begun first: so no process waits long for another at the end."""

N_PROCESSES = 3
"""One more than processors: browsers, workers and jobs often wait."""


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Run the whole suite in processes side by side where there are two processors; decision 175."""
    option = config.option
    whole = config.args_source is config.ArgsSource.TESTPATHS and not (option.collectonly or option.usepdb)
    wanted = option.numprocesses
    if wanted is None:
        wanted = N_PROCESSES if (os.cpu_count() or 1) > 1 else 0
    if whole and wanted and not hasattr(config, "workerinput"):
        option.numprocesses, option.dist, option.loadscopereorder = wanted, "loadscope", False
        # Containers often forbid to write compiled modules down; then every process would compile all of them anew.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        # In a new clone all processes, jobs and workers would each compile what trains networks, for half a minute.
        code = "from spectra_core.jobs.compiling_ahead import compile_ahead; compile_ahead()"
        compiling = subprocess.Popen([sys.executable, "-c", code], cwd=config.rootpath)
        config.add_cleanup(compiling.wait)


COLLECTING = pytest.StashKey[FileLock]()
"""Held by the first process while it collects."""


def pytest_configure(config: pytest.Config) -> None:
    """Let jobs run at the priority of the tests that wait for them, where other tests take all processors.

    In a new clone, let one process write down compiled modules and rewritten checks, for the others to read.
    """
    if hasattr(config, "workerinput"):
        os.environ[processes.STEPPED_BACK] = "1"
        name = f"collecting-{config.workerinput['testrunuid']}.lock"
        config.stash[COLLECTING] = FileLock(Path(tempfile.gettempdir()) / name)
        if config.workerinput["workerid"] == "gw0":
            config.stash[COLLECTING].acquire()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep a folder in one process."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFolder(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return _folder_of(Path(nodeid.split("::", maxsplit=1)[0]))

    return ByFolder(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Collect no garbage while modules are loaded: nothing of them is garbage."""
    gc.disable()
    lock = session.config.stash.get(COLLECTING, None)
    if lock is not None and not lock.is_locked:
        for library in ("torch", "sklearn.ensemble", "plotly.graph_objects", "streamlit.testing.v1"):
            importlib.import_module(library)
        with lock:
            pass


def pytest_collection_finish(session: pytest.Session) -> None:
    """Let garbage collection pass over libraries and tests, as the app does: Streamlit collects after every run."""
    lock = session.config.stash.get(COLLECTING, None)
    if lock is not None:
        lock.release()
        Path(lock.lock_file).unlink(missing_ok=True)
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the folders that take longest; try a test that drives processes of its own again where it fails.

    Both tries are printed, and what is broken fails twice.
    """
    folders = {item: _folder_of(item.path.relative_to(config.rootpath)) for item in items}
    for item, folder in folders.items():
        if folder in WITH_PROCESSES:
            item.add_marker(pytest.mark.flaky(reruns=1))
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: LONGEST.index(folders[item]) if folders[item] in LONGEST else len(LONGEST))


def _folder_of(path: Path) -> str:
    return path.with_suffix("").parts[:2][-1]


SALT_TABLE = {
    "CuSO4": {"Cu2+": 1, "SO4 2-": 1},
    "Ni(NO3)2": {"Ni2+": 1, "NO3-": 2},
    "NiSO4": {"Ni2+": 1, "SO4 2-": 1},
}
ION_TARGETS = (
    Target("Cu2+", "mol/L", charge=2, molar_mass=63.546),
    Target("Ni2+", "mol/L", charge=2, molar_mass=58.693),
    Target("SO4 2-", "mol/L", charge=-2, molar_mass=96.06),
    Target("NO3-", "mol/L", charge=-1, molar_mass=62.005),
)
BANDS = {
    "Cu2+": (810.0, 120.0, 12.0),
    "Ni2+": (394.0, 30.0, 5.0),
    "SO4 2-": (230.0, 20.0, 1.0),
    "NO3-": (302.0, 20.0, 7.0),
}


def beer_lambert_set(n_spectra: int = 60, n_channels: int = 50, seed: int = 0, noise: float = 1e-3) -> SpectraSet:
    """Charge-balanced mixtures of three salts; absorbance is exactly additive, plus white noise."""
    rng = np.random.default_rng(seed)
    positions = np.linspace(220.0, 1000.0, n_channels)
    salts = rng.uniform(0.0, 0.2, (n_spectra, len(SALT_TABLE)))
    stoichiometry = np.array([[ions.get(t.name, 0) for t in ION_TARGETS] for ions in SALT_TABLE.values()], float)
    ions = salts @ stoichiometry
    absorptivity = np.array(
        [height * np.exp(-0.5 * ((positions - centre) / width) ** 2) for centre, width, height in BANDS.values()]
    )
    signal = ions @ absorptivity + noise * rng.standard_normal((n_spectra, n_channels))
    return SpectraSet(
        SpectralAxis(positions),
        signal,
        pd.DataFrame(ions, columns=[t.name for t in ION_TARGETS]),
        target_info=ION_TARGETS,
        meta=SetMeta("Beer-Lambert mixtures", "simulated", provenance={"salts": SALT_TABLE}),
    )


def relabelled(spectra: SpectraSet, targets: pd.DataFrame) -> SpectraSet:
    """Return the same spectra with other values for the same targets."""
    info, samples, meta = spectra.target_info, spectra.samples, spectra.meta
    return SpectraSet(spectra.axis, spectra.signal, targets, target_info=info, samples=samples, meta=meta)


@pytest.fixture(scope="session")
def mixtures() -> SpectraSet:
    """60 charge-balanced mixtures, 50 channels, 4 ions from 3 salts."""
    return beer_lambert_set()


@pytest.fixture(scope="session")
def short_demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A data folder in which the demo was run on few spectra, to be copied, and what it made."""
    from spectra_core.jobs.demo import run_demo

    return made_once("demo", tmp_path_factory, lambda store: run_demo({"n_spectra": 60, "epochs": 2}, SILENT, store))


@pytest.fixture(scope="session")
def hostile_folder(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A data folder in which everything has a hostile name, to be copied, and what to open of it."""
    from tests.hostile_names import fill_with_judgements

    return made_once("names", tmp_path_factory, fill_with_judgements)


def made_once(
    name: str, factory: pytest.TempPathFactory, make: Callable[[Store], dict[str, str]]
) -> tuple[Path, dict[str, str]]:
    """Return a data folder and what was made in it, by whichever of the processes came first."""
    base = factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, made = shared / name, shared / f"{name}.json"
    with FileLock(shared / f"{name}.lock"):
        if not made.exists():
            made.write_text(json.dumps(make(Store(folder))))
    return folder, json.loads(made.read_text())


@pytest.fixture(scope="session", autouse=True)
def no_flush() -> Iterator[None]:
    """No test cuts the power, and a disk takes its time to be flushed; tests that fail there do so by themselves."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


@pytest.fixture(scope="session")
def components_found_once():
    """Streamlit asks every installed package for components whenever a test opens the app: four fifths of its time."""
    from streamlit.components.v2 import manifest_scanner

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield
