"""Does it help? Arms of training sets, compared fold by fold; `run` turns an `Experiment` into tables."""

from spectra_core.experiment.design import Arm, Experiment
from spectra_core.experiment.presets import PRESET_ARMS, fast_experiment, study_experiment
from spectra_core.experiment.regressor_choice import RegressorChoice
from spectra_core.experiment.run import ExperimentResult, run

__all__ = [
    "PRESET_ARMS",
    "Arm",
    "Experiment",
    "ExperimentResult",
    "RegressorChoice",
    "fast_experiment",
    "run",
    "study_experiment",
]
