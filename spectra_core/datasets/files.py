"""Which files are meant, and how are they called? Paths, a folder, uploads, or contents by name."""

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
        files |= {one.name: one for one in inside if one == path or (one.is_file() and not one.name.startswith("."))}
    return files


def contents_of(files: Files) -> dict[str, bytes | Path]:
    """Return the files by name; uploads of one name are numbered."""
    if isinstance(files, Mapping):
        return dict(files)
    contents: dict[str, bytes | Path] = {}
    for one in files:
        name, number = one.name, 2
        while name in contents:
            name, number = f"{one.name} ({number})", number + 1
        contents[name] = one.getvalue()
    return contents
