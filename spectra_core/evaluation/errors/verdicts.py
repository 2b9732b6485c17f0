"""Whether an arm's errors differ from the reference's: effect, interval, probabilities, and a sentence."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd

from spectra_core.errors import ConfigError, SpectraError
from spectra_core.evaluation.errors.regression_errors import with_training_size
from spectra_core.evaluation.errors.resampled_t import CONFIDENCE, SIGNIFICANCE, corrected_t, folds_needed, holm

Verdict = Literal["improved", "no practical difference", "worse", "cannot tell", "identical"]

ROUNDING = 1e-9
"""Differences below this share of the reference's error are rounding, not differences."""
_ROW = ["arm", "reference", "regressor", "target", "n_train", "ratio"]


def compare_arms(
    errors: pd.DataFrame,
    reference: str | Mapping[str, str] = "step_matched",
    *,
    rope: float = 0.05,
    measure: str = "rmsep",
) -> pd.DataFrame:
    """Compare every arm with the reference arm, fold by fold.

    Intervals, p and probabilities come from the corrected resampled t-test and its Bayesian form, see `corrected_t`.
    p is adjusted by Holm's method over all rows that can be tested. The verdict is the first of these that holds:

    - "identical": no fold differs by more than rounding.
    - "no practical difference": within ±`rope` times the reference's mean error with probability 0.95.
    - "improved" or "worse": adjusted p below 0.05, and the effect lies outside that region.
    - "cannot tell": all else; also a single fold, and differences without variance, which are not tested.

    The correction is n_test / (n_spectra - n_test), with all the experimental spectra of a repetition: what the whole
    training fold holds, also where it was cut down for a learning curve (docs/decisions/021). Generated rows do not
    count: they bring no news of the population.

    Parameters
    ----------
    errors
        From `regression_errors`.
    reference
        Name of the arm to compare with, or for every arm to be compared the name of its own reference, such as the
        step-matched arm of its ratio.
    rope
        Half-width of the region of practical equivalence, as a share of the reference's mean error.
    measure
        Column of `errors` to compare; smaller must be better.

    Returns
    -------
    DataFrame, one row per (arm, regressor, target, n_train, ratio) but those of the reference
        - ``arm``, ``reference``, ``regressor``, ``target``, ``n_train`` (see `with_training_size`), ``ratio``
        - ``reference_error``, ``arm_error``: means over folds, in the target's unit
        - ``effect`` (arm - reference, below 0 is better), ``low``, ``high`` (95 % interval), in the target's unit
        - ``relative_effect``, ``relative_low``, ``relative_high``: the same as shares of ``reference_error``
        - ``p``, ``p_holm``: NaN where nothing is tested
        - ``improved``, ``equivalent``, ``worse``: probabilities; NaN where nothing is tested
        - ``n_folds``: differences compared
        - ``folds_needed``: about how many folds would make the effect significant, if effect and spread stayed as they
          are; infinite where folds of the same spectra cannot; NaN unless ``verdict`` is "cannot tell" for want of them
        - ``verdict``

    Raises
    ------
    SpectraError
        When there is no such reference, or an arm and its reference were not tested on the same folds.
    ConfigError
        When `rope` is not a share.
    """
    if not 0 <= rope < 1:
        raise ConfigError(f"The region of practical equivalence is a share from 0 to below 1, got {rope:g}.")
    own_reference = _own_references([str(arm) for arm in errors["arm"].unique()], reference)
    pairs = _paired(errors, own_reference, measure)
    rows = []
    for keys, folds in pairs.groupby(_ROW, sort=False, dropna=False):
        differences = (folds["value"] - folds["reference_value"]).to_numpy(dtype=np.float64)
        base = float(folds["reference_value"].mean())
        rows.append({**dict(zip(_ROW, keys, strict=True)), **_compared(differences, base, _test_share(folds), rope)})
    return _with_verdicts(pd.DataFrame(rows), rope)


def verdict_sentence(row: Mapping[str, Any] | pd.Series) -> str:
    """Say one comparison as a sentence: effect and interval first, then what they allow to conclude.

    Parameters
    ----------
    row
        One row of `compare_arms`, as a Series or mapping.
    """
    who = f"{row['target']} by {row['regressor']}, {row['arm']} against {row['reference']}"
    if row["verdict"] == "identical":
        return f"{who}: identical in every fold."
    change = f"{who}: error {_percent(row['relative_effect'])}"
    if row["n_folds"] < 2:
        return f"{change} in a single fold. Cannot tell: it takes at least two folds."
    if np.isnan(row["p"]):
        return f"{change}, the same in every fold. Cannot tell: a difference without variance cannot be tested."
    change += f" (95 % interval {_percent(row['relative_low'])} to {_percent(row['relative_high'])})"
    if row["verdict"] == "no practical difference":
        return f"{change}. No practical difference, with probability {row['equivalent']:.2f}."
    conclusion = f"p = {row['p_holm']:.2g} after Holm"
    if row["verdict"] != "cannot tell":
        return f"{change}. {str(row['verdict']).capitalize()}, {conclusion}."
    return f"{change}. Cannot tell, {conclusion}: {_what_it_takes(row)}"


