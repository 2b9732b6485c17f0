"""The advice in words."""

from collections.abc import Sequence

import pandas as pd

from spectra_core.evaluation.errors.sentences import change_sentence, signed, what_it_takes
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


def head(table: pd.DataFrame, told: Sequence[str], choice: pd.Series) -> list[str]:
    """Say what to do.

    Parameters
    ----------
    table
        From `advice_table`.
    choice
        Row of `compare_arms` about the choice itself: its mean over the targets that are told, or the only one.
    """
    if not told:
        return ["Nothing here helps: no target can be told from these spectra, or their labels do not belong to them."]
    first = summary(table).iloc[0]
    if first["remedy"] == AS_NOW:
        return ["Nothing here helps: no remedy that was tried has a smaller error than what is in use."]
    judged = (
        f"Choosing it as was done here, judged on spectra that had no part in the choice, changes the error by "
        f"{change_sentence(choice)}"
    )
    if choice["verdict"] == "improved":
        return [f"{first['remedy']} helps. {judged}: improved."]
    improved = table[table["verdict"].eq("improved") & table["remedy"].ne(MORE_SPECTRA)]
    if len(improved):
        one = improved.iloc[0]
        of = "" if one["target"] == ALL_TARGETS or len(told) == 1 else f" for {one['target']}"
        said = f"{one['remedy']} helps{of}: the error changes by {change_sentence(one)}."
        return [f"{said} The smallest error has {first['remedy']}. {judged}."]
    return [
        f"Nothing here is shown to help. The smallest error has {first['remedy']}. {judged}: {choice['verdict']}"
        + (f"; {takes}" if (takes := what_it_takes(choice)) else ".")
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
        f"{signed(row['effect'].iloc[0])}. Twice as many again usually change it by {signed(low)} to {signed(high)}; "
        "more cannot be foretold from one set."
    ]
