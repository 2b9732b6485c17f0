"""Generate spectra, see how they differ from measured ones, find out whether they improve a calibration.

The packages follow the flow of data: `spectra`, `datasets`, `splits`, `generators`, `samplers` and `conditions`,
`sampling`, `regressors`, `evaluation`, `experiment`, `figures`. Their main names are found here too, each loaded when
it is first used (PEP 562), so that ``import spectra_core`` alone loads nothing.

Examples
--------
>>> import spectra_core as sc
>>> sc.k_fold(sc.simulate(sc.PRESETS["beer_lambert"], n_spectra=6, seed=0).groups, 3, seed=0)[0].test.size
2
"""

from importlib import import_module
from typing import Any

__version__ = "0.8.0"

# Type checkers read the same from __init__.pyi.
_MAIN_NAMES = {
    "spectra": "SpectraSet SpectralAxis Target",
    "datasets": "Recipe WRITERS export read",
    "datasets.simulator": "PRESETS simulate",
    "preprocessing": "PREPROCESSINGS",
    "splits": "hold_out k_fold",
    "generators": "GENERATORS",
    "samplers": "SAMPLERS",
    "conditions": "CONDITIONS",
    "sampling.generation": "generate_spectra",
    "sampling.labelling": "LABELLINGS",
    "regressors": "REGRESSORS",
    "experiment": "Experiment ExperimentResult Question fast_experiment judge run study_experiment",
    "experiment.advice": "Advice advise",
    "calibration": "calibrate",
    "store": "Store load_calibration save_calibration",
    "choices": "Choice",
    "errors": "SpectraCoreError",
}
_ROOM_OF = {name: room for room, names in _MAIN_NAMES.items() for name in names.split()}
__all__ = sorted([*_ROOM_OF, "__version__"])  # noqa: PLE0605 (a list, though not a literal one)


def __getattr__(name: str) -> Any:
    if name not in _ROOM_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"{__name__}.{_ROOM_OF[name]}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
