"""How the tables of the study's report are written: rows and cells as Markdown."""

from collections.abc import Sequence

import pandas as pd

SHORT = {"no practical difference": "same", "cannot tell": "?"}


def markdown(head: Sequence[object], rows: Sequence[Sequence[object]]) -> str:
    """Return a table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def number(value: float) -> str:
    """Return three digits."""
    return f"{value:.3g}"


def error(row: pd.Series) -> str:
    """Return mean and standard deviation over folds."""
    return f"{row['mean']:.3g} ± {row['std']:.2g}"


def change(row: pd.Series) -> str:
    """Return the change of error in percent, its interval and the verdict of one row of `compare_arms`."""
    if row["verdict"] == "identical":
        return "identical"
    effect, low, high = (100.0 * row[f"relative_{name}"] for name in ("effect", "low", "high"))
    return f"{effect:+.0f} ({low:+.0f}, {high:+.0f}) {SHORT.get(row['verdict'], row['verdict'])}"
