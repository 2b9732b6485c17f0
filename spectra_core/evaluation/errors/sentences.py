"""Verdicts in words that a chemist can act on."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from spectra_core.evaluation.errors.verdicts import ALL_TARGETS
from spectra_core.shares import digits_below_one, percents

_MOST_NAMED = 4


def answer(comparisons: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    """Return one sentence per declared arm: its mean over the declared targets, and targets that were told apart.

    Parameters
    ----------
    comparisons
        From `compare_arms`, rows of one regressor and one training size.
    labels
        What targets are called.
    """
    declared = comparisons[comparisons["declared"]]
    said = []
    for arm, rows in declared.groupby("arm", sort=False):
        whole = rows[rows["target"] == ALL_TARGETS]
        row = (whole if len(whole) else rows).iloc[0]
        single = rows[rows["target"] != ALL_TARGETS] if len(whole) else rows.iloc[:0]
        what = "the mean error" if len(whole) else f"the error of {labels.get(row['target'], row['target'])}"
        sentence = f"**{arm}**: {what} changes by {_change(row)}. {conclusion(row)}"
        for verdict in ("improved", "worse"):
            told = single[single["verdict"] == verdict]
            if len(told):
                names = [
                    f"{labels.get(t, t)} ({signed(e)})" for t, e in zip(told["target"], told["effect"], strict=True)
                ]
                more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
                sentence += f" {verdict.capitalize()} by itself: {', '.join(names[:_MOST_NAMED])}{more}."
        said.append(sentence)
    return said


def verdict_sentence(row: Mapping[str, Any] | pd.Series) -> str:
    """Say one comparison as a sentence: effect and interval first, then what they allow to conclude.

    Parameters
    ----------
    row
        One row of `compare_arms`, as a Series or mapping.
    """
    what = "all declared targets" if row["target"] == ALL_TARGETS else row["target"]
    start = f"{what} by {row['regressor']}, {row['arm']} against {row['reference']}: error {_change(row)}"
    return f"{start}. {conclusion(row)}"


def _change(row: Mapping[str, Any] | pd.Series) -> str:
    return f"{signed(row['effect'])} in a single fold" if row["n_folds"] < 2 else change_sentence(row)


def change_sentence(row: Mapping[str, Any] | pd.Series) -> str:
    r"""Say ``effect``, ``low`` and ``high``, in per cent.

    >>> change_sentence({"effect": -8.86, "low": -33.1, "high": 0.0})
    '−8.9\xa0% (95 % interval −33\xa0% to 0\xa0%)'
    """
    return f"{signed(row['effect'])} (95 % interval {signed(row['low'])} to {signed(row['high'])})"


def signed(change: float) -> str:
    """Say a change in per cent, with its sign."""
    return percents(change, sign=True)


def conclusion(row: Mapping[str, Any] | pd.Series) -> str:
    """Say what a comparison allows to conclude, and where it hangs on a run that blew up."""
    verdict = str(row["verdict"])
    if verdict == "looked at afterwards":
        return "Looked at afterwards: not among the declared comparisons, so no verdict."
    if verdict == "cannot tell":
        said = f"Cannot tell: {what_it_takes(row)}"
    elif verdict == "same":
        said = "The same, for all that matters here." if row["p"] < 1 else "Identical in every fold."
    else:
        said = f"{verdict.capitalize()}, p {_p_text(row['p_adjusted'])} over all declared comparisons."
    if row["flagged"]:
        runs = "a run" if row["flagged"] == 1 else f"{row['flagged']:.0f} runs"
        without = "the verdict stays" if row["verdict_without"] == verdict else f'it is "{row["verdict_without"]}"'
        said += f" With {runs} that blew up; without {without}."
    return said


def what_it_takes(row: Mapping[str, Any] | pd.Series) -> str:
    """Say what would tell a comparison that cannot be told yet; empty for others."""
    if row["verdict"] != "cannot tell":
        return ""
    if row["n_folds"] < 2:
        return "it takes at least two folds."
    if np.isfinite(row["repeats_needed"]):
        return f"about {row['repeats_needed']:.0f} repeats of these folds would tell it with a chance of 80 %."
    return (
        f"no number of repeats of the same spectra would tell it; about {_rounded(row['spectra_needed'])} spectra "
        f"would, with a chance of 80 %. As it is, a fall of {percents(row['smallest_told'])} or more would be told."
    )


def _p_text(p: float) -> str:
    return "below 0.001" if p < 0.001 else f"= {p:.{digits_below_one(p, 2)}g}"


def _rounded(number: float) -> str:
    """Return a number of spectra with two digits, thousands parted by a space."""
    digits = max(0, int(np.floor(np.log10(max(number, 1.0)))) - 1)
    return f"{round(number, -digits):,.0f}".replace(",", "\N{NARROW NO-BREAK SPACE}")
