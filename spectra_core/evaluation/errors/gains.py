"""What an arm's gain is worth: as a share of what new spectra would bring, and in numbers of spectra."""

import numpy as np
import pandas as pd

from spectra_core.errors import SpectraError
from spectra_core.evaluation.errors.regression_errors import error_summary
from spectra_core.evaluation.errors.verdicts import ALL_TARGETS


def augmentation_efficiency(comparisons: pd.DataFrame, oracle: str) -> pd.DataFrame:
    """Relate every arm's effect to that of as many new spectra from the true simulator.

    Efficiency = (E_ref - E_arm) / (E_ref - E_oracle), with E the mean error over folds: 1 is as good as new spectra,
    0 no better than the reference, below 0 is harm.

    Parameters
    ----------
    comparisons
        From `verdicts.compare_arms`, with the oracle among the arms.
    oracle
        Name of the oracle arm.

    Returns
    -------
    DataFrame, one row per (arm, regressor, target, n_train, ratio) but those of the oracle
        These columns, ``difference``, ``oracle_difference`` (in the target's unit) and ``efficiency``; NaN, "not
        defined", where the 95 % interval of the oracle's effect does not lie below 0: what new spectra cannot improve
        has no scale.

    Raises
    ------
    SpectraError
        When the oracle was not compared, or at several ratios none of which is the arm's.
    """
    keys = ["regressor", "target", "n_train"]
    comparisons = comparisons[comparisons["target"] != ALL_TARGETS]
    best = comparisons[comparisons["arm"] == oracle]
    if best.empty:
        raise SpectraError(
            f"There is no oracle arm {oracle!r} among the comparisons. An oracle needs simulated spectra; "
            f"the arms are: {', '.join(map(str, comparisons['arm'].unique()))}."
        )
    if best.duplicated(keys).any():
        keys.append("ratio")
    best = best.assign(oracle_difference=best["difference"], helps=best["high"] < 0)
    arms = comparisons[comparisons["arm"] != oracle]
    out = arms.merge(best[[*keys, "oracle_difference", "helps"]], on=keys, how="left")
    if out["helps"].isna().any():
        row = out[out["helps"].isna()].iloc[0]
        raise SpectraError(
            f"The oracle was not run for {row['target']} by {row['regressor']} at ratio {row['ratio']:g}, as the arm "
            f"{row['arm']!r} was. Add an oracle arm of that ratio."
        )
    out["efficiency"] = (out["difference"] / out["oracle_difference"]).where(out["helps"].astype(bool))
    return out[["arm", "regressor", "target", "n_train", "ratio", "difference", "oracle_difference", "efficiency"]]


def equivalent_samples(errors: pd.DataFrame, reference: str, measure: str = "rmsep") -> pd.DataFrame:
    """Say how many experimental spectra would have brought the same error as each arm.

    The reference's learning curve (mean error at every training size, made non-increasing by its running least) is
    read backwards, linear in the logarithms of size and error between its points.

    Parameters
    ----------
    errors
        From `regression_errors`, of an experiment with several training sizes.
    reference
        Arm whose learning curve is read.
    measure
        Column of `errors`.

    Returns
    -------
    DataFrame, one row per (arm, regressor, target, n_train, ratio) but those of the reference
        These columns, ``error`` (mean over folds), ``n_equivalent`` (spectra), ``gain`` = n_equivalent - n_train, and
        ``bound``: "reached", or where the curve ends "at least" (below its last error) or "at most" (above its first).

    Raises
    ------
    SpectraError
        When the reference has fewer than two training sizes.
    """
    summary = error_summary(errors)[["arm", "regressor", "target", "n_train", "ratio", f"{measure}_mean"]]
    summary = summary.rename(columns={f"{measure}_mean": "error"})
    rows = []
    for (regressor, target), here in summary.groupby(["regressor", "target"], sort=False):
        curve = here[here["arm"] == reference].groupby("n_train")["error"].mean().sort_index()
        if len(curve) < 2:
            raise SpectraError(
                f"A learning curve of the arm {reference!r} for {target} by {regressor} needs at least 2 training "
                f"sizes, got {len(curve)}. Run the experiment at several sizes."
            )
        sizes, least = curve.index.to_numpy(dtype=np.float64), np.minimum.accumulate(curve.to_numpy())
        for _, row in here[here["arm"] != reference].iterrows():
            rows.append({**row, **_read_backwards(float(row["error"]), sizes, least, float(row["n_train"]))})
    return pd.DataFrame(rows)


def _read_backwards(error: float, sizes: np.ndarray, least: np.ndarray, n_train: float) -> dict[str, float | str]:
    if error < least[-1]:
        equivalent, bound = float(sizes[-1]), "at least"
    elif error > least[0]:
        equivalent, bound = float(sizes[0]), "at most"
    else:
        # The first size whose error is no larger; the one before has a larger error.
        after = int(np.argmax(least <= error))
        before = max(after - 1, 0)
        span = np.log(least[before] / least[after]) if after > before else 1.0
        share = np.log(least[before] / error) / span if after > before else 0.0
        equivalent = float(np.exp(np.log(sizes[before]) + share * np.log(sizes[after] / sizes[before])))
        bound = "reached"
    return {"n_equivalent": equivalent, "gain": equivalent - n_train, "bound": bound}
