"""Kill real jobs of every kind at any moment, resume them, and look what is left: ``python -m benchmarks.kill_rounds``.

Every round copies a small data folder, lets a server of its own put a job and another one behind it into the queue, and
kills (SIGKILL) the job's process, its children, the server, the process that waits for work, or all of them: at any
moment since the click, at any moment of the work, or when something is being saved. Then the queue is opened again, as
an app that is started anew does, and what can be resumed is resumed, now and then killed once more. Looked at is:
whether the outcome is that of a run nobody disturbed, byte for byte; whether the next job ran; whether everything kept
before is readable and unchanged, and nothing is kept twice; which drafts and processes are left.

``--rounds N`` of ``--kinds a;b`` in turn (all of them by default), moments drawn from ``--seed``.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from spectra_core.contracts import SILENT
from spectra_core.datasets import export
from spectra_core.errors import SpectraCoreError
from spectra_core.jobs import Jobs, processes
from spectra_core.jobs.tasks import TASKS
from spectra_core.store import Store
from spectra_core.store.files import exclusive, sha256_of_file
from spectra_core.store.memo import load_arrays
from spectra_core.store.staging import sweep

SERVER = """
import json, sys, time
from pathlib import Path
from spectra_core.jobs import Jobs
home, warm, first, then = sys.argv[1:]
jobs, begin = Jobs(Path(home)), time.monotonic()
while time.monotonic() - begin < float(warm):
    jobs.keep_ready()
    time.sleep(0.3)
for one in (first, then):
    print(jobs.submit(*json.loads(one)), flush=True)
while True:
    if float(warm):
        jobs.keep_ready()
    jobs.records()
    time.sleep(0.5)
"""
"""What an app does of these: keep a process ready where it is warm, submit, look at the list."""
TINY_VAE = {"generator": "vae", "options": {"n_hidden": 8, "n_latent": 3, "epochs": 150}}
NEXT = ("simulate", {"preset": "beer_lambert", "n_spectra": 5, "settings": {"step": 50.0}, "name": "Next"}, "Next")
VICTIMS = ("job", "children", "server", "waiting", "all")
MOMENTS = ("since the click", "at work", "at work", "while saving")
SHELVES = ("sets", "models", "calibrations", "results", "uploads")
ENDS = 300.0
"""Seconds after which a job that has not ended is given up."""
LINGERS = 20.0
"""Seconds that processes have to be gone."""


@dataclass(frozen=True)
class Undisturbed:
    """What a run that nobody disturbed left.

    Parameters
    ----------
    home
        The data folder before it.
    outcome, counts
        What it made, and how many entries there are by shelf.
    begins, ends
        Seconds from the click to the first progress and to the end.
    """

    home: Path
    outcome: dict[str, str]
    counts: dict[str, int]
    begins: float
    ends: float


def prepared(home: Path) -> dict[str, str]:
    """Fill a data folder with what jobs need, and return the keys."""
    store = Store(home)
    small = {"preset": "msu_like", "n_spectra": 110, "settings": {"step": 10.0}, "name": "Before"}
    made = TASKS["simulate"](small, SILENT, store)
    shorter = {**TINY_VAE, "options": {**TINY_VAE["options"], "epochs": 20}}
    made |= TASKS["train"]({"set": made["set"], "seed": 9, **shorter}, SILENT, store)
    made["generated"] = TASKS["simulate"]({**small, "seed": 5, "name": "Others"}, SILENT, store)["set"]
    made |= TASKS["calibrate"](
        {"set": made["set"], "regressors": _regressors(store, made, "pls"), "seed": 4}, SILENT, store
    )
    made["upload"] = store.save_upload("table.csv", export(store.load_set(made["set"]), "csv"))
    shutil.rmtree(home / "memo", ignore_errors=True)  # what the jobs would look up
    return made


def _regressors(store: Store, made: Mapping[str, str], name: str) -> dict[str, Any]:
    return {target: {"name": name} for target in store.load_set(made["set"]).target_names[:2]}


def jobs_of(made: Mapping[str, str], store: Store) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return task and arguments by kind of job."""
    spectra, pair = {"set": made["set"]}, {"set": made["set"], "generated": made["generated"], "model": made["model"]}
    arms = [{"name": "Baseline", "kind": "baseline"}, {"name": "Duplicates", "kind": "duplicate_rows"}]
    experiment = {"arms": arms, "n_folds": 4, "reference": "baseline"}
    mlp = {"name": "mlp", "options": {"epochs": 30}}
    ensemble = {"name": "mlp_ensemble", "options": {"epochs": 30}}
    return {
        "simulate": ("simulate", {"preset": "msu_like", "n_spectra": 300, "seed": 7, "settings": {"step": 5.0}}),
        "train VAE": ("train", {**spectra, "seed": 1, **TINY_VAE}),
        "train MLP": ("train", {**spectra, "seed": 1, "regressor": "mlp", "options": {"epochs": 100}}),
        "import": ("import", {"uploads": [made["upload"]], "name": "Imported"}),
        "calibrate": ("calibrate", {**spectra, "regressors": _regressors(store, made, "gaussian_process")}),
        "study": ("study", {**spectra, "experiment": {**experiment, "regressors": ["pls", mlp], "n_repeats": 3}}),
        "study, ensemble": ("study", {**spectra, "experiment": {**experiment, "regressors": [ensemble]}}),
        "pilot": ("pilot", {**spectra, "experiment": {**experiment, "regressors": [mlp]}}),
        "fidelity": ("fidelity", pair),
        "bench": ("bench", spectra),
        "map": ("map", {**pair, "method": "umap"}),
        "neighbours": ("neighbours", pair),
        "advise": ("advise", {**spectra, "minutes": 0.7, "reference": {"name": "pls"}}),
        "demo": ("spectra_core.jobs.demo:run_demo", {"n_spectra": 60, "epochs": 2}),
    }


