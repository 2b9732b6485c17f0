"""The advice in words."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.evaluation.errors.verdicts import ALL_TARGETS
from spectra_core.experiment.advice.ways import AS_NOW, MORE_SPECTRA
from spectra_core.spectra import SpectraSet

USUAL_DOUBLING = (0.0, -15.0)
"""Per cent of the error that twice as many spectra take, as sets of the project showed: a single learning curve misses
what comes next by 7 to 8 points, "always -5 %" by 5."""


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Return the first row of every remedy: its mean over targets, or its only target."""
    return table.drop_duplicates("remedy")


def untold(spectra: SpectraSet, told: Sequence[str]) -> list[str]:
    """Name the targets that no spectrum tells."""
    names = [name for name in spectra.target_names if name not in told]
    if not names:
        return []
    return [
        f"No spectrum tells {', '.join(names)}: nothing that was tried explains a tenth of the variance of left-out "
        "spectra, so always answering the mean does as well. Expect nothing there, whatever is done."
    ]


def head(table: pd.DataFrame, first: str, told: Sequence[str], kept: NDArray[np.float64]) -> list[str]:
    """Say what to do.

    Parameters
    ----------
    kept : (n_targets,)
        Error of the choice, judged by folds around it, over that of what is in use.
    """
    if not told:
        return ["Nothing here helps: no target can be told from these spectra, or their labels do not belong to them."]
    remedies = table[(table["remedy"] != AS_NOW) & (table["remedy"] != MORE_SPECTRA)]
    whole = remedies[remedies["target"] == (ALL_TARGETS if len(told) != 1 else told[0])]
    row = whole[whole["remedy"] == first]
    if first == AS_NOW:
        return ["Nothing here helps: no remedy that was tried has a smaller error than what is in use."]
    best = row.iloc[0]
    change = f"{best['effect']:+.0f} % (95 % interval {best['low']:+.0f} to {best['high']:+.0f} %)"
    names = list(table["target"][table["target"] != ALL_TARGETS].unique())
    judged = 100.0 * np.expm1(np.log(kept)[[names.index(name) for name in told]].mean())
    promise = f"The choice, judged on spectra that had no part in it, changes it by {judged:+.0f} %."
    if best["verdict"] == "improved":
        return [f"{first}: the error changes by {change}. {promise}"]
    improved = remedies[remedies["verdict"] == "improved"]
    if len(improved):
        one = improved.iloc[0]
        return [
            f"For {one['target']}, {one['remedy']} improves ({one['effect']:+.0f} %). The smallest mean error has "
            f"{first}: {change}. {promise}"
        ]
    return [
        f"Nothing here is shown to help. The smallest error has {first}: {change}, which these spectra cannot tell "
        f"from none, or which is too small to matter. {promise}"
    ]


def more_spectra(table: pd.DataFrame, way: str, curve: pd.DataFrame) -> list[str]:
    """Say what the last doubling of spectra brought, and at most a range of what the next one may."""
    row = table[table["remedy"] == MORE_SPECTRA]
    if row.empty:
        return []
    whole = int(curve["n_train"].max())
    low, high = USUAL_DOUBLING[1], USUAL_DOUBLING[0]
    return [
        f"More spectra: from {whole // 2} to {whole} of them the error of {way} changed by "
        f"{row['effect'].iloc[0]:+.0f} %. Twice as many again usually change it by {low:+.0f} to {high:.0f} %; more "
        "cannot be foretold from one set."
    ]
