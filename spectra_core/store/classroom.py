"""A class on one server: a shared shelf, a workspace for every visitor below it, rules, and who is idle.

The class's folder is a data folder like any other: what its teacher keeps in it is the shared shelf. A workspace is a
data folder of its own at ``workspaces/HASH`` below it, so that visitors see nothing of each other by construction.
"""

import os
import re
import secrets
import shutil
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from spectra_core.errors import ConfigError, StoreError
from spectra_core.store.disk import use_of
from spectra_core.store.files import disk_errors, exclusive, json_bytes, read_document, replace_file, sha256
from spectra_core.store.shapes import shaped

WORKSPACES, _RULES, _USED, _MANIFEST = "workspaces", "class.json", "used", "manifest.json"
_SECRET_BYTES = 32
_MOST = 10**6
_USE_NOTED = timedelta(hours=1)
"""How exactly it is known when a workspace was used last."""


@dataclass(frozen=True)
class Rules:
    """What a class agreed on; a class of its own may change every number.

    Parameters
    ----------
    sets, megabytes, jobs
        How many sets a workspace may keep, how much of the disk it may take, how many of its jobs may wait or run.
    workspaces
        How many there may be.
    idle_days
        After how many days without a visit a workspace may be removed.
    board
        Whether quiz scores are shown to the class, under nicknames.
    """

    sets: int = 40
    megabytes: int = 1000
    jobs: int = 3
    workspaces: int = 100
    idle_days: int = 30
    board: bool = False


def class_folder(home: Path) -> Path | None:
    """Return the class that a data folder belongs to: as its own shelf, or as a workspace of it; None for neither."""
    if is_workspace(home):
        return home.parent.parent
    return home if (home / _RULES).is_file() else None


def is_workspace(home: Path) -> bool:
    """Whether a data folder is a visitor's."""
    return home.parent.name == WORKSPACES and re.fullmatch("[0-9a-f]{64}", home.name) is not None


def new_secret() -> str:
    """Return what opens a new workspace: 256 random bits, as text for a link."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def is_secret(text: str) -> bool:
    """Whether a text can be one of `new_secret`, complete."""
    return re.fullmatch(r"[A-Za-z0-9_-]{43}", text) is not None


def home_of_secret(folder: Path, secret: str) -> Path:
    """Return the data folder that a secret opens: a workspace, or the shelf where it is the teacher's."""
    if secrets.compare_digest(secret, teacher_secret(folder)):
        return folder
    return folder / WORKSPACES / sha256(b"secret\0", secret.encode())


def home_of_identity(folder: Path, issuer: str, subject: str) -> Path:
    """Return the workspace of somebody who signed in: these two claims name a person (OpenID Connect Core, 5.7)."""
    return folder / WORKSPACES / sha256(b"identity\0", json_bytes({"iss": issuer, "sub": subject}))


def rules_of(folder: Path) -> Rules:
    """Return the rules of a class, the usual ones where it has none.

    Raises
    ------
    StoreError
        When they cannot be read.
    """
    try:
        rules = shaped(Rules, _written(folder))
        wrong = [name for name, value in asdict(rules).items() if not (isinstance(value, bool) or 1 <= value <= _MOST)]
        if wrong:
            raise ValueError(f"{wrong[0]} is no number from 1 to {_MOST:,}")
    except ValueError as error:
        raise StoreError(f"The rules of the class (class.json) cannot be used: {error}. Mend the file.") from error
    return rules


def change_rules(folder: Path, changes: Mapping[str, Any]) -> Rules:
    """Change some rules of a class and return all.

    Raises
    ------
    ConfigError
        When a number is below 1.
    """
    for name, value in changes.items():
        if value is not True and value is not False and value < 1:
            raise ConfigError(f"{name} is a number from 1 upwards, got {value}.")
    with disk_errors("Changing the rules"), exclusive(folder / f".{_RULES}.lock"):
        rules = replace(rules_of(folder), **changes)
        replace_file(folder / _RULES, json_bytes({**_written(folder), **asdict(rules)}))
    return rules


