"""Where entries grow before they are listed, and lie after they were removed: in a bin, for a while."""

import os
import shutil
import time
import uuid
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil

from spectra_core.store.files import sweep_drafts

_ABANDONED_AFTER = 3600.0
"""Seconds after which an unfinished entry of a process that is gone is swept away."""


KEPT = timedelta(days=30)
"""How long what was deleted can be restored."""
_MOMENT = "%Y%m%dT%H%M%S%f"


def unlisted_folder(root: Path) -> Path:
    """Return a name, not yet taken, for a folder that no list shows; it names the process that owns it."""
    staging = root / "staging"
    staging.mkdir(parents=True, exist_ok=True)
    return staging / f"{os.getpid()}-{uuid.uuid4().hex}"


def sweep(root: Path) -> None:
    """Remove what processes that are gone left unfinished, but for intermediate results, which `memo.trim` sees to."""
    for folder in (root, root / "checkpoints"):
        sweep_drafts(folder)
    for draft in (root / "staging").glob("*"):
        owner = draft.name.partition("-")[0]
        with suppress(OSError, ValueError):
            if time.time() - draft.stat().st_mtime > _ABANDONED_AFTER and not psutil.pid_exists(int(owner)):
                shutil.rmtree(draft, ignore_errors=True)
    for folder, deleted in binned(root):
        if datetime.now(UTC) - deleted > KEPT:
            shutil.rmtree(folder, ignore_errors=True)


def bin_folder(root: Path, kind: str, key: str) -> Path:
    """Return where an entry goes that is deleted now; its name says when, so that a full disk hinders nothing."""
    shelf = root / "bin" / kind
    shelf.mkdir(parents=True, exist_ok=True)
    return shelf / f"{datetime.now(UTC).strftime(_MOMENT)}-{key}"


def binned(root: Path, kind: str = "*", key: str = "*") -> list[tuple[Path, datetime]]:
    """Return the folders of deleted entries with the moments they were deleted at, oldest first."""
    found = []
    for folder in (root / "bin").glob(f"{kind}/*-{key}"):
        with suppress(ValueError):
            deleted = datetime.strptime(folder.name.partition("-")[0], _MOMENT).replace(tzinfo=UTC)
            found.append((folder, deleted))
    return sorted(found, key=lambda one: one[1])
