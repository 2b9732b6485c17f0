"""A real scheduler and real workers on loopback, in processes of their own."""

import itertools
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

pytest.importorskip("distributed", reason="the optional package distributed is not installed")

from spectra_core.choices import Choice
from spectra_core.cli.commands import main
from spectra_core.cli.shared import wide_table
from spectra_core.cluster import Cluster, overview
from spectra_core.cluster.dispatch import Dispatch
from spectra_core.contracts import NO_MEMO, Cancelled
from spectra_core.errors import ClusterError, ConfigError
from spectra_core.experiment import Arm, Experiment, run
from spectra_core.experiment.fold import OnceMemo
from spectra_core.experiment.parts import parts_of
from spectra_core.experiment.run import _units
from spectra_core.store.files import write_at
from spectra_core.training.versions import versions
from tests.cluster import forked
from tests.conftest import beer_lambert_set
from tests.experiment.test_run import ARMS, MLP, Interrupted

SMALL = Experiment(arms=(*ARMS[:2], ARMS[3], *ARMS[4:6]), regressors=(MLP,), n_folds=3, seed=1)
"""Arms of every kind of unit; two of them share a generator."""
LONG = Experiment(arms=(Arm("Baseline", "baseline"),), regressors=(Choice("mlp", {"epochs": 100_000}),), n_folds=3)
"""Units of minutes, yet the first thousandth of the whole, which is told, is a second of one."""
SECONDS_EACH = replace(LONG, regressors=(Choice("mlp", {"epochs": 400}),))
"""Three units, each long enough to be stopped in the middle."""
PATIENCE = 120.0
ROOT = Path(__file__).parents[2]
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([forked.__name__])


class Processes:
    """A scheduler and its workers, ended with the test."""

    def __init__(self, folder: Path, worker_ttl: str = "6s") -> None:
        self._folder, self._worker_ttl = folder, worker_ttl
        self._all: list[multiprocessing.Process] = []
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        self.scheduler = self._start("scheduler", "--host", self.address, "--no-dashboard", "--no-show")
        self._workers: dict[str, multiprocessing.Process] = {}
        self._names = (f"worker-{number}" for number in itertools.count())

    def cluster(self, **options: float) -> Cluster:
        return Cluster(self.address, **{"patience": PATIENCE, **options})

    def workers(self, number: int) -> list[multiprocessing.Process]:
        """Return so many living workers, after as many as needed were started or ended."""
        alive = {name: worker for name, worker in self._workers.items() if worker.is_alive()}
        for name in list(alive)[number:]:
            alive[name].kill()
            alive.pop(name).join(10)
        options = ("--no-nanny", "--no-dashboard", "--nthreads", "1", "--memory-limit", "0")
        while len(alive) < number:
            name = next(self._names)
            alive[name] = self._start("worker", self.address, "--name", name, *options)
        self._workers = alive
        until(lambda: n_listed(self.address) == number)
        return list(alive.values())

    def kill_who_works(self, number: int) -> None:
        """Kill the worker that works, and do so again with who takes over; in the end all, so that no unit goes on."""
        killed: set[str] = set()
        try:
            while len(killed) < number:
                until(lambda: working(self.address) - killed)
                name = (working(self.address) - killed).pop()
                self._workers[name].kill()
                self._workers[name].join(10)
                killed.add(name)
        finally:
            for worker in self._workers.values():
                worker.kill()

    def freeze_at_work(self, worker: multiprocessing.Process) -> None:
        """Stop a worker in the middle of a unit, so that it is certain to hold one."""
        name = next(name for name, one in self._workers.items() if one is worker)
        while True:
            until(lambda: name in working(self.address, on="Baseline"))  # not on taking the spectra in
            os.kill(worker.pid, signal.SIGSTOP)
            time.sleep(0.5)  # what it had sent before has come in then
            if name in working(self.address, on="Baseline"):
                return
            os.kill(worker.pid, signal.SIGCONT)

    def _start(self, command: str, *arguments: str) -> multiprocessing.Process:
        process = PROCESSES.Process(target=forked.do, args=(command, arguments, self._folder, self._worker_ttl))
        process.start()
        self._all.append(process)
        return process

    def end(self) -> None:
        for process in reversed(self._all):
            process.kill()
            process.join(10)


