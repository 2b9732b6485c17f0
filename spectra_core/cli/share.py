"""The commands ``report``, ``capsule`` and ``verify``: what others are given, and what they can check."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spectra_core.cli import shared
from spectra_core.errors import ConfigError, ReadError
from spectra_core.store import Store
from spectra_core.store.files import write_at

if TYPE_CHECKING:  # loads torch, for which --help need not wait
    from spectra_core.report.verifying import Agreement
    from spectra_core.spectra import SpectraSet
    from spectra_core.store import StoredResult

RESULT = "the beginning of a kept result's id, its name, or what `study --out` wrote"


def add_commands(
    commands: Any, command: Callable[..., argparse.ArgumentParser], data: Callable[..., argparse.ArgumentParser]
) -> None:
    """Add the commands that make and check what others are given.

    Parameters
    ----------
    command, data
        Make a command, and add the options that name spectra.
    """
    one = command(
        commands,
        "report",
        report,
        "report results/ --out report.html",
        "report 'Study of solutions' --out report.html",
    )
    add_report_options(one)

    one = command(commands, "card", card, "card 3f9a --out card.html", "card 3f9a --out card.json")
    add_card_options(one)

    one = command(
        commands,
        "capsule",
        capsule,
        "capsule results/ --data solutions.csv --out run.capsule",
        "capsule 'Study of solutions' --without-data --out run.capsule",
    )
    add_capsule_options(data(one, required=False))

    one = command(
        commands,
        "verify",
        verify,
        "verify run.capsule",
        "verify run.capsule --part all",
        "verify run.capsule --part fold:3 --data solutions.csv",
    )
    add_verify_options(data(one, required=False))


def add_report_options(one: argparse.ArgumentParser) -> None:
    """Add the options of the command ``report``."""
    one.add_argument("result", metavar="RESULT", help=f"{RESULT}; or a calibration, kept or as a file")
    one.add_argument("--out", required=True, metavar="FILE.html", help="where to write")


def report(chosen: argparse.Namespace) -> None:
    """Write a result as one HTML file that opens offline: question, verdicts, data, method, figures, limits."""
    from spectra_core.report import report_of_named
    from spectra_core.report.page import as_html

    require_ending(chosen.out, (".html", ".htm"), "A report")
    write_at(Path(chosen.out), as_html(report_of_named(chosen.result, Store())).encode())
    shared.say(f"Written to {chosen.out}.")


def add_card_options(one: argparse.ArgumentParser) -> None:
    """Add the options of the command ``card``."""
    one.add_argument(
        "model",
        metavar="MODEL",
        help="name or beginning of the id of a kept generator or calibration, or its file",
    )
    one.add_argument("--out", required=True, metavar="FILE.html|.json", help="where to write")


def card(chosen: argparse.Namespace) -> None:
    """Write the card of a model: what it was made from, for what range, and what it is known to fail at."""
    from spectra_core.report import card_of_named, generator_card
    from spectra_core.report.judging import judged_now
    from spectra_core.report.page import as_html

    require_ending(chosen.out, (".html", ".json"), "A model card")
    store = Store()
    found, generator = card_of_named(chosen.model, store)
    if generator is not None and not found.failures:
        with shared.progress_bar() as reporter:
            found = generator_card(store, generator, judged_now(store, generator, reporter=reporter))
    as_page = Path(chosen.out).suffix.lower() == ".html"
    write_at(Path(chosen.out), as_html(found.report()).encode() if as_page else found.to_json())
    shared.say(f"Written to {chosen.out}.")


def add_capsule_options(one: argparse.ArgumentParser) -> None:
    """Add the options of the command ``capsule``."""
    one.add_argument("result", metavar="RESULT", help=RESULT)
    one.add_argument("--out", required=True, metavar="FILE.capsule", help="where to write")
    one.add_argument(
        "--without-data", action="store_true", help="only the fingerprint of the data; no predictions of single spectra"
    )
    one.add_argument("--licence", default="", help="of the data, as you state it; else what is kept beside them")


def capsule(chosen: argparse.Namespace) -> None:
    """Pack an experiment, its data, results, versions and checksums into one file that others can verify."""
    from spectra_core.report.capsule import TELLING, capsule_of
    from spectra_core.report.finding import data_of, find_result, require_experiment
    from spectra_core.report.study import cards_of

    require_ending(chosen.out, (".capsule",), "A capsule")
    store = Store()
    result = find_result(chosen.result, store)
    require_experiment(result, "A capsule")
    kept = data_of(result, store)
    spectra = None if kept is None else kept.spectra
    if chosen.data:
        with shared.progress_bar() as reporter:
            spectra = _with_targets_of(result, shared.data_of(chosen, store, reporter))
    content = capsule_of(
        result,
        spectra,
        with_data=not chosen.without_data,
        licence=chosen.licence or (kept.record.licence if kept else ""),
        cards=cards_of(kept, store),
    )
    write_at(Path(chosen.out), content)
    stayed = f"; the data and the tables {', '.join(TELLING)} stayed behind" if chosen.without_data else ""
    shared.say(f"Written to {chosen.out}, {len(content) / 1e6:.1f} MB{stayed}.")


def add_verify_options(one: argparse.ArgumentParser) -> None:
    """Add the options of the command ``verify``."""
    one.add_argument("capsule", metavar="FILE.capsule", help="what `capsule` wrote")
    one.add_argument("--part", default="fold", help="what is recomputed: fold, fold:NUMBER from 1 on, or all (fold)")
    one.add_argument("--digits", type=int, default=6, help="significant digits that figures must share (6)")
    one.add_argument("--workers", type=int, help="threads; changes the time, never a number")


def verify(chosen: argparse.Namespace) -> int:
    """Check every byte of a capsule, compute a part of it again, and say which figures agree to how many digits."""
    from spectra_core.jobs.tasks import default_workers
    from spectra_core.report.capsule import MANIFEST, MOST_BYTES, SET_MEMBERS, CapsuleError, open_capsule
    from spectra_core.report.finding import DOCUMENT, EXPERIMENT
    from spectra_core.report.verifying import part_named
    from spectra_core.report.verifying import verify as verified

    fold = part_named(chosen.part)
    try:
        content = _bytes_of(Path(chosen.capsule), MOST_BYTES)
        opened = open_capsule(content)
        shared.say(f"Every byte is as it was written: {len(opened.files)} members, {len(content) / 1e6:.1f} MB.")
        _say_versions(opened.result.document.get("versions"))
        with shared.progress_bar() as reporter:
            spectra = shared.data_of(chosen, Store(), reporter) if chosen.data else None
            n_workers = default_workers() if chosen.workers is None else chosen.workers
            found = verified(opened, spectra, fold=fold, digits=chosen.digits, reporter=reporter, n_workers=n_workers)
    except CapsuleError as error:
        shared.say(f"Refused: {error}")
        return 1
    code = _say_agreement(found, fold, chosen.digits)
    checked = {MANIFEST, EXPERIMENT, DOCUMENT, *SET_MEMBERS, *(f"tables/{one.table}.csv" for one in found)}
    others = sorted(set(opened.files) - checked)
    if others:
        shared.say(f"Not computed again, and as its author wrote it: {', '.join(others)}.")
    return code


def _say_agreement(found: "list[Agreement]", fold: int | None, digits: int) -> int:
    """Show every table, then what does not agree; return the exit code."""
    recomputed = "all folds" if fold is None else f"fold {fold + 1}"
    shared.say(f"\nRecomputed from the data: {recomputed}. The rest must follow from the capsule's own tables.\n")
    shared.say(f"{'table':14} {'':11} {'figures':>8} {'identical':>10} {'digits that agree':>18}")
    for one in found:
        fewest = "all" if one.n_identical == one.n_figures and not one.n_differing else str(one.fewest_digits)
        shared.say(f"{one.table:14} {one.how:11} {one.n_figures:8} {one.n_identical:10} {fewest:>18}")
    wrong = [one for one in found if one.n_differing]
    for one in wrong:
        shared.say(f"\n{one.table} ({one.how}): {one.n_differing} do not agree.")
        shared.say("\n".join(f"  {words}" for words in one.differing))
    total = sum(one.n_figures for one in found)
    if wrong:
        n_wrong = sum(one.n_differing for one in wrong)
        shared.say(f"\nNot verified: {n_wrong} of {total} figures share fewer than {digits} digits.")
        return 1
    shared.say(f"\nVerified: all {total} figures agree to {digits} digits or more.")
    return 0


def _say_versions(made_with: Any) -> None:
    """Name the versions here that are others than those of the run."""
    from spectra_core.training.versions import versions

    here = versions()
    known = made_with if isinstance(made_with, dict) else {}
    if not known:
        shared.say("The versions it was run with were not recorded.")
        return
    others = [f"{name} {known[name]} (here {here[name]})" for name in here if known.get(name, here[name]) != here[name]]
    shared.say(
        f"It was run with other versions: {', '.join(others)}." if others else "It was run with the versions here."
    )


def _bytes_of(path: Path, most: int) -> bytes:
    try:
        if path.stat().st_size > most:
            raise ReadError(f"{path.name} has {path.stat().st_size / 1e9:.1f} GB; capsules of at most 2 GB are read.")
        return path.read_bytes()
    except OSError as error:
        raise ReadError(f"{path} cannot be opened: {error.strerror}. Check the name and the permissions.") from error


def _with_targets_of(result: "StoredResult", spectra: "SpectraSet") -> "SpectraSet":
    targets = result.tables["spreads"]["target"].astype(str).tolist()
    return spectra.with_targets(targets) if set(targets) <= set(spectra.target_names) else spectra


def require_ending(out: str, endings: tuple[str, ...], what: str) -> None:
    """Refuse a name with another ending before any work is done.

    Raises
    ------
    ConfigError
        Naming the ending that is meant.
    """
    if Path(out).suffix.lower() not in endings:
        raise ConfigError(f"{what} is written as {endings[0]}, not as {Path(out).name!r}.")
