"""Does it help? Arms of training sets, compared fold by fold; `run` turns an `Experiment` into tables."""

from spectra_core.evaluation.errors.question import Question
from spectra_core.experiment.counterfactuals import counterfactuals, with_counterfactuals
from spectra_core.experiment.design import Arm, Experiment
from spectra_core.experiment.judging import judge
from spectra_core.experiment.presets import PRESET_ARMS, fast_experiment, study_experiment
from spectra_core.experiment.run import ExperimentResult, run
from spectra_core.experiment.sweeps import at_ratios, at_strategies, sweep_ratio, sweep_strategies
from spectra_core.regressors.choice import RegressorChoice

__all__ = [
    "PRESET_ARMS",
    "Arm",
    "Experiment",
    "ExperimentResult",
    "Question",
    "RegressorChoice",
    "at_ratios",
    "at_strategies",
    "counterfactuals",
    "fast_experiment",
    "judge",
    "run",
    "study_experiment",
    "sweep_ratio",
    "sweep_strategies",
    "with_counterfactuals",
]