def outcome_of(store: Store, result: Mapping[str, Any]) -> dict[str, str]:
    """Return what decides every bit of what a job made: fingerprints, and the sha256 of documents and tables."""
    contents = {one.id: one.content for one in store.results()}
    return {name: contents.get(key, key) for name, key in result.items()}


def counts_of(store: Store) -> dict[str, int]:
    """Return how many entries there are by shelf."""
    listed = (store.sets(), store.models(), store.calibrations(), store.results())
    n_uploads = len(list((store.root / "uploads").glob("*")))
    return dict(zip(SHELVES, [*map(len, listed), n_uploads], strict=True))


def undisturbed(kind: str, job: tuple[str, dict[str, Any]], template: Path, folder: Path) -> Undisturbed:
    """Run a job that nobody kills in a copy of the data folder, another one behind it."""
    home = folder / kind.replace(" ", "-") / "home"
    begins, ends, record = _watched(job, _copied(template, home))
    if kind == "advise":  # what is planned hangs on how fast this computer was just then: that is kept
        again = _copied(template, folder / "advise-planned" / "home")
        for path in (home / "memo").rglob("*.safetensors"):
            if "predicted" not in (load_arrays(path) or {}):
                shutil.copytree(path.parent, again / "memo" / path.parent.name, dirs_exist_ok=True)
        for path in (again / "memo").rglob("*.safetensors"):
            if "predicted" in (load_arrays(path) or {}):
                path.unlink()
        template, home = again, folder / "advise-again" / "home"
        begins, ends, record = _watched(job, _copied(template, home))
    store = Store(home)
    return Undisturbed(template, outcome_of(store, record.result), counts_of(store), begins, ends)


def _watched(job: tuple[str, dict[str, Any]], home: Path) -> tuple[float, float, Any]:
    jobs, begin, begins = Jobs(home), time.monotonic(), None
    job_id, following = jobs.submit(*job, "First"), jobs.submit(*NEXT)
    while (record := jobs.record(job_id)).is_active:
        if begins is None and record.total:
            begins = time.monotonic() - begin
        time.sleep(0.02)
    ends = time.monotonic() - begin
    if record.state != "finished" or jobs.wait(following, ENDS).state != "finished":
        raise SystemExit(f"Undisturbed, the job was {record.state}: {record.error}")
    return begins or ends / 2, ends, record


def _copied(template: Path, home: Path) -> Path:
    shutil.copytree(template, home)
    return home