def _what_it_takes(row: Mapping[str, Any] | pd.Series) -> str:
    if np.isnan(row["folds_needed"]):
        return "there is a difference, but whether it is of practical size takes more repetitions or spectra."
    if np.isinf(row["folds_needed"]):
        return "repeating these folds will not do; it takes more spectra, more and smaller folds, or a larger effect."
    return f"at this effect and spread it takes about {row['folds_needed']:.0f} folds, not {row['n_folds']:.0f}."


def _paired(errors: pd.DataFrame, own_reference: Mapping[str, str], measure: str) -> pd.DataFrame:
    """Set every arm's fold beside its reference's: columns of `_ROW`, ``value``, ``reference_value``, sizes."""
    table = with_training_size(errors)
    table = table.assign(trained_on=table["n_train"], n_train=table["size"], value=table[measure])
    arms = table[table["arm"].isin(list(own_reference))]
    arms = arms.assign(reference=arms["arm"].map(own_reference))
    references = table[table["arm"].isin(own_reference.values())]
    references = references.rename(columns={"arm": "reference", "value": "reference_value"})
    keys = ["reference", "regressor", "target", "n_train", "repeat", "fold"]
    if references.duplicated(keys).any():  # a reference of its own for every ratio
        keys.append("ratio")
    if references.duplicated(keys).any() or arms.duplicated(["arm", "ratio", *keys]).any():
        raise SpectraError("An arm has several errors for one fold. Compare the arms of one experiment at a time.")
    pairs = arms.merge(references[[*keys, "reference_value"]], on=keys, how="left")
    alone = pairs["reference_value"].isna()
    if alone.any():
        row = pairs[alone].iloc[0]
        raise SpectraError(
            f"The arm {row['arm']!r} was tested on fold {row['fold']} of repetition {row['repeat']} for "
            f"{row['target']} by {row['regressor']}, but its reference {row['reference']!r} was not. "
            "Compare arms of one experiment."
        )
    return pairs


def _own_references(arms: list[str], reference: str | Mapping[str, str]) -> dict[str, str]:
    """Return the reference of every arm that is compared."""
    wanted = dict.fromkeys(arms, reference) if isinstance(reference, str) else dict(reference)
    own = {arm: name for arm, name in wanted.items() if arm != name}
    missing = sorted({*own, *own.values()} - set(arms))
    if missing or not own:
        raise SpectraError(
            f"Arms are compared with a reference arm, but there is no {', '.join(map(repr, missing)) or 'other arm'}. "
            f"The arms are: {', '.join(arms)}."
        )
    return own


def _test_share(folds: pd.DataFrame) -> float:
    """Return n_test over the spectra that a training fold holds before it is cut down."""
    tested = folds["n_test"].mean()
    others = folds.groupby("repeat")["n_test"].sum().mean() - tested
    return float(tested / max(others, folds["trained_on"].mean()))


def _compared(differences: np.ndarray, base: float, test_share: float, rope: float) -> dict[str, float]:
    rounding = ROUNDING * abs(base)
    n = len(differences)
    if (np.abs(differences) <= rounding).all():
        differences = np.zeros(n)
    effect = float(differences.mean())
    spread = float(differences.std(ddof=1)) if n > 1 else np.nan
    p, low, high, probabilities = np.nan, np.nan, np.nan, np.full(3, np.nan)
    if spread > rounding:
        p, low, high, probabilities = corrected_t(differences, test_share, rope * abs(base))
    elif n > 1:
        low, high, spread = effect, effect, 0.0
    relative = 1.0 / base if base > 0 else np.nan
    return {
        "reference_error": base,
        "arm_error": base + effect,
        "effect": effect,
        "low": low,
        "high": high,
        "relative_effect": effect * relative,
        "relative_low": low * relative,
        "relative_high": high * relative,
        "p": p,
        "p_holm": np.nan,
        **dict(zip(("improved", "equivalent", "worse"), map(float, probabilities), strict=True)),
        "n_folds": n,
        "spread": spread,
        "test_share": test_share,
    }


def _with_verdicts(table: pd.DataFrame, rope: float) -> pd.DataFrame:
    table["p_holm"] = holm(table["p"].to_numpy())
    n_tested = int(table["p"].notna().sum())
    verdicts: list[Verdict] = []
    needed = []
    for _, row in table.iterrows():
        verdict = _verdict(row, rope)
        lacks_folds = verdict == "cannot tell" and row["p_holm"] >= SIGNIFICANCE
        needed.append(
            folds_needed(row["effect"], row["spread"], row["test_share"], n_tested) if lacks_folds else np.nan
        )
        verdicts.append(verdict)
    return table.drop(columns=["spread", "test_share"]).assign(folds_needed=needed, verdict=verdicts)


def _verdict(row: Mapping[str, Any] | pd.Series, rope: float) -> Verdict:
    if row["effect"] == 0 and not row["spread"] > 0:
        return "identical"
    if np.isnan(row["p"]):
        return "cannot tell"
    if row["equivalent"] >= CONFIDENCE:
        return "no practical difference"
    if row["p_holm"] < SIGNIFICANCE and abs(row["relative_effect"]) > rope:
        return "improved" if row["effect"] < 0 else "worse"
    return "cannot tell"


def _percent(share: float) -> str:
    return f"{100.0 * share:+.1f} %"
