"""Quiz scores that visitors of a class put up for the others, under nicknames."""

import unicodedata
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from spectra_core.errors import StoreError
from spectra_core.store.classroom import class_folder
from spectra_core.store.files import disk_errors, json_bytes, read_document, replace_file, sha256
from spectra_core.store.shapes import shaped

LONGEST_NICKNAME = 24


@dataclass(frozen=True)
class Score:
    """How many answers somebody had right of those asked."""

    nickname: str
    difficulty: str
    right: int
    asked: int


def put_up(home: Path, score: Score) -> None:
    """Put up a score in place of the one that this workspace had at the same difficulty.

    Raises
    ------
    StoreError
        When the nickname is none, or the disk cannot be written.
    """
    name = score.nickname.strip()
    if not 0 < len(name) <= LONGEST_NICKNAME or any(unicodedata.category(letter)[0] == "C" for letter in name):
        raise StoreError(f"A nickname is one line of 1 to {LONGEST_NICKNAME} characters. Choose another.")
    board = _folder(home)
    # Whose it is cannot be read off the board: the name of a workspace's folder is no part of the file's.
    key = sha256(b"board\0", json_bytes({"home": home.name, "difficulty": score.difficulty}))
    with disk_errors("Putting the score up"):
        replace_file(board / f"{key}.json", json_bytes(asdict(score) | {"nickname": name}), durable=False)


def scores(home: Path) -> list[Score]:
    """Return the scores of a class, the highest share of right answers first."""
    found = sorted(_found(_folder(home)), key=lambda one: (one.nickname.casefold(), one.difficulty))
    return sorted(found, key=lambda one: -one.right / one.asked)


def _found(board: Path) -> Iterator[Score]:
    for path in board.glob("[0-9a-f]*.json"):
        try:
            score = shaped(Score, read_document(path))
        except (OSError, ValueError):
            continue  # being replaced, or of another version
        if 0 <= score.right <= score.asked and score.asked > 0:
            yield score


def _folder(home: Path) -> Path:
    folder = class_folder(home)
    if folder is None:
        raise StoreError("Only a class has a board.")
    return folder / "board"
