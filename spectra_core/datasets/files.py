"""Which files are meant, and how are they called? Paths, a folder, uploads, or contents by name."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from spectra_core.errors import ReadError


class UploadedFile(Protocol):
    """A file as Streamlit hands it over."""

    name: str

    def getvalue(self) -> bytes:
        """Return the content."""


Files = Mapping[str, bytes | Path] | Sequence[UploadedFile]
_ABOUT_DATA = re.compile(
    r"(?:.*[^a-z])?(?:read.?me|licen[cs]e|copying|changelog|citation)(?:[^a-z].*)?|.*\.(?:md|rst|html?|pdf|rtf|docx?|odt|pptx?"
    r"|png|jpe?g|gif|svg|json|ya?ml|xml|toml|ini|py|r|ipynb|sh|bib|cff)",
    re.IGNORECASE | re.DOTALL,
)


def is_about_data(name: str) -> bool:
    """Whether a file's name is that of words, pictures or programs that lie beside data.

    >>> [name for name in ("README.txt", "0_read_me", "run.csv", "plot.py", "bread.txt") if is_about_data(name)]
    ['README.txt', '0_read_me', 'plot.py']
    """
    return _ABOUT_DATA.fullmatch(name) is not None


def not_used(name: str, error: ReadError) -> str:
    """Say that a file beside the data is left out."""
    return f"{name!r} is not used: {error}"


def files_of(source: "str | Path | Files | Iterable[str | Path]") -> Files:
    """Return contents or paths by name; only paths that the caller wrote are opened."""
    if isinstance(source, Mapping):
        return source
    paths = [source] if isinstance(source, str | Path) else list(source)
    if paths and not isinstance(paths[0], str | Path):
        return paths  # type: ignore[return-value]
    files: dict[str, bytes | Path] = {}
    for path in map(Path, paths):  # type: ignore[arg-type]
        try:
            inside = sorted(path.iterdir()) if path.is_dir() else [path]
        except OSError as error:
            raise ReadError(
                f"{path} cannot be opened: {error.strerror}. Check the name and the permissions."
            ) from error
        for one in inside:
            if one not in files.values() and (one == path or (one.is_file() and not one.name.startswith("."))):
                files[_free(one.name, files)] = one
    return files


def contents_of(files: Files) -> dict[str, bytes | Path]:
    """Return the files by name; uploads of one name are numbered."""
    if isinstance(files, Mapping):
        return dict(files)
    contents: dict[str, bytes | Path] = {}
    for one in files:
        contents[_free(one.name, contents)] = one.getvalue()
    return contents


def _free(name: str, taken: Mapping[str, object]) -> str:
    """Return the name, with a number where files of other folders have it, too."""
    free, number = name, 2
    while free in taken:
        free, number = f"{name} ({number})", number + 1
    return free
