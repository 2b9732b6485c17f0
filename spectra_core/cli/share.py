"""The commands ``report``, ``capsule`` and ``verify``: what others are given, and what they can check."""

import argparse
from pathlib import Path

from spectra_core.cli import shared
from spectra_core.errors import ConfigError
from spectra_core.store import Store

RESULT = "the beginning of a kept result's id, its name, or what `study --out` wrote"


def add_report_options(one: argparse.ArgumentParser) -> None:
    """Add the options of the command ``report``."""
    one.add_argument("result", metavar="RESULT", help=RESULT)
    one.add_argument("--out", required=True, metavar="FILE.html", help="where to write")


def report(chosen: argparse.Namespace) -> None:
    """Write a result as one HTML file that opens offline: question, verdicts, data, method, figures, limits."""
    from spectra_core.report import report_of
    from spectra_core.report.finding import find_result
    from spectra_core.report.page import as_html

    require_ending(chosen.out, (".html", ".htm"), "A report")
    store = Store()
    shared.write_file(Path(chosen.out), as_html(report_of(find_result(chosen.result, store), store)).encode())
    shared.say(f"Written to {chosen.out}.")


def require_ending(out: str, endings: tuple[str, ...], what: str) -> None:
    """Refuse a name with another ending before any work is done.

    Raises
    ------
    ConfigError
        Naming the ending that is meant.
    """
    if Path(out).suffix.lower() not in endings:
        raise ConfigError(f"{what} is written as {endings[0]}, not as {Path(out).name!r}.")
