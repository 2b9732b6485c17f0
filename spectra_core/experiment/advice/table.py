"""From errors on left-out spectra to the table of remedies: effect, verdict, promise."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.evaluation.errors.question import Question
from spectra_core.evaluation.errors.regression_errors import regression_errors
from spectra_core.evaluation.errors.verdicts import ALL_TARGETS, compare_arms
from spectra_core.experiment.parts import Part
from spectra_core.spectra import SpectraSet

Floats = NDArray[np.float64]

COLUMNS = ["remedy", "target", "effect", "low", "high", "verdict", "promised_error", "seconds"]
UNTOLD = "no spectrum tells it"
"""Verdict on targets of which nothing explains a tenth of the variance."""
IN_USE = "in use"
_REGRESSOR = "calibration"
"""In the place of one regressor: ways differ by theirs."""


def compared(
    errors: Mapping[str, Floats],
    references: Mapping[str, str],
    spectra: SpectraSet,
    outer: Sequence[Part],
    told: Sequence[str],
) -> pd.DataFrame:
    """Judge every remedy against its reference, fold by fold, as `spectra_core.experiment.judge` does.

    Parameters
    ----------
    errors
        By remedy: predicted - reference of every spectrum while it was left out (n_repeats, n_spectra, n_targets).
    outer
        Folds of all repeats.
    references
        For every remedy that is judged, the name of what it is compared with.
    told
        Targets that are declared; all where there are none.

    Returns
    -------
    DataFrame
        As `compare_arms`.
    """
    predictions = pd.concat(
        [_predictions(name, found, spectra, outer) for name, found in errors.items()], ignore_index=True
    )
    spreads = dict(zip(spectra.target_names, spectra.target_values.std(axis=0).tolist(), strict=True))
    question = Question(targets=tuple(told) or spectra.target_names)
    return compare_arms(regression_errors(predictions), references, question, spreads=spreads)


def first_row(spectra: SpectraSet, told: Sequence[str]) -> str:
    """Return the target that stands for a remedy: the mean over those told, or the only one."""
    counted = tuple(told) or spectra.target_names
    return ALL_TARGETS if len(counted) > 1 else counted[0]


def advice_table(
    comparisons: pd.DataFrame,
    promised: Mapping[str, Floats],
    spectra: SpectraSet,
    told: Sequence[str],
    *,
    in_use: str,
    seconds: Mapping[str, float],
) -> pd.DataFrame:
    """Lay out the answer: remedies in the order of `promised`, each with the mean over the targets told first.

    Parameters
    ----------
    comparisons
        From `compared`.
    promised
        By remedy: root mean square error (n_targets,) to be expected, in the unit of each target; NaN for no promise.
    told
        Targets that the spectra tell.
    in_use
        The remedy that is the reference.
    seconds
        Of one fit, where known.

    Returns
    -------
    DataFrame, one row per (remedy, target)
        - ``remedy``; ``target``, "all" for the mean over the targets that can be told, where there are several
        - ``effect``, ``low``, ``high`` (95 % interval), in per cent of the reference's error; 0 for what is in use
        - ``verdict``: as `compare_arms`; "in use"; "no spectrum tells it"
        - ``promised_error``: as promised, in the target's unit; for "all" the geometric mean over targets of it over
          the target's standard deviation
        - ``seconds``: of one fit; NaN where nothing is fitted
    """
    sds = spectra.target_values.std(axis=0)
    names = [first_row(spectra, told), *told, *(name for name in spectra.target_names if name not in told)]
    names = list(dict.fromkeys(names))
    judged = comparisons.set_index(["arm", "target"])
    rows = []
    counted = np.array([name in told or not told for name in spectra.target_names])
    for remedy, found in promised.items():
        by_target = dict(zip(spectra.target_names, found.tolist(), strict=True))
        by_target[ALL_TARGETS] = float(np.exp(np.log(found / sds)[counted].mean()))
        for target in names:
            row = {"remedy": remedy, "target": target, "promised_error": by_target[target]}
            row["seconds"] = seconds.get(remedy, np.nan)
            if remedy == in_use:
                row |= {"effect": 0.0, "low": 0.0, "high": 0.0, "verdict": IN_USE}
            elif (remedy, target) in judged.index:
                row |= {name: judged[name][remedy, target] for name in ("effect", "low", "high", "verdict")}
            else:
                continue
            if remedy != in_use and (not told if target == ALL_TARGETS else target not in told):
                row["verdict"] = UNTOLD
            rows.append(row)
    return pd.DataFrame(rows, columns=COLUMNS)


def _predictions(name: str, errors: Floats, spectra: SpectraSet, outer: Sequence[Part]) -> pd.DataFrame:
    tables = []
    for split in (part.split for part in outer if part.split.repeat < len(errors)):
        reference = spectra.target_values[split.test]
        n, n_targets = reference.shape
        tables.append(
            pd.DataFrame(
                {
                    "target": np.repeat(spectra.target_names, n),
                    "repeat": split.repeat,
                    "fold": split.fold,
                    "n_train": len(split.train),
                    "sample": np.tile(split.test, n_targets),
                    "reference": reference.T.ravel(),
                    "predicted": (reference + errors[split.repeat, split.test]).T.ravel(),
                }
            )
        )
    return pd.concat(tables, ignore_index=True).assign(arm=name, regressor=_REGRESSOR, ratio=0.0)