def n_listed(address):
    try:
        return len(overview(address).workers)
    except ClusterError:
        return -1


def until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    started = Processes(tmp_path_factory.mktemp("cluster"))
    yield started
    started.end()


@pytest.fixture(scope="module")
def local(mixtures):
    return run(SMALL, mixtures)


def cancel():
    raise Cancelled


class Listener:
    """A reporter that notes what it is told, and acts when the share done passes a bound."""

    def __init__(self, at=2.0, act=lambda: None):
        self.messages, self.shares, self.stages = [], [], []
        self._at, self._act = at, act

    def progress(self, stage, done, total, values=None):
        self.shares.append(done / total)
        self.stages.append(stage)
        if self.shares[-1] >= self._at:
            self._at = 2.0
            self._act()

    def message(self, text):
        self.messages.append(text)


def same(one, other):
    for name in one.tables:
        pd.testing.assert_frame_equal(one.tables[name], other.tables[name], check_exact=True)


def working(address, on=""):
    """Return the names of the workers that do something, or something of that name."""
    workers = overview(address).workers
    return set(workers[(workers["works_on"] != "") & workers["works_on"].str.contains(on, regex=False)]["name"])


def long_unit(mixtures):
    return _units(LONG, parts_of(LONG, mixtures, OnceMemo(NO_MEMO)))[:1]


def test_what_units_share_is_made_once(processes, mixtures, monkeypatch):
    processes.workers(2)
    made = []
    take_in = Dispatch._take_in
    monkeypatch.setattr(
        Dispatch, "_take_in", lambda self, future, result: (made.extend(result), take_in(self, future, result))
    )
    run(SMALL, mixtures, workforce=processes.cluster())
    units = _units(SMALL, parts_of(SMALL, mixtures, OnceMemo(NO_MEMO)))
    shared = {key for unit in units for key in unit.shared}
    assert shared
    assert shared | {unit.key for unit in units} <= set(made)
    assert len(made) == len(set(made))


class TestLosses:
    def test_two_workers_with_one_killed_in_the_middle_give_the_local_bits(self, processes, mixtures, local):
        killed, _ = processes.workers(2)
        listener = Listener(0.3, killed.kill)
        found = run(SMALL, mixtures, reporter=listener, workforce=processes.cluster())
        same(found, local)
        killed.join(PATIENCE)
        assert killed.exitcode == -signal.SIGKILL
        assert max(listener.shares) == 1.0
        assert sum("is one of ours" in text for text in listener.messages) == 2

    def test_a_worker_that_hangs_is_passed_over_and_the_bits_are_the_local_ones(self, processes, mixtures):
        frozen, _ = processes.workers(2)
        freezing = threading.Thread(target=processes.freeze_at_work, args=(frozen,))
        freezing.start()
        listener = Listener()
        found = run(SECONDS_EACH, mixtures, reporter=listener, workforce=processes.cluster())
        freezing.join(PATIENCE)
        frozen.kill()
        frozen.join(10)
        same(found, run(SECONDS_EACH, mixtures))
        # Once for each of its units: Dask may have had another one wait for it.
        assert any("was lost while it worked on" in text for text in listener.messages)


