"""The command ``judge``: verdicts for a table of fold errors that any program made."""

import argparse
import io
import json
from pathlib import Path

import pandas as pd

from spectra_core.cli import shared
from spectra_core.datasets.formulas import table_csv, unguarded
from spectra_core.datasets.numbers import parse_number
from spectra_core.errors import ConfigError, ReadError
from spectra_core.store.files import write_at


def add_options(one: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    one.add_argument(
        "--errors",
        required=True,
        metavar="FILE.csv",
        help="a row per fold: arm, regressor, target, repeat, fold, n_train, n_test, rmsep (and sd, if known)",
    )
    one.add_argument(
        "--declared",
        metavar="FILE.json",
        help="the question: reference (by default the arm named reference), arms, regressors, targets, smallest_effect "
        "in per cent (5)",
    )
    one.add_argument("--out", metavar="FILE.csv", help="where the verdicts go; without it they are shown")


def judge(chosen: argparse.Namespace) -> None:
    """Judge fold errors of any program: effect, interval and verdict of every arm against the reference."""
    from spectra_core.experiment import judge as judged

    errors = _cells(shared.read_text(chosen.errors), chosen.errors)
    readable = {"arm", "rmsep"} <= set(errors) and list(errors.columns).count("arm") == 1 and len(errors)
    if not chosen.declared and readable and "reference" not in set(errors["arm"]):
        example = json.dumps({"reference": str(errors["arm"].iloc[0])}, ensure_ascii=False)
        raise ConfigError(f"No arm is called reference. Say which one is, as --declared FILE.json with {example}.")
    table = judged(errors, shared.read_json(chosen.declared) if chosen.declared else None)
    if chosen.out:
        write_at(Path(chosen.out), table_csv(table))
        shared.say(f"Written to {chosen.out}.")
    else:
        shared.say(table.to_string(index=False, float_format="{:.1f}".format))


def _cells(text: str, name: str) -> pd.DataFrame:
    """Return a table as it is written: an arm may be called "null", and commas in names are no decimal marks."""
    separator = max(",;\t", key=text.partition("\n")[0].count)
    try:
        cells = pd.read_csv(
            io.StringIO(text), sep=separator, header=None, dtype=str, keep_default_na=False, skipinitialspace=True
        )
    except (ValueError, pd.errors.ParserError) as error:
        raise ReadError(f"{name} is no table of comma-separated values. Write one row per fold.") from error
    names = [str(one).strip().lower() for one in cells.iloc[0]]
    table = cells[1:].fillna("").map(lambda cell: unguarded(cell.strip())).set_axis(names, axis="columns")
    numbers = [at for at, one in enumerate(names) if one in ("n_train", "n_test", "rmsep", "sd")]
    comma = separator != "," and any(table.iloc[:, at].str.contains(",").any() for at in numbers)
    for at in numbers:
        read = [parse_number(cell, "," if comma else ".") for cell in table.iloc[:, at]]
        table.isetitem(at, [cell if one is None else one for cell, one in zip(table.iloc[:, at], read, strict=True)])
    return table
