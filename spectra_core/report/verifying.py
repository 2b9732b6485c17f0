"""Whether the figures of a capsule are what its experiment gives: computed again here, and compared digit by digit."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.contracts import SILENT, Reporter
from spectra_core.datasets.formulas import table_csv
from spectra_core.errors import ConfigError, SpectraCoreError
from spectra_core.evaluation.errors.regression_errors import regression_errors
from spectra_core.experiment import Experiment, run
from spectra_core.experiment.run import run_fold
from spectra_core.experiment.tables import comparisons_of, worth_tables
from spectra_core.report.capsule import Capsule, CapsuleError, fault
from spectra_core.report.finding import read_table
from spectra_core.spectra import SpectraSet

EXACT = 16
"""Digits of figures that are equal to the last bit; a double holds 15 to 17."""
ENOUGH = 6
"""Digits that figures must share, unless told otherwise: rounding on another processor moves the last ones."""
_MOST_NAMED = 5
_KEYS = ("arm", "regressor", "target", "repeat", "fold", "generator", "sample", "n_train")
_ONE_FOLD = ("predictions", "errors", "generators", "added", "densities")
"""Tables with rows by fold."""


@dataclass(frozen=True)
class Agreement:
    """How a table of a capsule compares with what was computed here.

    Parameters
    ----------
    how
        "recomputed" from the data, or "follows" from the capsule's own tables.
    n_figures, n_identical
        Numbers compared, and those equal to the last bit.
    fewest_digits
        Significant digits that the worst of them shares; `EXACT` where all are equal.
    differing
        What does not agree, in words, the first few.
    n_differing
        How many do not.
    """

    table: str
    how: str
    n_figures: int = 0
    n_identical: int = 0
    fewest_digits: int = EXACT
    differing: tuple[str, ...] = ()
    n_differing: int = 0


def part_named(text: str) -> int | None:
    """Return the number of the fold to recompute, from 0, over all repetitions; None for all.

    >>> part_named("fold"), part_named("fold:3"), part_named("all")
    (0, 2, None)

    Raises
    ------
    ConfigError
        For anything else.
    """
    match = re.fullmatch(r"fold(?::([1-9]\d{0,5}))?", text)
    if text == "all":
        return None
    if match is None:
        raise ConfigError(f"A part to verify is fold, fold:NUMBER from 1 on, or all; got {text!r:.40}.")
    return int(match[1] or 1) - 1


def verify(
    capsule: Capsule,
    spectra: SpectraSet | None = None,
    *,
    fold: int | None = 0,
    digits: int = ENOUGH,
    reporter: Reporter = SILENT,
    n_workers: int = 1,
) -> list[Agreement]:
    """Compute a part of a capsule's experiment again, and whether everything else in it follows from its tables.

    Parameters
    ----------
    spectra
        The data, where they stayed behind.
    fold
        Number over all repetitions, from 0; None for the whole experiment.
    digits
        Significant digits that figures must share.

    Raises
    ------
    CapsuleError
        When the data are others than the experiment's, or the tables are not of its form.
    ConfigError
        When the data are needed, there is no such fold, or numbers have not so many digits.
    """
    if not 1 <= digits < EXACT:
        raise ConfigError(f"Figures share between 1 and {EXACT - 1} significant digits, got {digits}.")
    data = _data(capsule, spectra)
    experiment = Experiment.from_document(capsule.result.document["experiment"])
    kept = dict(capsule.result.tables)
    try:
        found = [agreement(name, kept[name], table, "follows", digits) for name, table in _following(experiment, kept)]
    except (KeyError, ValueError, TypeError, SpectraCoreError) as error:
        raise CapsuleError(f"The tables in this capsule are not those of its experiment: {fault(error)}") from error
    for name in _ONE_FOLD:
        if len(kept.get(name, ())) and not {"repeat", "fold"} <= set(kept[name]):
            raise CapsuleError(
                f"The table {name!r} of this capsule tells of no repetitions and folds. Ask for it again."
            )
    if fold is None:
        tables: Mapping[str, pd.DataFrame] = run(experiment, data, reporter=reporter, n_workers=n_workers).tables
    else:
        repeat, number = (0, fold) if experiment.fresh_sets else divmod(fold, experiment.n_folds)
        tables = run_fold(experiment, data, repeat=repeat, fold=number, reporter=reporter, n_workers=n_workers)
        for name in _ONE_FOLD:
            if name in kept and len(kept[name]):
                rows = (kept[name]["repeat"] == repeat) & (kept[name]["fold"] == number)
                kept[name] = kept[name][rows].reset_index(drop=True)
    found += [
        agreement(name, kept[name], table, "recomputed", digits) for name, table in tables.items() if name in kept
    ]
    return found


def agreement(name: str, kept: pd.DataFrame, found: pd.DataFrame, how: str, digits: int = ENOUGH) -> Agreement:
    """Compare a table of a capsule with one computed here, cell by cell.

    Digits of a number a beside b are -log10 |a - b| / scale, where the scale is the larger of both, or the median of
    the column for that target where that is larger still: a bias of nearly 0 has no digits of its own.
    """
    found = read_table(table_csv(found))
    unlike = Agreement(name, how, fewest_digits=0, n_differing=1)
    if len(kept) != len(found):
        return replace(unlike, differing=(f"{len(kept)} rows in the capsule, {len(found)} computed here",))
    if list(kept.columns) != list(found.columns) and len(found):
        return replace(unlike, differing=("its columns are others than this version computes",))
    shared = np.full((len(found), found.shape[1]), float(EXACT))
    numeric = []
    for place, column in enumerate(found.columns if len(found) else ()):
        numbers = pd.api.types.is_numeric_dtype(found[column]) and not pd.api.types.is_bool_dtype(found[column])
        if numbers and column not in _KEYS:
            numeric.append(place)
            shared[:, place] = _digits(kept[column], found[column], _scale(found, str(column)))
        else:
            alike = kept[column].astype(str).to_numpy() == found[column].astype(str).to_numpy()
            shared[~alike, place] = 0.0
    figures = shared[:, numeric]
    wrong = np.argwhere(shared < digits)
    return Agreement(
        name,
        how,
        n_figures=figures.size,
        n_identical=int((figures >= EXACT).sum()),
        fewest_digits=int(shared.min(initial=EXACT)),
        differing=tuple(_named(kept, found, row, column, shared) for row, column in wrong[:_MOST_NAMED]),
        n_differing=len(wrong),
    )


def _data(capsule: Capsule, spectra: SpectraSet | None) -> SpectraSet:
    if spectra is None:
        if (inside := capsule.data()) is not None:
            return inside
        raise ConfigError(
            f"The data stayed behind when this capsule was made. Give them with --data; their fingerprint begins with "
            f"{capsule.fingerprint[:12]}."
        )
    targets = capsule.result.document["experiment"].get("targets")
    if targets and set(targets) <= set(spectra.target_names):
        spectra = spectra.with_targets(targets)
    if spectra.fingerprint != capsule.fingerprint:
        raise CapsuleError(
            f"Expected the data with the fingerprint {capsule.fingerprint[:12]}, got {spectra.fingerprint[:12]}. Give "
            "the set the experiment was run on, imported with the same recipe."
        )
    return spectra


def _following(experiment: Experiment, kept: Mapping[str, pd.DataFrame]) -> list[tuple[str, pd.DataFrame]]:
    """Compute what follows from a capsule's own tables: errors from predictions, verdicts from errors."""
    spreads = {str(one): float(sd) for one, sd in zip(kept["spreads"]["target"], kept["spreads"]["sd"], strict=True)}
    compared = comparisons_of(experiment, kept["errors"], spreads)
    tables = {"comparisons": compared, **worth_tables(experiment, kept["errors"], compared, spreads)}
    if "predictions" in kept:
        tables = {"errors": regression_errors(kept["predictions"]), **tables}
    return [(name, table) for name, table in tables.items() if name in kept]