class TestALostScheduler:
    """One of its own, since the others need theirs."""

    def test_that_freezes_or_dies_ends_the_run_in_a_sentence_and_what_was_finished_is_not_done_again(
        self, tmp_path, mixtures, local
    ):
        own = Processes(tmp_path, worker_ttl="60s")
        memo = Interrupted(10_000)
        try:
            own.workers(1)
            listener = Listener(1e-6, lambda: os.kill(own.scheduler.pid, signal.SIGSTOP))
            with pytest.raises(ClusterError, match="no longer answers"):
                run(LONG, mixtures, reporter=listener, workforce=own.cluster(silence=3.0))
            os.kill(own.scheduler.pid, signal.SIGCONT)
            until(lambda: not working(own.address))
            listener = Listener(0.3, own.scheduler.kill)
            with pytest.raises(ClusterError, match=r"at tcp://\S+ no longer answers. Finished parts are kept"):
                run(SMALL, mixtures, reporter=listener, memo=memo, workforce=own.cluster(silence=3.0))
        finally:
            own.end()
        finished = dict(memo.kept)
        assert finished
        same(run(SMALL, mixtures, memo=memo), local)
        assert all(memo.kept[key] is content for key, content in finished.items())
        assert len(memo.kept) > len(finished)


class TestStopping:
    def test_cancelled_work_stops_on_the_workers_and_what_was_finished_is_resumed(
        self, processes, mixtures, local, monkeypatch
    ):
        processes.workers(1)
        memo = Interrupted(10_000)
        with pytest.raises(Cancelled):
            run(
                SMALL,
                mixtures,
                reporter=Listener(0.3, cancel),
                memo=memo,
                workforce=processes.cluster(),
            )
        until(lambda: not working(processes.address))
        n_units = len(_units(SMALL, parts_of(SMALL, mixtures, OnceMemo(NO_MEMO))))
        handed_out = []
        submit = Dispatch._start
        monkeypatch.setattr(Dispatch, "_start", lambda self, *what: (handed_out.append(what), submit(self, *what)))
        same(
            run(SMALL, mixtures, memo=memo, workforce=processes.cluster()),
            local,
        )
        assert 0 < len(handed_out) < 0.9 * n_units

    def test_a_unit_that_runs_is_left_within_a_moment(self, processes, mixtures):
        processes.workers(1)
        listener = Listener(1e-6, cancel)
        with pytest.raises(Cancelled):
            run(LONG, mixtures, reporter=listener, workforce=processes.cluster())
        until(lambda: not working(processes.address))

    def test_workers_stop_when_whoever_asked_is_gone(self, processes, mixtures, tmp_path):
        processes.workers(1)
        script = tmp_path / "study.py"
        script.write_text(
            "import sys\n"
            "from tests.conftest import beer_lambert_set\n"
            "from tests.cluster.test_cluster import LONG\n"
            "from spectra_core.experiment import run\n"
            "from spectra_core.cluster import Cluster\n"
            "run(LONG, beer_lambert_set(), workforce=Cluster(sys.argv[1]))\n"
        )
        asking = subprocess.Popen(
            [sys.executable, str(script), processes.address], env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
        until(lambda: working(processes.address))
        asking.kill()
        asking.wait(10)
        until(lambda: not working(processes.address))


def test_the_command_line_and_the_environment_lead_to_the_cluster(processes, tmp_path, monkeypatch):
    processes.workers(1)
    monkeypatch.delenv("SPECTRA_SCHEDULER", raising=False)
    used = []
    submit = Dispatch._start
    monkeypatch.setattr(Dispatch, "_start", lambda self, *what: (used.append(what), submit(self, *what)))
    write_at(tmp_path / "mixtures.csv", wide_table(beer_lambert_set()).to_csv(index=False).encode())
    study = ["study", "--data", str(tmp_path / "mixtures.csv"), "--arms", "Baseline", "--regressors", "ridge"]
    study += ["--folds", "3"]
    numbers = []
    for out, more in (("here", []), ("option", ["--scheduler", processes.address]), ("environment", [])):
        if out == "environment":
            monkeypatch.setenv("SPECTRA_SCHEDULER", processes.address)
        monkeypatch.setenv("SPECTRA_HOME", str(tmp_path / out))  # an empty memo
        assert main([*study, "--out", str(tmp_path / out), *more]) == 0
        numbers.append(len(used))
    assert numbers == [0, 3, 6]
    tables = [(tmp_path / out / "predictions.csv").read_bytes() for out in ("here", "option", "environment")]
    assert tables[0] == tables[1] == tables[2]


class TestRefusals:
    def test_no_scheduler(self, mixtures, monkeypatch):
        monkeypatch.setattr("spectra_core.cluster.cluster.CONNECT_SECONDS", 0.5)
        with pytest.raises(ClusterError, match=r"No scheduler answers at tcp://127.0.0.1:9\. .* on this computer"):
            run(SMALL, mixtures, workforce=Cluster("tcp://127.0.0.1:9"))

    @pytest.mark.parametrize("address", ["localhost", "http://host:80", "tcp://host", "tcp://a b:80"])
    def test_no_address(self, address):
        with pytest.raises(ConfigError, match=r"looks like tcp://host:8786, got "):
            Cluster(address)

    def test_workers_with_other_versions_are_left_out_with_the_reason(self, processes, mixtures, monkeypatch):
        processes.workers(1)
        monkeypatch.setattr("spectra_core.cluster.dispatch.versions", lambda: {**versions(), "torch": "1.0"})
        with pytest.raises(ClusterError, match=r"None of the workers .* has torch .*, here it is 1\.0.*Install"):
            run(SMALL, mixtures, workforce=processes.cluster())

    def test_a_mistake_in_the_experiment_is_told_as_in_a_local_run(self, processes, mixtures):
        processes.workers(1)
        unit = replace(long_unit(mixtures)[0], task={"kind": "prediction", "experiment": {}, "place": [0, 0, 0]})
        with pytest.raises(ConfigError, match="An experiment needs the field 'arms'"):
            processes.cluster().work_through([unit], mixtures, OnceMemo(NO_MEMO), Listener())


class TestOverview:
    def test_workers_and_what_they_do(self, processes, mixtures):
        processes.workers(1)
        seen = []
        listener = Listener(1e-6, lambda: (seen.append(overview(processes.address).workers), cancel()))
        with pytest.raises(Cancelled):
            run(LONG, mixtures, reporter=listener, workforce=processes.cluster())
        assert list(seen[0]["works_on"]) == ["Baseline: MLP, repetition 1, fold 1"]
        assert list(seen[0]["threads"]) == [1]

    def test_a_scheduler_that_does_not_answer(self):
        with pytest.raises(ClusterError, match=r"No scheduler answers at tcp://127.0.0.1:9"):
            overview("tcp://127.0.0.1:9")


def test_without_an_address_the_package_is_not_loaded():
    code = (
        "import sys, spectra_core.jobs.tasks, spectra_core.cli.commands, spectra_core.cluster as c\n"
        "assert c.workforce(None) is None\n"
        "assert not {'distributed', 'dask'} & set(sys.modules)"
    )
    environment = {name: value for name, value in os.environ.items() if name != "SPECTRA_SCHEDULER"}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, env=environment)


class TestNoneLeft:
    """Last, since it ends all workers."""

    def test_a_unit_that_loses_two_workers_is_named_and_not_tried_again(self, processes, mixtures):
        processes.workers(2)
        killing = threading.Thread(target=processes.kill_who_works, args=(2,))
        killing.start()
        listener = Listener()
        with pytest.raises(
            ClusterError, match=r"“Baseline: MLP”, repetition 1, fold 1, lost two workers: tcp://.* and "
        ):
            processes.cluster().work_through(long_unit(mixtures), mixtures, OnceMemo(NO_MEMO), listener)
        killing.join(PATIENCE)
        assert sum("another one repeats it" in text for text in listener.messages) == 1

    def test_a_cluster_without_workers_is_not_waited_for_for_ever(self, processes, mixtures):
        processes.workers(0)
        with pytest.raises(ClusterError, match=r"has had no worker for 1 seconds. Start workers."):
            run(SMALL, mixtures, workforce=processes.cluster(patience=1.0))
