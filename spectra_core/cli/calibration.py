"""The commands ``calibrate`` and ``read``: a calibration as one file, and what it reads from unknown spectra."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pandas as pd

from spectra_core.choices import Choice
from spectra_core.cli import shared
from spectra_core.datasets.writers.tables import require_table_form, table_file
from spectra_core.errors import ConfigError
from spectra_core.regressors.choice import regressor_from_text
from spectra_core.shares import digits_below_one
from spectra_core.spectra.text import counted
from spectra_core.store import Store
from spectra_core.store.files import write_at

if TYPE_CHECKING:
    from spectra_core.calibration import ExternalValidation


def add_calibrate_options(one: argparse.ArgumentParser) -> None:
    """Add the options of ``calibrate``."""
    one.add_argument(
        "--regressor",
        action="append",
        default=[],
        metavar="NAME",
        help="preprocessing after a colon, as pls:clip+snv; with options as JSON; for one target as Cu2+=ridge; may be "
        "given several times (gaussian_process)",
    )
    one.add_argument("--generated", nargs="+", metavar="DATA", help="spectra that train too, such as a generated set")
    one.add_argument("--folds", type=int, default=10, help="of the cross-validation (10)")
    one.add_argument("--out", required=True, metavar="FILE.zip", help="where to write the calibration")
    one.add_argument("--coefficients", metavar="FILE.csv", help="where to write coefficients too (PLS and ridge)")
    one.add_argument("--keep", action="store_true", help="also keep it for the app")


def calibrate(chosen: argparse.Namespace) -> None:
    """Fit a calibration on all spectra, and write it as one file."""
    from spectra_core.calibration import calibrate as calibrated
    from spectra_core.calibration import coefficient_table, figures_of_merit
    from spectra_core.report.calibrated import MERIT
    from spectra_core.store.calibrations import save_calibration

    if Path(chosen.out).suffix.lower() != ".zip":
        raise ConfigError(f"A calibration is written as .zip, not as {Path(chosen.out).name!r}.")
    if chosen.coefficients:
        require_table_form(chosen.coefficients)
    store = Store()
    with shared.progress_bar() as reporter:
        spectra = shared.data_of(chosen, store, reporter)
        generated = chosen.generated and shared.spectra_from(
            chosen.generated, store, reporter, targets=chosen.targets, recipe=None, seed=chosen.seed
        )
        made = calibrated(
            spectra,
            regressor=chosen_regressors(chosen.regressor, spectra.target_names),
            generated=generated,
            n_folds=chosen.folds,
            seed=chosen.seed,
            reporter=reporter,
        )
    merit = figures_of_merit(made)
    shared.say(f"{made.title} on {shared.told(spectra)}; cross-validated in {made.n_folds} folds.\n")
    headings = {**MERIT, "slope": "Slope", "lod_most": "Limit of detection"}
    shown = merit[[name for name in headings if name != "note"]].rename(columns=headings)
    shared.say(shown.to_string(index=False, float_format=_said, na_rep="-"))
    save_calibration(made, chosen.out)
    shared.say(f"\nWritten to {chosen.out}.")
    if chosen.keep:
        store.save_set(spectra)
        shared.say(f"Kept as {store.save_calibration(made)}.")
    if chosen.coefficients:
        coefficients = coefficient_table(made)
        write_at(Path(chosen.coefficients), table_file(coefficients, chosen.coefficients))
        n_left_out = 1 + len(made.train.target_names) - coefficients.shape[1]
        left_out = f", but for {counted(n_left_out, 'target')} read by no weighted sum of channels" * (n_left_out > 0)
        shared.say(f"Coefficients are in {chosen.coefficients}{left_out}.")


def chosen_regressors(given: list[str], targets: tuple[str, ...]) -> dict[str, str | Choice]:
    """Return the regressor of every target, as in ``["pls", "Cu2+=ridge:snv"]``.

    >>> {name: choice.name for name, choice in chosen_regressors(["pls", "Cu2+=ridge"], ("Cu2+", "Zn2+")).items()}
    {'Cu2+': 'ridge', 'Zn2+': 'pls'}
    """
    found: dict[str, str | Choice] = dict.fromkeys(targets, "gaussian_process")
    named = [_parted(text) for text in given]
    unknown = [name for name, _ in named if name is not None and name not in targets]
    if unknown:
        raise ConfigError(f"There is no target {unknown[0]!r} to choose for. Targets: {', '.join(targets) or 'none'}.")
    for name, choice in named:
        if name is None:
            found = dict.fromkeys(targets, choice)
    return found | {name: choice for name, choice in named if name is not None}


def _parted(text: str) -> tuple[str | None, Choice]:
    """Return the target that a regressor is for, None for all, and the regressor."""
    end = text.index("{") if text.endswith("}") and "{" in text else len(text)
    name, equals, plain = text[:end].rpartition("=")
    return name if equals else None, regressor_from_text(plain + text[end:])


def add_read_options(one: argparse.ArgumentParser) -> None:
    """Add the options of ``read``."""
    from spectra_core.calibration.reading import OtherAxis

    one.add_argument("--calibration", required=True, metavar="FILE.zip", help="what `calibrate` wrote")
    one.add_argument("--level", type=float, default=0.9, help="share of samples the intervals cover (0.9)")
    one.add_argument(
        "--axis",
        choices=get_args(OtherAxis),
        default="refuse",
        help="channels other than the calibration's: interpolate onto its channels, cut to them, or refuse (refuse)",
    )
    one.add_argument("--out", required=True, metavar="FILE.csv|.xlsx|.parquet", help="where to write the readings")
    one.add_argument(
        "--references",
        metavar="FILE",
        help="reference values that came later, a column of ids and one per target; tells errors, coverage, drift",
    )


def read(chosen: argparse.Namespace) -> None:
    """Read concentrations of unknown spectra with a calibration."""
    from spectra_core.calibration import validate
    from spectra_core.datasets.references import read_references
    from spectra_core.store.calibrations import load_calibration

    require_table_form(chosen.out)
    axis = chosen.axis
    with shared.progress_bar() as reporter:
        known = load_calibration(chosen.calibration)
        spectra = shared.spectra_from(chosen.data, Store(), reporter, targets=[], recipe=chosen.recipe, seed=0)
        table = known.read(spectra, chosen.level, axis=axis)
    write_at(Path(chosen.out), table_file(table, chosen.out))
    n_flagged = table.loc[table["flags"] != "", "id"].nunique()
    shared.say(
        f"Read {len(known.train.target_names)} targets from {len(spectra)} spectra, with {100 * chosen.level:g} % "
        f"intervals; {counted(n_flagged, 'spectrum has', 'spectra have')} flags. Units: "
        + ", ".join(f"{one.name} [{one.unit or 'unknown'}]" for one in known.train.target_info)
        + f". Written to {chosen.out}."
    )
    if chosen.references:
        given = read_references(chosen.references, known.train.target_info)
        _tell_validation(validate(known, spectra, given, axis=axis))


def _tell_validation(found: "ExternalValidation") -> None:
    def said(table: pd.DataFrame) -> str:
        return str(table.to_string(index=False, float_format=_said, na_rep="-"))

    shared.say(f"\nAgainst reference values:\n{said(found.errors)}")
    coverage = found.coverage.pivot_table(index="target", columns="level", values="covered", sort=False).reset_index()
    shared.say(f"\nShare of them within intervals of the level:\n{said(coverage)}")
    if found.unmatched:
        shared.say(f"\nWithout a spectrum: {', '.join(found.unmatched[:20])}.")


def _said(value: float) -> str:
    return f"{value:.{digits_below_one(value, 3)}g}"
