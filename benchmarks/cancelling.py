"""How long cancelling takes, and whether a job is ever lost: ``python -m benchmarks.cancelling``.

Jobs that hear the request at once, late (about when patience is at an end) or never are cancelled in turn, each with
another one waiting behind it; with ``--real`` trainings, an experiment of networks and others that people start, at any
moment, from the start of their process to what they do last. Timed is until the process is gone, too. ``--busy N``
processes do nothing but count meanwhile. ``--skew SECONDS`` puts the clock of the jobs' processes ahead of that of
whoever asks, or back (needs a C compiler). ``--kills N`` kills a job's process, its server or both at any moment
instead, and looks whether every job that was taken is there, ends with the result it has without kills, and leaves no
drafts; jobs that people start are killed by `benchmarks.kill_rounds`.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from spectra_core.contracts import SILENT
from spectra_core.jobs import JobRecord, Jobs, processes, reporting
from spectra_core.jobs.tasks import TASKS as TASKS_OF_PEOPLE
from spectra_core.store import Store

HERE = Path(__file__).parents[1] / "tests" / "jobs"
TASKS = ("run_until_asked", "hear_late", "ignore_everything")
Works = Callable[[Path, int], Iterator[tuple[str, str, dict[str, Any], float]]]
SUM = {"steps": 8, "seed": 3, "pause": 0.05}
CLOCK = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, now);
    if (clock == CLOCK_REALTIME) now->tv_sec += atol(getenv("CLOCK_SKEW"));
    return result;
}
time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return at ? (*at = now.tv_sec) : now.tv_sec;
}
int gettimeofday(struct timeval *at, void *zone) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}
"""
"""What a process loads whose clock is wrong; clocks that never jump stay right."""
SERVER = """
import sys, time
from pathlib import Path
from spectra_core.jobs import Jobs
jobs = Jobs(Path(sys.argv[1]))
for task, arguments in (("add_up", {arguments}), ("echo", {{"say": 1}})):
    print(jobs.submit(f"work_for_tests:{{task}}", arguments, task), flush=True)
while True:
    jobs.keep_ready()
    jobs.records()
    time.sleep(0.1)
"""


def artificial(_home: Path, n_cancels: int) -> Iterator[tuple[str, str, dict[str, Any], float]]:
    """Yield name, task, arguments, and for how many seconds it has worked when it is cancelled."""
    for number in range(n_cancels):
        task = TASKS[number % len(TASKS)]
        # From 0.1 s before the end of patience to 0.1 s after it.
        seconds = reporting.PATIENCE + 0.2 * (number / n_cancels - 0.5)
        yield task, f"work_for_tests:{task}", {"seconds": seconds}, 0.0


def real(home: Path, n_cancels: int) -> Iterator[tuple[str, str, dict[str, Any], float]]:
    """Yield what people start, on 400 spectra of 911 channels; what is cancelled at -1 s has hardly been started."""
    moments, store = random.Random(n_cancels), Store(home)
    key = {"set": TASKS_OF_PEOPLE["simulate"]({"preset": "msu_like", "n_spectra": 400}, SILENT, store)["set"]}
    arms = [{"name": "Baseline", "kind": "baseline"}, {"name": "Duplicates", "kind": "duplicate_rows"}]
    experiment = {"arms": arms, "regressors": ["mlp_ensemble"], "n_folds": 4, "reference": "baseline"}
    target = store.load_set(key["set"]).target_names[0]
    works: dict[str, tuple[str, dict[str, Any]]] = {
        "VAE": ("train", {"generator": "vae"}),
        "MLP": ("train", {"regressor": "mlp"}),
        "MLP ensemble": ("train", {"regressor": "mlp_ensemble"}),
        "experiment": ("study", {"experiment": experiment}),
        "stack": ("calibrate", {"regressors": {target: {"name": "stack"}}}),
        "metric bench": ("bench", {}),
    }
    for number in range(n_cancels):
        name = list(works)[number % len(works)]
        task, arguments = works[name]
        seed = {"experiment": {**experiment, "seed": number}} if task == "study" else {"seed": number}
        yield name, task, {**key, **arguments, **seed}, moments.choice((-1.0, moments.uniform(0.0, 6.0)))