def one_round(job: tuple[str, dict[str, Any]], usual: Undisturbed, home: Path, chance: random.Random) -> dict[str, Any]:
    """Disturb one job in a fresh copy of the data folder; return what was done and what was wrong."""
    _copied(usual.home, home)
    before = {str(path.relative_to(home)): sha256_of_file(path) for path in _kept(home)}
    warm = chance.choice((0.0, 0.0, chance.uniform(0.0, 8.0)))
    victims, moment = chance.choice(VICTIMS), chance.choice(MOMENTS)
    told = [json.dumps([*job, "First"]), json.dumps(NEXT)]
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(home), str(warm), *told],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert server.stdout is not None
    jobs, faults, n_kills = Jobs(home), [], 0
    first = server.stdout.readline().strip() if victims != "waiting" or chance.random() < 0.5 else ""
    if first:
        _wait_for(moment, jobs, first, usual, chance)
    else:
        time.sleep(chance.uniform(0.0, warm + 1.0))
    n_kills += _kill(victims, jobs, first, server)
    time.sleep(chance.uniform(0.0, 0.5))
    taken = []
    if victims in ("server", "all") or chance.random() < 0.5:
        server.kill()
    else:
        taken = [server.stdout.readline().strip() for _ in range(1 if first else 2)]
        server.kill()
    taken = [one for one in [first, *taken, *server.stdout.read().split()] if one]
    server.wait()
    attempts = 1
    while taken and (record := jobs.wait(taken[0], ENDS)).can_resume:
        if record.state == "failed" and victims not in ("children", "all"):  # those say that they lost their helper
            faults.append(f"failed: {record.error}")
            break
        attempts += 1
        jobs.resume(taken[0])
        if chance.random() < 0.3 and attempts < 4:
            _wait_for(chance.choice(MOMENTS), jobs, taken[0], usual, chance)
            n_kills += _kill("job", jobs, taken[0], server)
    if not taken:
        taken = [jobs.submit(*job, "First")]  # killed before it was taken: nothing of it may be left
    if len(taken) == 1:
        taken.append(jobs.submit(*NEXT))
    while jobs.wait(taken[1], ENDS).can_resume:  # it was the child of a job that had just ended
        jobs.resume(taken[1])
    faults += _faults(jobs, taken, usual, before)
    done = {"warm": round(warm, 1), "victims": victims, "moment": moment, "kills": n_kills, "attempts": attempts}
    return {**done, "faults": faults}


def _wait_for(moment: str, jobs: Jobs, job_id: str, usual: Undisturbed, chance: random.Random) -> None:
    deadline = time.monotonic() + ENDS
    if moment == "since the click":
        deadline = time.monotonic() + chance.uniform(0.0, 1.1 * usual.ends)
    begun, seconds = None, chance.uniform(0.0, 1.2 * (usual.ends - usual.begins) + 0.1)
    staging = jobs.home / "staging"
    while time.monotonic() < deadline and jobs.listed() and (record := jobs.record(job_id)).is_active:
        if begun is None and record.total:
            begun = time.monotonic()
        if moment == "at work" and begun is not None and time.monotonic() - begun > seconds:
            return
        if moment == "while saving" and begun is not None and staging.is_dir() and any(staging.iterdir()):
            time.sleep(chance.uniform(0.0, 0.03))
            return
        time.sleep(0.003 if moment == "while saving" and begun is not None else 0.05)


def _kill(victims: str, jobs: Jobs, job_id: str, server: "subprocess.Popen[str]") -> int:
    process = jobs.process_of(job_id) if job_id else 0
    waiting = [note.pid for note in map(jobs._ready.read, _tokens(jobs)) if note is not None]
    children = []
    with suppress(psutil.Error):
        children = [child.pid for child in psutil.Process(process).children(recursive=True)] if process else []
    doomed = {
        "job": [process],
        "children": children or [process],
        "server": [],
        "waiting": waiting or [process],
        "all": [process, *children, *waiting],
    }[victims]
    n_killed = 0
    for one in filter(None, doomed):
        with suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)
            n_killed += 1
    if victims in ("server", "all"):
        server.kill()
        n_killed += 1
    return n_killed


def _tokens(jobs: Jobs) -> list[str]:
    return [path.stem for path in (jobs.home / "jobs" / ".ready").glob("*.json")]


