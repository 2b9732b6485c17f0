"""How much longer work takes beside others, from counters that are given."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from spectra_core.experiment import busy
from spectra_core.experiment.busy import Sample

START = Sample(at=100.0, plain=50.0, nice=7.0, idle=900.0, own=3.0, n_running=0.0, started=20.0)
W = 1.25**-10  # weight of niceness 10: 110 of 1024 in the kernel


def after(seconds, *, n_cores=2, plain=0.0, nice=0.0, n_running=0.0, **ours):
    """Return the counters some seconds after the start, with so many processors in use meanwhile."""
    in_use = {"plain": plain, "nice": nice, **ours}
    used = {name: getattr(START, name) + seconds * n for name, n in in_use.items()}
    idle = START.idle + seconds * (n_cores - plain - nice)
    return replace(START, at=START.at + seconds, idle=idle, n_running=n_running, **used)


@pytest.fixture(autouse=True)
def computer(monkeypatch, tmp_path):
    """Two processors, all of which may be used, whose system weighs threads alike whatever session they belong to.

    All that is at work has been so for a minute.
    """
    monkeypatch.setattr(busy.psutil, "getloadavg", lambda: (99.0, 0.0, 0.0))
    monkeypatch.setattr(busy.psutil, "cpu_count", lambda: 2)
    monkeypatch.setattr(busy, "n_processors", lambda: 2)
    monkeypatch.setattr(busy, "_BY_SESSION", tmp_path / "absent")


def looked_at(monkeypatch, *samples):
    """Let the counters be these, one look after the other; return the pauses between looks."""
    looks, pauses = iter(samples), []
    monkeypatch.setattr(busy, "sample", lambda: next(looks))
    monkeypatch.setattr(busy.time, "sleep", pauses.append)
    monkeypatch.setattr(busy, "_watch", busy._Watch())
    return pauses


@pytest.mark.parametrize(
    ("others", "n_workers", "niceness", "expected"),
    [
        ({}, 2, 10, 1.0),  # nobody else
        ({"plain": 1.0}, 1, 10, 1.0),  # a processor is free
        ({"plain": 0.5}, 2, 0, 2 / 1.6),  # half of one is not: 2 x 2 / 2.5 of both
        ({"plain": 2.0, "n_running": 2}, 2, 0, 2.0),  # four alike on two processors
        ({"plain": 2.0, "n_running": 6}, 2, 0, 4.0),  # eight
        ({"plain": 2.0, "n_running": 2}, 2, 10, 1 + 1 / W),  # those that step back get what their weight is
        ({"nice": 2.0, "n_running": 2}, 2, 10, 2.0),  # unless the others step back as well
        # Two of each: by weights, those that step back use 2 W / (1 + W) of two processors.
        ({"plain": 2 / (1 + W), "nice": 2 * W / (1 + W), "n_running": 4}, 2, 0, 2 + W),
        ({"plain": 1.0, "nice": 1.0, "n_running": 2}, 1, 0, (2 + W) / 2),  # one of each, which do not wait
    ],
)
def test_slowdown_beside_others(monkeypatch, others, n_workers, niceness, expected):
    looked_at(monkeypatch, replace(START, n_running=others.get("n_running", 0.0)), after(0.05, **others))
    assert busy.slowdown(n_workers, niceness) == pytest.approx(expected)


@pytest.mark.parametrize("n_running", [0.0, 5.0, None])
def test_just_after_other_work_nobody_waits(monkeypatch, n_running):
    """Threads that woke up together, or a load average of the last minute: a processor is free all the same."""
    monkeypatch.setattr(busy.psutil, "getloadavg", lambda: (9.0, 9.0, 9.0))
    looked_at(monkeypatch, replace(START, n_running=n_running), after(0.05, plain=0.1, n_running=n_running))
    assert busy.slowdown(2, 10) == pytest.approx(2 / 1.9)


@pytest.mark.parametrize(
    ("load", "expected"),
    [(0.0, 1.0), (0.5, 2 / 1.6), (1.0, 2 / (2 * 2 / 3)), (2.0, (2 + 2) / 2), (8.0, (2 + 6) / 2)],
)
def test_a_browser_that_draws_the_page_is_no_competitor(monkeypatch, load, expected):
    """Six threads at this moment, of which the last minute knows as many as `load`."""
    monkeypatch.setattr(busy.psutil, "getloadavg", lambda: (load, 9.0, 9.0))
    looked_at(monkeypatch, replace(START, n_running=6.0), after(0.05, plain=2.0, n_running=6.0))
    assert busy.slowdown(2) == pytest.approx(expected)


def test_where_the_system_tells_no_threads_the_load_average_does_while_all_processors_are_in_use(monkeypatch):
    monkeypatch.setattr(busy.psutil, "getloadavg", lambda: (4.0, 0.0, 0.0))
    silent = replace(START, n_running=None), after(0.05, plain=2.0, n_running=None)
    looked_at(monkeypatch, *silent)
    assert busy.slowdown(2) == pytest.approx((2 + 4) / 2)
    monkeypatch.setattr(busy.sys, "platform", "win32")  # four wait there, beside two that run
    looked_at(monkeypatch, *silent)
    assert busy.slowdown(2) == pytest.approx((2 + 6) / 2)


def test_what_the_page_itself_computes_is_over_when_the_work_begins(monkeypatch):
    looked_at(monkeypatch, START, after(0.05, plain=1.5, own=1.0))
    assert busy.slowdown(2) == pytest.approx(2 / (2 * 2 / 2.5))


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ({"nice": 2.0, "n_running": 2, "started": 2.0}, 1.0),  # a job of ours: it ends before the next begins
        ({"plain": 2.0, "n_running": 2, "started": 2.0}, 1.0),  # where the system tells no niceness
        ({"plain": 1.0, "nice": 1.0, "n_running": 2, "started": 1.0}, 1.0),  # another program leaves one free
        ({"plain": 1.9, "nice": 0.1, "n_running": 3, "started": 0.1}, (2.9 + W) / 2 / W),  # it does not
        ({"nice": 2.0, "n_running": 2, "started": -99.0}, 1.5),  # one that ended counts no longer: not ours
    ],
)
def test_jobs_of_ours_end_before_the_next_begins(monkeypatch, others, expected):
    looked_at(monkeypatch, replace(START, n_running=others["n_running"]), after(0.05, **others))
    assert busy.slowdown(1, 10) == pytest.approx(expected, rel=0.02)


def test_processes_that_this_one_started_are_known_by_what_they_used():
    script = "sum(range(3 * 10**6)); print(1, flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as ours:
        ours.stdout.readline()
        assert busy.seconds_of_started()[ours.pid] > 0.0
        assert busy.sample().started > 0.0
        assert not Path("/proc/self/stat").exists() or ours.pid not in busy.processor_seconds()
        ours.communicate(b"\n")


def test_a_look_is_compared_with_the_last_one_where_that_is_recent(monkeypatch):
    long_ago = busy._LONG_AGO + 0.1
    pauses = looked_at(
        monkeypatch,
        START,
        after(0.05, plain=2.0, n_running=2),
        after(0.1),  # the same run of a page: no time to tell anything new
        replace(after(2.05), plain=START.plain + 0.1),  # idle since, but for a look's own rounding
        replace(after(2.05 + long_ago), plain=START.plain + 0.1 + 2 * long_ago),  # busy in between, and not now:
        replace(after(2.1 + long_ago), plain=START.plain + 0.1 + 2 * long_ago, idle=START.idle + 4.2),
    )
    assert [busy.slowdown(2) for _ in range(4)] == [2.0, 2.0, 1.0, 1.0]
    assert pauses == [busy._AT_ONCE, busy._AT_ONCE]


@pytest.mark.parametrize(
    ("word", "n_workers", "niceness", "stepped_back", "expected"),
    [
        ("1\n", 2, 0, False, 3.0),  # a third session of three, which share two processors
        ("1\n", 1, 0, False, 1.5),
        ("1\n", 2, 10, False, (2 + W) / W),
        ("1\n", 2, 10, True, 3.0),  # as jobs of others do
        ("0\n", 2, 0, False, (2 + 1 + 3 * W) / 2),  # by threads: four
    ],
)
def test_where_sessions_share_the_processors_a_job_has_the_part_of_one(
    monkeypatch, tmp_path, word, n_workers, niceness, stepped_back, expected
):
    """Four threads, of two sessions that had the processors alike."""
    (tmp_path / "autogroup").write_text(word)
    monkeypatch.setattr(busy, "_BY_SESSION", tmp_path / "autogroup")
    monkeypatch.setattr(busy, "_PROCESSES", tmp_path)
    for process in (2, 3):
        (tmp_path / str(process)).mkdir()
        (tmp_path / str(process) / "autogroup").write_text(f"/autogroup-9 nice {10 if stepped_back else 0}\n")
    looks = iter([{1: (7, 9.0), 2: (7, 0.0), 3: (8, 4.0)}, {1: (7, 9.1), 2: (7, 0.1), 3: (8, 4.2), 4: (9, 5.0)}])
    monkeypatch.setattr(busy, "processor_seconds", lambda: next(looks))
    pauses = looked_at(monkeypatch, replace(START, n_running=4), after(0.05, plain=1.0, nice=1.0, n_running=4))
    assert busy.slowdown(n_workers, niceness) == pytest.approx(expected)
    assert len(pauses) == (2 if word == "1\n" else 1)


def test_sessions_are_compared_with_the_last_look_where_that_is_recent(monkeypatch, tmp_path):
    (tmp_path / "autogroup").write_text("1\n")
    monkeypatch.setattr(busy, "_BY_SESSION", tmp_path / "autogroup")
    looks = iter([{1: (1, 0.0), 3: (7, 0.0)}, {1: (1, 0.1), 3: (7, 0.1)}, {1: (1, 2.1), 3: (7, 0.1)}])
    monkeypatch.setattr(busy, "processor_seconds", lambda: next(looks))
    pauses = looked_at(monkeypatch, START, after(0.05, plain=2.0), after(1.05, plain=2.0))
    assert [busy.slowdown(2), busy.slowdown(2)] == pytest.approx([3.0, 2.0])
    assert len(pauses) == 2


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="Linux lists its processes there")
def test_processors_of_other_processes_are_read_by_session():
    # Started by one that is gone: nobody's child.
    sleeper = "import sys, time; sys.stdin.close(); time.sleep(60)"
    starter = (
        "import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', sys.argv[1]], start_new_session=True, "
        "stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).pid)"
    )
    other = int(subprocess.run([sys.executable, "-c", starter, sleeper], capture_output=True, check=True).stdout)
    try:
        session, seconds = busy.processor_seconds()[other]
    finally:
        os.kill(other, signal.SIGKILL)
    assert session == other
    assert 0.0 <= seconds < 60.0
    assert os.getpid() not in busy.processor_seconds()


def test_a_process_has_no_more_processors_than_it_may_use(monkeypatch):
    monkeypatch.setattr(busy, "n_processors", lambda: 1)
    for n_workers, expected in ((1, 1.0), (2, 2.0)):
        looked_at(monkeypatch, START, after(0.05))
        assert busy.slowdown(n_workers) == expected


def test_counters_are_read_by_who_had_the_processors(monkeypatch, tmp_path):
    class Times:
        user, system, irq, softirq, steal, nice, idle, iowait = 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0

    monkeypatch.setattr(busy.psutil, "cpu_times", lambda: Times)
    monkeypatch.setattr(busy, "_NOW", tmp_path / "loadavg")
    found = busy.sample()
    assert (found.plain, found.nice, found.idle, found.n_running) == (31.0, 32.0, 192.0, None)
    (tmp_path / "loadavg").write_text("9.00 4.89 2.84 13/160 15473\n")
    assert busy.sample().n_running == 12.0  # all but who asks
