"""The command ``class``: what a class on one server holds, its rules, and the removal of workspaces nobody uses."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from spectra_core.cli import shared
from spectra_core.errors import StoreError
from spectra_core.spectra.text import counted
from spectra_core.store import classroom, home_folder

_RULES = {
    "sets": "sets that a workspace may keep",
    "megabytes": "how much of the disk it may take",
    "jobs": "how many of its jobs may wait or run",
    "workspaces": "how many workspaces there may be",
    "idle_days": "days without a visit after which a workspace may be removed",
}


def add_options(one: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    usual = classroom.Rules()
    for name, words in _RULES.items():
        option = f"--{name.replace('_', '-')}"
        one.add_argument(option, type=int, metavar="N", help=f"{words} ({getattr(usual, name)})")
    one.add_argument("--board", choices=["on", "off"], help="show quiz scores to the class, under nicknames (off)")
    one.add_argument("--clean", action="store_true", help="remove the workspaces whose date has passed")


def show_class(chosen: argparse.Namespace) -> None:
    """Change rules where asked, list the workspaces with the date of each, and remove idle ones where asked."""
    folder = home_folder().absolute()
    changes = {name: getattr(chosen, name) for name in _RULES if getattr(chosen, name) is not None}
    changes |= {} if chosen.board is None else {"board": chosen.board == "on"}
    rules = classroom.change_rules(folder, changes)
    shared.say(_in_words(rules))
    tell_teacher(folder)
    for home in classroom.workspaces(folder):
        _tell(home, clean=chosen.clean)


def _in_words(rules: classroom.Rules) -> str:
    """Say the rules.

    >>> _in_words(classroom.Rules(jobs=1))
    'Of each workspace at most 40 sets, 1000 MB, 1 job; 100 workspaces, kept for 30 days without a visit; board off.'
    """
    each = f"{counted(rules.sets, 'set')}, {rules.megabytes} MB, {counted(rules.jobs, 'job')}"
    kept = f"{counted(rules.workspaces, 'workspace')}, kept for {counted(rules.idle_days, 'day')} without a visit"
    return f"Of each workspace at most {each}; {kept}; board {'on' if rules.board else 'off'}."


def tell_teacher(folder: Path, where: str = "the app with ") -> None:
    """Say how the shelf of a class is filled in the app; the class is made at the first call.

    `where` leads the address, which only whoever serves the app knows: "http://localhost:8501/".
    """
    secret = classroom.teacher_secret(folder)
    shared.say(f"Whoever opens {where}?workspace={secret} fills the shelf of the class.")


def _tell(home: Path, *, clean: bool) -> None:
    from spectra_core.jobs import Jobs

    until = classroom.kept_until(home)
    if until is None:
        return  # removed meanwhile
    megabytes = classroom.charged_bytes(home) / 10**6
    n_active = sum(record.is_active for record in Jobs(home).listed())
    what = f"{home.name[:12]}  {megabytes:8.1f} MB  used {classroom.used(home):%Y-%m-%d}"
    if not clean or until > datetime.now(UTC) or n_active:
        shared.say(
            f"{what}  may be removed from {until:%Y-%m-%d}" + (f"  {counted(n_active, 'job')}" if n_active else "")
        )
        return
    try:
        classroom.remove_workspace(home)
    except StoreError as error:
        shared.say(f"{what}  {error}")
    else:
        shared.say(f"{what}  removed")
