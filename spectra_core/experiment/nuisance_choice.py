"""Which nuisances help a regressor, and how large: chosen on inner folds of the training spectra."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from spectra_core.choices import Choice
from spectra_core.contracts import NO_MEMO, SILENT, Reporter, derived_seed
from spectra_core.experiment.design import Arm
from spectra_core.experiment.fold import Fold
from spectra_core.regressors.inner_folds import inner_folds
from spectra_core.spectra import SpectraSet

RATIO, N_FOLDS = 4.0, 3
"""Generated rows per training row, and inner folds, unless told."""


def _ways() -> tuple[Mapping[str, float], ...]:
    none = {"offset": 0.0, "slope": 0.0, "gain": 0.0, "shift": 0.0}
    baseline = {**none, "offset": 1.0, "slope": 1.0}
    place = {**none, "gain": 0.3, "shift": 0.3}
    return tuple({**kind, "noise": noise} for kind in (none, baseline, place) for noise in (1.0, 10.0))


WAYS: tuple[Mapping[str, float], ...] = _ways()
"""Options of the generator that are tried: noise alone, offset and slope, gain and shift; each with little and much
noise. Few, since the least of many inner errors is mostly luck."""
FITS = (len(WAYS) + 1) * (N_FOLDS - 1)
"""What choosing costs, in fits to all training spectra and their rows: every way, and none, in the inner folds."""


def choose_nuisances(
    train: SpectraSet,
    regressor: Choice,
    *,
    ways: Sequence[Mapping[str, float]] = WAYS,
    ratio: float = RATIO,
    n_folds: int = N_FOLDS,
    seed: int = 0,
    reporter: Reporter = SILENT,
) -> tuple[Choice, pd.DataFrame]:
    """Return the generator with the nuisances that lower the error of left-out training spectra most.

    Parameters
    ----------
    train
        Training spectra; nothing else is looked at.
    regressor
        Whose errors decide.
    ways
        Options of the generator `Nuisances` to choose from.
    ratio
        Generated rows per training row.
    n_folds
        Inner folds; groups stay together, errors are counted on measured spectra.

    Returns
    -------
    chosen : Choice
        For an `Arm` at that ratio.
    tried : DataFrame, one row per way, the best first
        Its options, and ``change``: in per cent, of the RMSE against training for as many steps without generated
        rows; geometric mean over folds and targets that vary.
    """
    splits = inner_folds(train, n_folds, derived_seed(seed, "nuisances"))
    varies = np.ptp(train.target_values, axis=0) > 0
    arms = [Arm("Step-matched", "step_matched", ratio)]
    arms += [Arm(str(number), ratio=ratio, generator=Choice("nuisances", way)) for number, way in enumerate(ways)]
    errors = np.empty((len(arms), len(splits), int(varies.sum())))
    for fold, split in enumerate(splits):
        test = train.take(split.test)
        part = Fold(train.take(split.train), seed, (0, fold, 0), NO_MEMO)
        for number, arm in enumerate(arms):
            missed = part.predict(arm, regressor, test, SILENT) - test.target_values
            errors[number, fold] = np.log(np.sqrt((missed[:, varies] ** 2).mean(axis=0)))
            reporter.progress("Trying nuisances", fold * len(arms) + number + 1, len(arms) * len(splits))
    changes = 100.0 * np.expm1((errors[1:] - errors[0]).mean(axis=(1, 2)))
    tried = pd.DataFrame(list(map(dict, ways))).assign(change=changes).sort_values("change", kind="stable")
    return Choice("nuisances", ways[int(tried.index[0])]), tried.reset_index(drop=True)