def cancels(n_cancels: int, works: Works) -> None:
    took: dict[str, list[float]] = {}
    lost = 0
    with tempfile.TemporaryDirectory() as home:
        jobs = Jobs(Path(home))
        for number, (name, task, arguments, worked) in enumerate(works(jobs.home, n_cancels)):
            job_id = jobs.submit(task, arguments, name)
            following = jobs.submit("work_for_tests:echo", {"say": number}, "Next")
            while (record := jobs.record(job_id)).is_active and worked >= 0 and not _works(jobs, record):
                time.sleep(0.05)
            time.sleep(max(0.0, worked) if worked >= 0 else 1.5)
            process = jobs.process_of(job_id)
            began = processes.start_of(process)
            begin = time.monotonic()
            jobs.cancel(job_id)
            ended = jobs.wait(job_id, 30).state
            seconds = time.monotonic() - begin
            while began and processes.start_of(process) == began:
                processes.reap()
                time.sleep(0.01)
            gone = time.monotonic() - begin
            if ended == "cancelled":
                took.setdefault(name, []).append(gone)
            next_state = jobs.wait(following, 600).state
            lost += next_state != "finished"
            said = "" if jobs._of(job_id).read("status").get("state") == ended else ", ended from outside"
            told = f"{ended} after {seconds:5.2f} s, gone after {gone:5.2f} s, at {worked:4.1f} s in {record.stage!r}"
            print(f"{number + 1:3} {name:18} {told}, next job {next_state}{said}", flush=True)
    for name, times in took.items():
        print(f"{name:18} {len(times):3} cancels: median {np.median(times):.2f} s, longest {max(times):.2f} s")
    every = [one for times in took.values() for one in times]
    shares = ", ".join(f"{share} % within {np.percentile(every, share):.2f} s" for share in (50, 95, 100))
    print(f"{shares}; {sum(one > 2.0 for one in every)} of {len(every)} took over 2 s; {lost} following jobs lost.")


def _works(jobs: Jobs, record: JobRecord) -> bool:
    return bool(record.done or jobs.log_tail(record.id))


def kills(n_kills: int, seed: int) -> None:
    moments = random.Random(seed)
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as home:
        jobs = Jobs(Path(home))
        whole = jobs.wait(jobs.submit("work_for_tests:add_up", SUM, "Whole")).result
        assert whole is not None
        for number in range(n_kills):
            arguments = {**SUM, "seed": SUM["seed"], "number": number}
            server = subprocess.Popen(
                [sys.executable, "-c", SERVER.format(arguments=arguments), home], stdout=subprocess.PIPE, text=True
            )
            assert server.stdout is not None
            first = server.stdout.readline().strip()
            time.sleep(moments.uniform(0, 2.5))
            victims = moments.choice(("job", "server", "both"))
            if victims != "server" and (process := jobs.process_of(first)):
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
                    counts["jobs killed"] += 1
            if victims != "job":
                server.kill()
            time.sleep(moments.uniform(0, 0.3))
            server.kill()
            taken = [first, *server.stdout.read().split()]
            server.wait()
            for job_id in taken:
                counts["taken"] += 1
                record = jobs.wait(job_id, 600)
                while record.can_resume:
                    counts[record.state] += 1
                    jobs.resume(job_id)
                    record = jobs.wait(job_id, 600)
                result = record.result or {}
                right = result.get("digest", whole["digest"]) == whole["digest"]
                if record.is_active:  # on a computer without time to spare it lives, and waits for a processor
                    counts["not ended in time"] += 1
                else:
                    counts["right" if record.state == "finished" and right else "LOST"] += 1
            print(f"{number + 1:3} {victims:7} {dict(counts)}", flush=True)
        jobs.wait(jobs.submit("work_for_tests:echo", {"say": 0}, "Last"), 120)
        jobs.start_waiting()
        time.sleep(2.0)
        left = [path for path in Path(home).rglob(".*~*") if path.is_file()]
        notes = [path.stem for path in Path(home).glob("jobs/.ready/*.json") if not _waits(jobs, path.stem)]
        print(
            f"{counts['LOST']} of {counts['taken']} jobs lost; left: {len(left)} drafts, {len(notes)} notes of the dead"
        )


def _waits(jobs: Jobs, token: str) -> bool:
    note = jobs._ready.read(token)
    return note is not None and processes.start_of(note.pid) == note.started


@contextmanager
def surroundings(n_busy: int, skew: int) -> Iterator[None]:
    """Let jobs find their tasks, and have a clock of their own; keep processors busy."""
    os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE.parents[1]), str(HERE)])
    sys.path.insert(0, str(HERE))
    if skew:
        folder = Path(tempfile.mkdtemp())
        source, library = folder / "clock.c", folder / "clock.so"
        source.write_text(CLOCK)
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
        os.environ |= {"LD_PRELOAD": str(library), "CLOCK_SKEW": str(skew)}
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(n_busy)]
    try:
        yield
    finally:
        for one in busy:
            one.kill()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("cancels", type=int, nargs="?", default=60)
    parser.add_argument("--real", action="store_true")
    parser.add_argument("--busy", type=int, default=0)
    parser.add_argument("--skew", type=int, default=0, help="whole seconds")
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    with surroundings(chosen.busy, chosen.skew):
        if chosen.kills:
            kills(chosen.kills, chosen.seed)
        else:
            cancels(chosen.cancels, real if chosen.real else artificial)


if __name__ == "__main__":
    main()
