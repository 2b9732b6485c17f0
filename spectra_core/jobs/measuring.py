"""Measure aside how fast this computer fits what an experiment needs: it takes half a minute, and no page waits.

``python -m spectra_core.jobs.measuring HOME SET EXPERIMENT`` keeps the answers in HOME, for a kept set and an
experiment as JSON.
"""

import sys
from pathlib import Path

from spectra_core.experiment import Experiment
from spectra_core.experiment.cost import seconds_alone
from spectra_core.experiment.pace import measured
from spectra_core.jobs import processes
from spectra_core.jobs.tasks import memo_of
from spectra_core.jobs.work import NICENESS
from spectra_core.store import Store


def start(store: Store, fingerprint: str, experiment: Experiment) -> int:
    """Measure in a process of its own, and return its id."""
    return processes.start(__name__, str(store.root), fingerprint, experiment.to_json())


def main(home: str, fingerprint: str, experiment: str) -> None:
    """Measure what is not known yet."""
    processes.step_back(NICENESS)
    store = Store(Path(home))
    paces = measured(memo_of(store.of_computer, "pace"))
    seconds_alone(Experiment.from_json(experiment), store.load_set(fingerprint), 1, paces)


if __name__ == "__main__":
    main(*sys.argv[1:])