def _digits(kept: pd.Series, found: pd.Series, scale: NDArray[np.float64]) -> NDArray[np.float64]:
    one, other = (pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64) for values in (kept, found))
    alike = (one == other) | (np.isnan(other) & (kept.isna() | (kept.astype(str) == "")).to_numpy())
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = np.abs(one - other) / np.maximum(np.maximum(np.abs(one), np.abs(other)), scale)
        digits = np.where(np.isfinite(apart), -np.log10(apart), 0.0)
    return np.where(alike, float(EXACT), np.clip(np.floor(digits), 0, EXACT - 1))


def _scale(found: pd.DataFrame, column: str) -> NDArray[np.float64]:
    """Return the typical size of a column's numbers, target by target."""
    sizes = found[column].abs().replace(np.inf, np.nan)
    if "target" in found:
        sizes = sizes.groupby(found["target"]).transform("median")
    else:
        sizes = pd.Series(sizes.median(), index=sizes.index)
    scale: NDArray[np.float64] = np.nan_to_num(sizes.to_numpy(dtype=np.float64))
    return scale


def _named(kept: pd.DataFrame, found: pd.DataFrame, row: int, column: int, shared: NDArray[np.float64]) -> str:
    name = found.columns[column]
    where = ", ".join(
        f"{key} {int(found[key].iloc[row]) + 1}" if key in ("repeat", "fold") else str(found[key].iloc[row])
        for key in _KEYS
        if key in found
    )
    one, other = kept[name].iloc[row], found[name].iloc[row]
    return f"{name} of {where}: {one} in the capsule, {other} here ({int(shared[row, column])} digits agree)"