def teacher_secret(folder: Path) -> str:
    """Return what opens the shelf to be filled; made, readable by the owner of the folder alone, at the first call."""
    found = _secret_in(_written(folder))
    if found is not None:
        return found
    with disk_errors("Opening the class"), exclusive(folder / f".{_RULES}.lock"):
        written = _written(folder)
        found = _secret_in(written)
        if found is None:
            found = new_secret()
            replace_file(folder / _RULES, json_bytes({**written, "teacher": found}))
            (folder / _RULES).chmod(0o600)
        return found


def _secret_in(written: Mapping[str, Any]) -> str | None:
    found = written.get("teacher")
    if found is None or (isinstance(found, str) and is_secret(found)):
        return found
    # A new one would lock the teacher out without a word.
    raise StoreError("What opens the shelf (teacher in class.json) is damaged. Mend it; or remove it, for a new link.")


def note_use(home: Path) -> None:
    """Note that somebody is in a workspace; one where nothing was kept yet leaves no trace."""
    with suppress(OSError):
        if is_workspace(home) and home.is_dir() and datetime.now(UTC) - used(home) > _USE_NOTED:
            (home / _USED).touch()


def kept_until(home: Path) -> datetime | None:
    """Return when a workspace may be removed unless somebody comes back; None for what is none, or holds nothing."""
    if not is_workspace(home) or not home.is_dir():
        return None
    return used(home) + timedelta(days=rules_of(home.parent.parent).idle_days)


def workspaces(folder: Path) -> list[Path]:
    """List the workspaces of a class, the one idle for longest first."""
    found = []
    for home in (folder / WORKSPACES).glob("*"):
        with suppress(OSError):
            if is_workspace(home):
                found.append((used(home), home))
    return [home for _, home in sorted(found)]


def remove_workspace(home: Path) -> None:
    """Remove a workspace for good: it disappears at once, its files afterwards."""
    grave = home.with_name(f".{uuid.uuid4().hex}")
    with disk_errors("Removing the workspace"):
        os.rename(home, grave)
    shutil.rmtree(grave, ignore_errors=True)


def require_room(home: Path, kind: str, n_bytes: int) -> None:
    """Check that a data folder may keep one thing more; only workspaces have limits.

    Parameters
    ----------
    kind
        The shelf it goes to.
    n_bytes
        What it takes of the disk.

    Raises
    ------
    StoreError
        Which limit is reached, and what to do.
    """
    if is_workspace(home):
        with disk_errors("Looking at the workspace"):
            _require_room(home, kind, n_bytes)


def _require_room(home: Path, kind: str, n_bytes: int) -> None:
    rules = rules_of(home.parent.parent)
    if not home.exists() and len(workspaces(home.parent.parent)) >= rules.workspaces:
        raise StoreError(
            f"This server has {rules.workspaces} workspaces, as many as it may: ask the teacher to remove idle ones."
        )
    if kind == "sets" and sum(1 for _ in home.glob(f"sets/*/{_MANIFEST}")) >= rules.sets:
        raise StoreError(f"A workspace keeps at most {rules.sets} sets: delete one you need no more.")
    if charged_bytes(home) + n_bytes > rules.megabytes * 10**6:
        raise StoreError(
            f"A workspace takes at most {rules.megabytes} MB of the disk: delete what you can spare, and empty the bin."
        )


def charged_bytes(home: Path) -> int:
    """Return what a workspace takes of the disk; intermediate results, which trim themselves, are not counted."""
    return sum(size for part, size in use_of(home).parts.items() if part != "memo")


def used(home: Path) -> datetime:
    """Return when somebody was in a workspace last, to the hour; never later than now, whatever the disk says.

    Raises
    ------
    OSError
        When it is gone.
    """
    try:
        moment = (home / _USED).stat().st_mtime
    except OSError:
        moment = home.stat().st_mtime
    return datetime.fromtimestamp(max(0.0, min(moment, time.time())), UTC)


def _written(folder: Path) -> dict[str, Any]:
    try:
        return read_document(folder / _RULES)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise StoreError("The rules of the class (class.json) cannot be read. Mend the file, or remove it.") from error
