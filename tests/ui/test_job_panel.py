"""What a person reads of a job."""

import numpy as np
import pandas as pd
import pytest

from spectra_core.jobs import JobRecord
from ui.job_panel import curves, duration, parts_table, progress_text


def record(**changes):
    known = {
        "id": "0" * 32,
        "task": "train",
        "title": "T",
        "arguments": {},
        "state": "running",
        "sequence": 1,
        "created": "",
    }
    return JobRecord(**(known | changes))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "1 second"),
        (1.6, "2 seconds"),
        (59.4, "59 seconds"),
        (60, "1 minute"),
        (3601, "1 h 0 min"),
        (5400, "1 h 30 min"),
    ],
)
def test_durations_are_said_in_the_unit_a_person_would_use(seconds, words):
    assert duration(seconds) == words


def test_progress_says_stage_steps_and_time_left():
    running = record(stage="Training the VAE", done=34, total=12000, seconds_running=10.0, seconds_left=125.0)
    assert progress_text(running) == (
        "Training the VAE, 34 of 12\u202f000; running for 10 seconds; about 2 minutes left"
    )
    assert progress_text(record(stage="Starting")).startswith("Starting: it loads")
    assert progress_text(record(state="queued", position=2)) == "Waits for its turn, place 2 in the queue"


def test_every_part_has_its_share_and_the_time_it_takes():
    table = parts_table(record(parts={"Baseline": (1.0, 0.0), "Oracle": (0.25, 90.0), "VAE": (0.0, None)}))
    assert table["Part"].tolist() == ["Baseline", "Oracle", "VAE"]
    assert table["Done"].tolist() == [1.0, 0.25, 0.0]
    assert table["Time left"].tolist() == ["done", "about 2 minutes", ""]


class TestCurves:
    def test_show_the_latest_stage_that_reports_values(self):
        events = pd.DataFrame(
            {
                "attempt": 1,
                "seconds": np.arange(5.0),
                "stage": ["Training", "Training", "Fitting", "Fitting", "Saving"],
                "done": [1, 2, 1, 2, 1],
                "total": 2,
                "kl": [0.1, 0.2, np.nan, np.nan, np.nan],
                "loss": [9.0, 8.0, 3.0, 2.0, np.nan],
            }
        )
        assert curves(events).to_dict("list") == {"done": [1, 2], "loss": [3.0, 2.0]}

    def test_are_empty_before_the_first_value(self):
        assert curves(pd.DataFrame(columns=["attempt", "seconds", "stage", "done", "total"])).empty

    def test_hold_no_more_points_than_a_chart_can_show(self):
        n = 5000
        events = pd.DataFrame(
            {"attempt": 1, "seconds": 0.0, "stage": "T", "done": range(n), "total": n, "loss": np.ones(n)}
        )
        assert len(curves(events)) == 500
