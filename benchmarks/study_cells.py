"""How the tables of the study's report are written: rows and cells as Markdown."""

from collections.abc import Sequence

import pandas as pd

from spectra_core.figures.names import typeset

SHORT = {"cannot tell": "?", "looked at afterwards": ""}


def markdown(head: Sequence[object], rows: Sequence[Sequence[object]]) -> str:
    """Return a table, its ions typeset."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(typeset(str(cell)) for cell in line) + " |" for line in lines)


def number(value: float) -> str:
    """Return three digits."""
    return f"{value:.3g}"


def error(row: pd.Series) -> str:
    """Return mean and standard deviation over folds."""
    return f"{row['mean']:.3g} ± {row['std']:.2g}"


def change(row: pd.Series) -> str:
    """Return the change of error in percent, its interval and the verdict of one row of `compare_arms`."""
    word = row.get("verdict", "")
    return f"{row['effect']:+.0f} ({row['low']:+.0f}, {row['high']:+.0f}) {SHORT.get(word, word)}".rstrip()
