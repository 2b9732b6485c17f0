"""Progress of the whole and of its parts."""

import time

import pytest

from spectra_core.contracts import SilentReporter
from spectra_core.experiment.units import Progress, Unit, work_through


class Told(SilentReporter):
    """A reporter that is told of parts, too."""

    def __init__(self):
        self.shares, self.last = [], {}

    def progress(self, stage, done, total, values=None):
        self.shares.append(done / total)

    def parts(self, progress):
        self.last = dict(progress)


UNITS = [
    Unit("Training", 4.0, print, part="Generators"),
    Unit("One: MLP", 3.0, print, part="One"),
    Unit("One: PLS", 1.0, print, part="One"),
    Unit("Two: MLP", 2.0, print, part="Two"),
]


def test_every_part_has_its_share_and_times_add_up_to_the_pace_of_the_whole():
    progress = Progress(UNITS, Told())
    progress.set_share(0, 1.0, "Training")
    progress.set_share(1, 0.5, "One: MLP")
    progress.set_share(0, 1.4, "Training")  # no more than whole
    progress.set_share(1, 0.2, "One: MLP")  # and never backwards
    # 5.5 of 10 in 11 seconds: 2 seconds a unit of cost.
    parts = progress.parts(11.0)
    assert parts["Generators"] == (1.0, 0.0)
    assert parts["One"] == (pytest.approx(1.5 / 4.0), pytest.approx(5.0))
    assert parts["Two"] == (0.0, pytest.approx(4.0))


def test_what_was_done_before_counts_as_done_and_not_for_the_pace():
    progress = Progress(UNITS, Told())
    progress.set_found(0, "Training")
    assert progress.parts(3.0)["Two"] == (0.0, None)
    progress.set_share(1, 1.0, "One: MLP")
    assert progress.parts(3.0)["Two"] == (0.0, pytest.approx(2.0))  # 3 seconds for a cost of 3


def test_a_reporter_that_knows_parts_is_told_of_them_and_others_are_not(monkeypatch):
    monkeypatch.setattr("spectra_core.experiment.units._TELL_PARTS", 0.0)
    told = Told()
    slow = [Unit(unit.stage, unit.cost, lambda _: time.sleep(0.06), part=unit.part) for unit in UNITS]
    work_through(slow, 2, told)
    assert {name: share for name, (share, _) in told.last.items()} == {"Generators": 1.0, "One": 1.0, "Two": 1.0}
    assert told.shares[-1] == 1.0
    work_through(slow[:1], 1, SilentReporter())
