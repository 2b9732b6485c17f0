# What __init__.py finds when it is asked, for type checkers; tests keep the two in step.
from spectra_core.calibration import calibrate as calibrate
from spectra_core.choices import Choice as Choice
from spectra_core.conditions import CONDITIONS as CONDITIONS
from spectra_core.datasets import WRITERS as WRITERS
from spectra_core.datasets import Recipe as Recipe
from spectra_core.datasets import export as export
from spectra_core.datasets import read as read
from spectra_core.datasets.simulator import PRESETS as PRESETS
from spectra_core.datasets.simulator import simulate as simulate
from spectra_core.errors import SpectraCoreError as SpectraCoreError
from spectra_core.experiment import Experiment as Experiment
from spectra_core.experiment import ExperimentResult as ExperimentResult
from spectra_core.experiment import Question as Question
from spectra_core.experiment import fast_experiment as fast_experiment
from spectra_core.experiment import judge as judge
from spectra_core.experiment import run as run
from spectra_core.experiment import study_experiment as study_experiment
from spectra_core.experiment.advice import Advice as Advice
from spectra_core.experiment.advice import advise as advise
from spectra_core.generators import GENERATORS as GENERATORS
from spectra_core.preprocessing import PREPROCESSINGS as PREPROCESSINGS
from spectra_core.regressors import REGRESSORS as REGRESSORS
from spectra_core.samplers import SAMPLERS as SAMPLERS
from spectra_core.sampling.generation import generate_spectra as generate_spectra
from spectra_core.sampling.labelling import LABELLINGS as LABELLINGS
from spectra_core.spectra import SpectralAxis as SpectralAxis
from spectra_core.spectra import SpectraSet as SpectraSet
from spectra_core.spectra import Target as Target
from spectra_core.splits import hold_out as hold_out
from spectra_core.splits import k_fold as k_fold
from spectra_core.store import Store as Store
from spectra_core.store import load_calibration as load_calibration
from spectra_core.store import save_calibration as save_calibration

__version__: str
