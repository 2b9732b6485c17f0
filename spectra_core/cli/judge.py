"""The command ``judge``: verdicts for a table of fold errors that any program made."""

import argparse
import io
from pathlib import Path

import pandas as pd

from spectra_core.cli import shared
from spectra_core.datasets.formulas import table_csv
from spectra_core.errors import ReadError


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

    text = shared.read_text(chosen.errors)
    separator = max(",;\t", key=text.partition("\n")[0].count)
    decimal = "," if separator == ";" and "," in text else "."
    try:
        errors = pd.read_csv(io.StringIO(text), sep=separator, decimal=decimal)
    except (ValueError, pd.errors.ParserError) as error:
        raise ReadError(f"{chosen.errors} is no table of comma-separated values. Write one row per fold.") from error
    table = judged(errors, shared.read_json(chosen.declared) if chosen.declared else None)
    if chosen.out:
        shared.write_file(Path(chosen.out), table_csv(table))
        shared.say(f"Written to {chosen.out}.")
    else:
        shared.say(table.to_string(index=False, float_format="{:.1f}".format))
