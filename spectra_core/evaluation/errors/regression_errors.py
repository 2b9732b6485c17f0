"""How far predicted concentrations lie from their references: per fold, over folds, and by concentration."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from spectra_core.errors import ConfigError, SpectraError

PREDICTION_KEYS = ["arm", "regressor", "target", "repeat", "fold", "n_train", "ratio"]
"""What one row of the error table stands for."""
BLOWN_UP = 2.0
"""A run blew up when its RMSEP exceeds so many standard deviations of the target: one is reached by guessing."""
MEASURES = ["rmsep", "mae", "bias", "sep", "r2", "rpd", "rer"]


def regression_errors(predictions: pd.DataFrame) -> pd.DataFrame:
    """Measure the errors of every test fold.

    With e = predicted - reference over the n test spectra of a fold, and s the standard deviation of their
    references (divisor n - 1):

    - RMSEP = sqrt(sum e^2 / n);  MAE = sum |e| / n;  bias = sum e / n
    - SEP = sqrt(sum (e - bias)^2 / (n - 1)), the standard error of prediction corrected for bias
    - R2 = 1 - sum e^2 / sum (reference - mean reference)^2, the coefficient of determination of this fold's test
      spectra (not a squared correlation: it falls below 0 where the mean would predict better)
    - RPD = s / SEP, ratio of performance to deviation;  RER = range of references / SEP, range error ratio

    Sources: Naes, Isaksson, Fearn & Davies, A User-Friendly Guide to Multivariate Calibration and Classification, 2002,
    chapter 13 (RMSEP, bias, SEP); Williams & Sobering, J. Near Infrared Spectrosc. 1993, 1, 25-32 (RPD, RER with SEP).
    Some authors divide by RMSEP instead of SEP, which gives a smaller RPD where there is bias.

    Parameters
    ----------
    predictions : one row per predicted value
        Columns ``arm``, ``regressor``, ``target``, ``repeat``, ``fold``, ``n_train``, ``ratio``, ``sample``,
        ``reference``, ``predicted`` (both in the target's unit).

    Returns
    -------
    DataFrame, one row per (arm, regressor, target, repeat, fold, n_train, ratio)
        These columns, rows in order of first appearance, then ``rmsep``, ``mae``, ``bias``, ``sep`` in the target's
        unit, ``r2``, ``rpd``, ``rer`` without unit, and ``n_test``. SEP, RPD and RER need two test spectra, and R2, RPD
        and RER references that differ; where a measure is not defined it is NaN, never 0 or infinite.

    Raises
    ------
    SpectraError
        When columns are missing, or a value is not finite.
    """
    return measures_by(_with_errors(predictions), PREDICTION_KEYS)


def errors_by_concentration(predictions: pd.DataFrame, n_bins: int = 5) -> pd.DataFrame:
    """Measure errors in bins of the reference concentration, each with about as many spectra.

    Parameters
    ----------
    predictions
        As in `regression_errors`.
    n_bins
        Bins per target, with limits at quantiles of its references; fewer where references repeat.

    Returns
    -------
    DataFrame, one row per (arm, regressor, target, n_train, ratio, bin)
        ``bin`` (0 is the lowest), ``low`` and ``high`` (limits, the same in all arms), ``centre`` (mean reference),
        ``rmsep``, ``mae``, ``bias`` in the target's unit over all folds and repetitions, ``n_test``.
    """
    return errors_by_value(predictions, predictions["reference"], n_bins)


def errors_by_value(predictions: pd.DataFrame, values: pd.Series, n_bins: int = 10) -> pd.DataFrame:
    """Measure errors in bins of any value known for every prediction, such as the density of the training spectra.

    Parameters
    ----------
    predictions
        As in `regression_errors`.
    values : one per row of `predictions`
        What to sort by, under the same index.
    n_bins
        Bins per target, with limits at quantiles; fewer where values repeat.

    Returns
    -------
    DataFrame
        As `errors_by_concentration`; ``low``, ``high`` and ``centre`` are in the unit of `values`.

    Raises
    ------
    ConfigError
        When there is not at least one bin.
    SpectraError
        When `values` do not belong to the rows of `predictions`.
    """
    if n_bins < 1:
        raise ConfigError(f"Errors need at least one bin, got {n_bins}.")
    if not values.index.equals(predictions.index):
        raise SpectraError("Values to sort errors by must have one row per prediction, under the same index.")
    keys = ["arm", "regressor", "target", "n_train", "ratio", "bin", "low", "high"]
    table = _with_errors(predictions)
    table["n_train"] = with_training_size(predictions)["size"]
    table["value"] = values.to_numpy(dtype=np.float64)
    binned = pd.concat([_with_bins(rows, n_bins) for _, rows in table.groupby("target", sort=False)])
    grouped = binned.groupby(keys, sort=False, dropna=False)
    out = measures_by(binned, keys)[[*keys, "rmsep", "mae", "bias", "n_test"]]
    out.insert(len(keys), "centre", grouped["value"].mean().to_numpy())
    return out.sort_values(["arm", "regressor", "target", "n_train", "ratio", "bin"], kind="stable", ignore_index=True)


def error_summary(
    errors: pd.DataFrame,
    by: Sequence[str] = ("arm", "regressor", "target", "n_train", "ratio"),
    spreads: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Average every measure over folds and repetitions, with its spread.

    The average of a measure over folds is not the measure of all folds pooled: a fold's R2 divides by the spread of
    that fold's references, so that the two differ most where folds are small. The mean over folds is what a single
    test set of that size would show on average.

    Parameters
    ----------
    errors
        From `regression_errors`.
    by
        What one row stands for. ``n_train`` is the typical size over folds; see `with_training_size`.
    spreads
        Standard deviation of every target; None to go by ``r2``.

    Returns
    -------
    DataFrame, one row per combination of `by`
        For every measure ``<measure>_mean`` and ``<measure>_sd`` (divisor n - 1 over folds and repetitions; NaN for a
        single one), then ``rmsep_median``, which a run that blew up does not move, ``n_blown_up``: in how many folds
        one did (see `blown_up`), and ``n_folds``. Undefined values are left out. The spread is that of folds: it is not
        a standard error, since folds share training spectra.
    """
    _require_columns(errors, [*PREDICTION_KEYS, *by, *MEASURES], "errors")
    table = with_training_size(errors)
    table["n_train"] = table.pop("size")
    table["blown_up"] = blown_up(table, spreads=spreads)
    grouped = table.groupby(list(by), sort=False, dropna=False)
    out = grouped.size().rename("n_folds").to_frame()
    out.insert(0, "n_blown_up", grouped["blown_up"].sum())
    out.insert(0, "rmsep_median", grouped["rmsep"].median())
    for position, measure in enumerate(MEASURES):
        out.insert(2 * position, f"{measure}_mean", grouped[measure].mean())
        out.insert(2 * position + 1, f"{measure}_sd", grouped[measure].std(ddof=1))
    return out.reset_index()


def with_training_size(table: pd.DataFrame) -> pd.DataFrame:
    """Add the column ``size``: the training size that rows of different folds have in common.

    Folds of one experiment train on sizes that differ by a few spectra where the number of spectra is no multiple of
    the number of folds, or where groups are kept together. The smallest sizes of all folds belong together, so do the
    second smallest, and so on; each is named by its median.
    """
    _require_columns(table, ["repeat", "fold", "n_train"], "errors")
    fold = table.groupby(["repeat", "fold"], sort=False).ngroup().to_numpy()
    found, place = np.unique(np.column_stack([fold, table["n_train"]]), axis=0, return_inverse=True)
    rank = np.arange(len(found)) - np.searchsorted(found[:, 0], found[:, 0])
    named = [np.median(found[rank == number, 1]).round() for number in range(rank.max(initial=-1) + 1)]
    return table.assign(size=np.array(named, dtype=np.int64)[rank[place.ravel()]])


def blown_up(errors: pd.DataFrame, measure: str = "rmsep", spreads: Mapping[str, float] | None = None) -> pd.Series:
    """Return for every row of a table of errors whether that run blew up: RMSEP above twice the target's deviation."""
    if spreads is not None:
        return errors[measure] > BLOWN_UP * errors["target"].map(spreads).astype(float)
    if "r2" in errors:  # 1 - (RMSEP / deviation)^2, with the deviation of the fold's own references
        return errors["r2"] < 1.0 - BLOWN_UP**2
    return pd.Series(False, index=errors.index)


def measures_by(table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return the measures of every group of rows with columns ``reference`` and ``error``, in order of appearance."""
    grouped = table.assign(
        absolute=table["error"].abs(),
        square=table["error"] ** 2,
    ).groupby(keys, sort=False, dropna=False)
    n = grouped.size().to_numpy()
    mean_square = grouped["square"].mean().to_numpy()
    reference = grouped["reference"]
    spread, reach = reference.std(ddof=1).to_numpy(), (reference.max() - reference.min()).to_numpy()
    sep = grouped["error"].std(ddof=1).to_numpy()
    out = grouped.size().rename("n_test").reset_index()
    varies = np.where(reach > 0, 1.0, np.nan)  # NaN where references are all alike
    with np.errstate(divide="ignore", invalid="ignore"):
        measures: Mapping[str, np.ndarray] = {
            "rmsep": np.sqrt(mean_square),
            "mae": grouped["absolute"].mean().to_numpy(),
            "bias": grouped["error"].mean().to_numpy(),
            "sep": sep,
            "r2": 1.0 - varies * n * mean_square / ((n - 1) * spread**2),
            "rpd": varies * spread / np.where(sep > 0, sep, np.nan),
            "rer": varies * reach / np.where(sep > 0, sep, np.nan),
        }
    for position, (name, values) in enumerate(measures.items()):
        out.insert(len(keys) + position, name, values)
    return out


def _with_bins(rows: pd.DataFrame, n_bins: int) -> pd.DataFrame:
    """Add ``bin``, ``low`` and ``high``; limits are quantiles of the distinct predictions' values."""
    values = rows["value"].to_numpy()
    limits = np.unique(np.quantile(values, np.linspace(0.0, 1.0, n_bins + 1)))
    # Bins are closed on the left, the last also on the right.
    number = np.clip(np.searchsorted(limits, values, side="right") - 1, 0, max(len(limits) - 2, 0))
    return rows.assign(bin=number, low=limits[number], high=limits[np.minimum(number + 1, len(limits) - 1)])


def _require_columns(table: pd.DataFrame, wanted: Sequence[str], what: str) -> None:
    missing = [name for name in wanted if name not in table]
    if missing:
        raise SpectraError(
            f"The table of {what} needs the columns {', '.join(wanted)}; {', '.join(missing)} are missing. "
            f"Use the table that an experiment returns."
        )


def _with_errors(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the keys of checked predictions with their ``reference`` and ``error`` (predicted - reference)."""
    _require_columns(predictions, [*PREDICTION_KEYS, "reference", "predicted"], "predictions")
    reference, predicted = predictions[["reference", "predicted"]].to_numpy(dtype=np.float64).T
    bad = ~(np.isfinite(reference) & np.isfinite(predicted))
    if bad.any():
        row = predictions.iloc[int(np.argmax(bad))]
        raise SpectraError(
            f"{int(bad.sum())} predictions are not finite numbers, first for {row['target']} by {row['regressor']} "
            f"in arm {row['arm']!r}. An error over them means nothing: look for a diverged training."
        )
    return predictions[PREDICTION_KEYS].assign(reference=reference, error=predicted - reference)
