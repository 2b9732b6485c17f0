"""Labels that a teacher read from generated spectra, with the intervals it would give unknown ones."""

import numpy as np

from spectra_core.calibration.calibration import calibrate
from spectra_core.calibration.conformal import fewest_groups
from spectra_core.choices import Choice
from spectra_core.contracts import SILENT, Reporter
from spectra_core.spectra import SpectraSet
from spectra_core.spectra.label_intervals import with_label_intervals

LEVEL = 0.9
_N_FOLDS = 5


def with_teacher_intervals(
    generated: SpectraSet, train: SpectraSet, teacher: Choice, *, seed: int = 0, reporter: Reporter = SILENT
) -> SpectraSet:
    """Return generated spectra whose labels carry the teacher's 90 % interval; see `label_intervals`.

    They are those of a calibration by the teacher, cross-validated in five folds of its training spectra, and hold as
    far as generated spectra are like measured ones. Wherever a label was bounded, its interval is widened to hold it.

    Parameters
    ----------
    generated
        Labelled by the teacher, with the targets of `train`.
    train
        What the teacher was trained with; with too few independent spectra for the level, nothing is added.
    """
    n_groups = len(np.unique(train.groups))
    if n_groups < fewest_groups(LEVEL):
        reporter.message(f"{n_groups} independent spectra are too few for intervals of the labels.")
        return generated
    table = calibrate(train, regressor=teacher, n_folds=_N_FOLDS, seed=seed, reporter=reporter).read(generated, LEVEL)
    labels = generated.target_values
    low, high = (table[name].to_numpy().reshape(labels.shape) for name in ("low", "high"))
    return with_label_intervals(generated, np.minimum(low, labels), np.maximum(high, labels))
