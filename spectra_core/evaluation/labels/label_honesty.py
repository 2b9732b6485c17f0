"""Whether generated spectra hold the concentrations on their labels: asked for, read by a teacher, and by physics."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.contracts import SILENT, Reporter, derived_seed
from spectra_core.errors import SpectraError
from spectra_core.evaluation.physics.pure_components import PureComponents
from spectra_core.evaluation.roles import require_comparable
from spectra_core.regressors.base import FitTask, Regressor
from spectra_core.spectra import SpectraSet, require_same_targets
from spectra_core.splits import k_fold

N_FOLDS = 4


def label_honesty(
    sets: Mapping[str, SpectraSet], teacher: Regressor, *, seed: int = 0, reporter: Reporter = SILENT
) -> pd.DataFrame:
    """Read the concentrations of every spectrum by a teacher and by classical least squares.

    Both are fitted to the training set; training spectra are read by fits to the other folds, so that their
    errors are a floor: no label of a generated spectrum need be more honest than that.

    Parameters
    ----------
    sets
        Needs "training" with targets; other roles with the same targets.
    teacher
        A regressor's configuration; it is not changed.

    Returns
    -------
    DataFrame, one row per (role, spectrum, target)
        ``role``, ``sample``, ``id``, ``target``, ``asked`` (the label), ``predicted`` (by the teacher),
        ``pure_components`` (by classical least squares) [all in the target's unit].

    Raises
    ------
    SpectraError
        When there is no training set, no target, or targets differ.
    """
    require_comparable(sets)
    if "training" not in sets or not sets["training"].n_targets:
        raise SpectraError("Labels are checked by a teacher, which needs a training set with targets.")
    training = sets["training"]
    for spectra in sets.values():
        require_same_targets(training.target_names, spectra.target_names)
    folds = k_fold(training.groups, N_FOLDS, seed=derived_seed(seed, "honesty folds"))
    parts = [training, *(training.take(split.train) for split in folds)]
    tasks = [FitTask(part, derived_seed(seed, "teacher", number)) for number, part in enumerate(parts)]
    fitted = replace(teacher).fit_many(tasks, reporter=reporter)  # type: ignore[type-var]  # every member is a dataclass
    tables = []
    for role, spectra in sets.items():
        if role == "training":
            predicted, physical = np.empty((2, *spectra.target_values.shape))
            for split, model, part in zip(folds, fitted[1:], parts[1:], strict=True):
                left_out = spectra.take(split.test)
                predicted[split.test] = model.predict(left_out).to_numpy()
                physical[split.test] = PureComponents.fit(part).concentrations(left_out.signal)
        else:
            predicted = fitted[0].predict(spectra).to_numpy()
            physical = PureComponents.fit(training).concentrations(spectra.signal)
        tables.append(_rows(role, spectra, predicted, physical))
    return pd.concat(tables, ignore_index=True)


def honesty_summary(table: pd.DataFrame) -> pd.DataFrame:
    """Sum up how far labels are from what the spectra hold.

    Returns
    -------
    DataFrame, one row per (target, role)
        ``target``, ``role``; ``rmse``, ``bias`` (label - predicted) by the teacher, ``rmse_pure_components``,
        ``bias_pure_components`` [target's unit]; ``ratio`` and ``ratio_pure_components`` (rmse over that of the
        training set, left out fold by fold: about 1 for honest labels); ``n_spectra``.
    """
    rows = []
    for (target, role), part in table.groupby(["target", "role"], sort=False):
        teacher = (part["asked"] - part["predicted"]).to_numpy()
        physical = (part["asked"] - part["pure_components"]).to_numpy()
        rows.append(
            {
                "target": target,
                "role": role,
                "rmse": float(np.sqrt((teacher**2).mean())),
                "bias": float(teacher.mean()),
                "rmse_pure_components": float(np.sqrt((physical**2).mean())),
                "bias_pure_components": float(physical.mean()),
                "n_spectra": len(part),
            }
        )
    summary = pd.DataFrame(rows)
    floor = summary[summary["role"] == "training"].set_index("target")
    for column, ratio in (("rmse", "ratio"), ("rmse_pure_components", "ratio_pure_components")):
        at_best = summary["target"].map(floor[column])
        summary[ratio] = summary[column] / at_best.where(at_best > 0)
    return summary


def _rows(
    role: str, spectra: SpectraSet, predicted: NDArray[np.float64], physical: NDArray[np.float64]
) -> pd.DataFrame:
    n, n_targets = spectra.target_values.shape
    return pd.DataFrame(
        {
            "role": role,
            "sample": np.repeat(np.arange(n), n_targets),
            "id": np.repeat(spectra.samples["id"].to_numpy(dtype=object), n_targets),
            "target": np.tile(np.array(spectra.target_names, dtype=object), n),
            "asked": spectra.target_values.ravel(),
            "predicted": predicted.ravel(),
            "pure_components": physical.ravel(),
        }
    )
