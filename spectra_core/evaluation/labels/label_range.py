"""Labels of generated spectra beside the range of the training labels: below zero, outside, moved to an end."""

import pandas as pd

from spectra_core.errors import SpectraError


def label_range(labels: pd.DataFrame, training: pd.DataFrame) -> pd.DataFrame:
    """Count the labels of every target that lie where no training label does.

    Parameters
    ----------
    labels : (n_generated, n_targets)
    training : (n_spectra, n_targets)
        Labels of the training spectra, columns alike.

    Returns
    -------
    DataFrame, one row per target
        ``target``, ``lowest``, ``highest`` (of the training labels), ``n_labels``, ``n_below_zero`` (0 for a target
        that is negative in the training set, too), ``n_outside`` (outside the range), ``n_at_end`` (exactly at an end
        of it: where clipping moves them; 0 for a target that does not vary).

    Raises
    ------
    SpectraError
        When the targets differ.
    """
    if list(labels.columns) != list(training.columns):
        raise SpectraError("Labels are compared target by target, but the targets differ. Use labels of the same set.")
    lowest, highest = training.min(), training.max()
    at_end = (labels.eq(lowest) | labels.eq(highest)).sum().where(lowest < highest, 0)
    return pd.DataFrame(
        {
            "target": list(labels.columns),
            "lowest": lowest.to_numpy(),
            "highest": highest.to_numpy(),
            "n_labels": len(labels),
            "n_below_zero": (labels.lt(0.0) & lowest.ge(0.0)).sum().to_numpy(),
            "n_outside": (labels.lt(lowest) | labels.gt(highest)).sum().to_numpy(),
            "n_at_end": at_end.to_numpy(),
        }
    )


def range_sentence(table: pd.DataFrame, *, clipped: bool) -> str:
    """Say how many labels are below zero, outside the range, or were moved to an end of it.

    Parameters
    ----------
    table
        As from `label_range`.
    clipped
        Whether labels outside the range were moved to its nearest end.
    """
    n_labels = int(table["n_labels"].sum())
    below, outside, at_end = (int(table[name].sum()) for name in ("n_below_zero", "n_outside", "n_at_end"))
    counted = f"{at_end if clipped else outside:,} of {n_labels:,}".replace(",", "\u202f")
    if clipped:
        return (
            f"{counted} labels stand at an end of the range of the training labels: those that lay "
            "outside were moved there."
            if at_end
            else "All labels lie within the range of the training labels, so none was moved."
        )
    if not outside:
        return "All labels lie within the range of the training labels."
    worst = table["target"].iloc[int(table["n_below_zero"].to_numpy().argmax())]
    zero = f", {below} of them below zero, most for {worst}: no solution has such a concentration" if below else ""
    return f"{counted} labels lie outside the range of the training labels{zero}."