def _faults(jobs: Jobs, taken: list[str], usual: Undisturbed, before: Mapping[str, str]) -> Iterator[str]:
    store = Store(jobs.home)
    states = [jobs.wait(one, ENDS) for one in taken]
    for record, what in zip(states, ("job", "next job"), strict=True):
        if record.state != "finished":
            yield f"the {what} is {record.state}: {record.error}"
    if states[0].result is not None and (found := outcome_of(store, states[0].result)) != usual.outcome:
        yield f"another outcome: {found} in place of {usual.outcome}"
    if (counts := counts_of(store)) != usual.counts:
        yield f"entries: {counts} in place of {usual.counts}"
    yield from (f"damaged: {one.kind} {one.reason}" for one in store.damaged())
    for name, digest in before.items():
        path = jobs.home / name
        if not name.startswith("uploads") and (not path.exists() or sha256_of_file(path) != digest):
            yield f"changed: {name}"
    yield from _unreadable(store)
    jobs.start_waiting()
    with exclusive(jobs.home / "jobs" / ".lock"):
        jobs._ready._free()  # as whoever keeps a process ready does
    store.trim_memo()
    for path in (jobs.home / "staging").glob("*"):  # what the sweep of the next hour takes
        os.utime(path, (0, 0))
    sweep(jobs.home)
    gone = _gone_in_time(jobs.home)
    left = [path for path in jobs.home.rglob("*") if _is_draft(path, jobs.home)]
    yield from (f"left: {path.relative_to(jobs.home)}" for path in left)
    yield from gone


def _unreadable(store: Store) -> Iterator[str]:
    loading: tuple[tuple[list[str], Callable[[str], Any]], ...] = (
        ([one.fingerprint for one in store.sets()], store.load_set),
        ([one.id for one in store.models()], store.load_model),
        ([one.id for one in store.calibrations()], store.load_calibration),
        ([one.id for one in store.results()], store.load_result),
    )
    for keys, load in loading:
        for key in keys:
            try:
                load(key)
            except SpectraCoreError as error:
                yield f"unreadable: {key[:8]} {error}"


def _gone_in_time(home: Path) -> list[str]:
    """Return the processes that still do something with a data folder; they are ended."""
    deadline = time.monotonic() + LINGERS
    while (found := list(_processes_of(home))) and time.monotonic() < deadline:
        time.sleep(0.1)
    for one in found:
        one.kill()
    return [f"lives on: {' '.join(one.info['cmdline'][2:5])}" for one in found]


def _processes_of(home: Path) -> Iterator[psutil.Process]:
    for one in psutil.process_iter(["cmdline", "status"]):
        if one.info["status"] != psutil.STATUS_ZOMBIE and any(str(home) in word for word in one.info["cmdline"] or ()):
            yield one


def _is_draft(path: Path, home: Path) -> bool:
    """Whether a file or folder was to become something, or to go away."""
    parts = path.relative_to(home).parts
    of_a_job = len(parts) == 2 and parts[0] == "jobs" and parts[1].startswith(".") and len(parts[1]) == 33
    return of_a_job or path.match(".*~*~*~*") or path.parent.name == "staging" or parts[-2:-1] == (".ready",)


def _kept(home: Path) -> Iterator[Path]:
    for shelf in SHELVES:
        yield from (path for path in (home / shelf).rglob("*") if path.is_file())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=28)
    parser.add_argument("--kinds", default="")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    os.environ[processes.STEPPED_BACK] = "1"  # jobs need not step back behind what only waits for them
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as made_here:
        folder = Path(made_here)
        template = folder / "template"
        made = prepared(template)
        every = jobs_of(made, Store(template))
        kinds = [one for one in chosen.kinds.split(";") if one] or list(every)
        usual = {}
        for kind in kinds:
            usual[kind] = undisturbed(kind, every[kind], template, folder / "undisturbed")
            print(f"{kind:16} undisturbed {usual[kind].begins:5.1f} to {usual[kind].ends:5.1f} s", flush=True)
        for number in range(chosen.rounds):
            kind = kinds[number % len(kinds)]
            chance = random.Random(f"{chosen.seed}/{number}")
            home = folder / f"round-{number}"
            found = one_round(every[kind], usual[kind], home, chance)
            faults = found.pop("faults")
            counts["rounds"] += 1
            counts["kills"] += found["kills"]
            counts["rounds with faults"] += bool(faults)
            print(f"{number + 1:3} {kind:16} {found}", *faults, sep="\n      ! " if faults else " ", flush=True)
            shutil.rmtree(home, ignore_errors=True)
    print(dict(counts))


if __name__ == "__main__":
    main()
