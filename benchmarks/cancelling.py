"""How long cancelling takes, and whether the next job is ever lost: ``python -m benchmarks.cancelling [N] [BUSY]``.

Jobs that hear the request at once, late (about when patience is at an end) or never are cancelled in turn, each with
another one waiting behind it; BUSY processes do nothing but count meanwhile. Each cancel is said as it ends.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from spectra_core.jobs import Jobs, reporting

HERE = Path(__file__).parents[1] / "tests" / "jobs"
TASKS = ("run_until_asked", "hear_late", "ignore_everything")


def main(n_cancels: int, n_busy: int) -> None:
    os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE.parents[1]), str(HERE)])
    sys.path.insert(0, str(HERE))
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(n_busy)]
    took: dict[str, list[float]] = {task: [] for task in TASKS}
    lost = 0
    try:
        with tempfile.TemporaryDirectory() as home:
            jobs = Jobs(Path(home))
            for number in range(n_cancels):
                task = TASKS[number % len(TASKS)]
                # From 0.1 s before the end of patience to 0.1 s after it.
                seconds = reporting.PATIENCE + 0.2 * (number / n_cancels - 0.5)
                job_id = jobs.submit(f"work_for_tests:{task}", {"seconds": seconds}, task)
                following = jobs.submit("work_for_tests:echo", {"say": number}, "Next")
                while not (jobs.record(job_id).done or jobs.log_tail(job_id)):
                    time.sleep(0.05)
                begin = time.monotonic()
                jobs.cancel(job_id)
                assert jobs.wait(job_id, 30).state == "cancelled"
                took[task].append(time.monotonic() - begin)
                next_state = jobs.wait(following, 600).state
                lost += next_state != "finished"
                print(f"{number + 1:3} {task:18} {took[task][-1]:6.2f} s, next job {next_state}", flush=True)
    finally:
        for one in busy:
            one.kill()
    for task, seconds in took.items():
        print(f"{task:18} {len(seconds):3} cancels: median {np.median(seconds):.2f} s, longest {max(seconds):.2f} s")
    every = [one for seconds in took.values() for one in seconds]
    print(f"{sum(one > 2.0 for one in every)} of {len(every)} took over 2 s; {lost} following jobs lost.")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60, int(sys.argv[2]) if len(sys.argv) > 2 else 0)
