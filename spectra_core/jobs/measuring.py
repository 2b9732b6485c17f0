"""Measure aside how fast this computer does what an experiment needs: it takes half a minute, and no page waits.

``python -m spectra_core.jobs.measuring HOME SET WHAT`` keeps the answers in HOME, for a kept set and an experiment as
JSON, or "judging".
"""

import sys
from pathlib import Path

from spectra_core.experiment import Experiment
from spectra_core.experiment.cost import seconds_alone
from spectra_core.experiment.pace import measured
from spectra_core.jobs import judging_time, processes
from spectra_core.jobs.tasks import memo_of
from spectra_core.jobs.work import NICENESS
from spectra_core.store import Store

JUDGING = "judging"


def start(store: Store, fingerprint: str, what: str) -> int:
    """Measure in a process of its own, and return its id."""
    return processes.start(__name__, str(store.root), fingerprint, what)


def main(home: str, fingerprint: str, what: str) -> None:
    """Measure what is not known yet."""
    processes.step_back(NICENESS)
    store = Store(Path(home))
    memo, spectra = memo_of(store.of_computer, "pace"), store.load_set(fingerprint)
    if what == JUDGING:
        judging_time.measure(spectra, memo)
    else:
        seconds_alone(Experiment.from_json(what), spectra, 1, measured(memo))


if __name__ == "__main__":
    main(*sys.argv[1:])
