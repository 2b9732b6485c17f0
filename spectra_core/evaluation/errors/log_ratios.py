"""Every arm's error set beside its reference's, fold by fold, as the logarithm of their ratio."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from spectra_core.errors import SpectraError
from spectra_core.evaluation.errors.regression_errors import blown_up, with_training_size

ROW = ["arm", "reference", "regressor", "target", "n_train", "ratio"]
"""What one comparison is about."""
ROUNDING = 1e-9
"""Ratios that differ from 1 by less are rounding; and so are errors below this share of the target's largest."""


def log_ratios(
    errors: pd.DataFrame,
    references: Mapping[str, str],
    measure: str = "rmsep",
    spreads: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Pair every arm's fold with its reference's.

    Parameters
    ----------
    errors
        From `regression_errors`, or a table with its keys, ``n_test`` and `measure`.
    references
        For every arm that is compared the name of its reference.
    spreads
        Standard deviation of every target; None to go by ``r2`` of `errors`, where it is there.

    Returns
    -------
    DataFrame, one row per (arm, reference, regressor, target, n_train, ratio, repeat, fold)
        ``value``, ``reference_value`` (in the target's unit), ``log_ratio``, ``flagged`` (one of the two runs blew up),
        ``trained_on``, ``n_test``; ``n_train`` is the size that folds have in common.

    Raises
    ------
    SpectraError
        When a fold of an arm has no counterpart, or several.
    """
    table = with_training_size(errors)
    table = table.assign(trained_on=table["n_train"], n_train=table["size"], value=table[measure])
    table["flagged"] = blown_up(table, measure, spreads)
    arms = table[table["arm"].isin(list(references))]
    arms = arms.assign(reference=arms["arm"].map(references))
    others = table[table["arm"].isin(references.values())]
    others = others.rename(columns={"arm": "reference", "value": "reference_value", "flagged": "reference_flagged"})
    keys = ["reference", "regressor", "target", "n_train", "repeat", "fold"]
    if others.duplicated(keys).any():  # a reference of its own for every ratio
        keys.append("ratio")
    if others.duplicated(keys).any() or arms.duplicated(["arm", "ratio", *keys]).any():
        raise SpectraError("An arm has several errors for one fold. Compare the arms of one experiment at a time.")
    pairs = arms.merge(others[[*keys, "reference_value", "reference_flagged"]], on=keys, how="left")
    alone = pairs["reference_value"].isna()
    if alone.any():
        row = pairs[alone].iloc[0]
        raise SpectraError(
            f"The arm {row['arm']!r} was tested on fold {row['fold']} of repetition {row['repeat']} for "
            f"{row['target']} by {row['regressor']}, but its reference {row['reference']!r} was not. "
            "Compare arms of one experiment."
        )
    least = ROUNDING * pairs.groupby("target")["reference_value"].transform("max").to_numpy(dtype=np.float64)
    least = np.maximum(least, np.finfo(np.float64).tiny)  # errors of 0 have no logarithm
    value, base = (np.maximum(pairs[name].to_numpy(dtype=np.float64), least) for name in ("value", "reference_value"))
    ratio = np.log(value) - np.log(base)
    pairs["log_ratio"] = np.where(np.abs(ratio) <= ROUNDING, 0.0, ratio)
    pairs["flagged"] |= pairs.pop("reference_flagged").astype(bool)
    return pairs


def own_references(arms: list[str], reference: str | Mapping[str, str]) -> dict[str, str]:
    """Return the reference of every arm that is compared.

    Raises
    ------
    SpectraError
        When there is no such arm, or no other.
    """
    wanted = dict.fromkeys(arms, reference) if isinstance(reference, str) else dict(reference)
    own = {arm: name for arm, name in wanted.items() if arm != name}
    missing = sorted({*own, *own.values()} - set(arms))
    if missing or not own:
        raise SpectraError(
            f"Arms are compared with a reference arm, but there is no {', '.join(map(repr, missing)) or 'other arm'}. "
            f"The arms are: {', '.join(arms)}."
        )
    return own


def test_share(n_test: float, n_spectra: float, trained_on: float) -> float:
    """Return the spectra tested over those that a training fold holds before it is cut down (docs/decisions/021).

    Parameters
    ----------
    n_test, trained_on
        Means over the folds of a comparison.
    n_spectra
        Of the whole set.
    """
    return n_test / max(n_spectra - n_test, trained_on)
