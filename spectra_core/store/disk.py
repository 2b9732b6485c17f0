"""What a data folder takes of the disk."""

import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class DiskUse:
    """What the data folder takes of the disk.

    Parameters
    ----------
    parts
        Bytes by folder: "sets", "models", "calibrations", "results", "uploads", "memo" (intermediate results), "jobs",
        "bin".
    free
        Bytes that are left on the disk; None where nothing was kept yet.
    """

    parts: dict[str, int]
    free: int | None


def use_of(root: Path) -> DiskUse:
    """Return what a data folder takes of the disk, and how much is free."""
    try:
        parts = {path.name: size_of(path) for path in sorted(root.iterdir()) if path.is_dir()}
        return DiskUse(parts, shutil.disk_usage(root).free)
    except FileNotFoundError:
        return DiskUse({}, None)


def size_of(folder: Path) -> int:
    """Return the bytes of all files below a folder; what goes away meanwhile counts for nothing."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += path.stat().st_size
    return total
