"""Packed files: unpacked in memory within limits, each member read by its own content. Names never become paths."""

import io
import zipfile
import zlib
from dataclasses import dataclass
from typing import ClassVar

from spectra_core.datasets.files import is_about_data, not_used
from spectra_core.datasets.limits import MAX_FILE_BYTES, MAX_MEMBERS, require_unpacked
from spectra_core.datasets.parts import Part, renamed, with_notes
from spectra_core.datasets.readers.base import Dialect
from spectra_core.errors import ZIP_FAULTS, ReadError

_CHUNK = 1 << 20
_HIDDEN = ("__macosx/", ".ds_store", "thumbs.db", "desktop.ini")


@dataclass(frozen=True)
class Gzip:
    """One file packed with gzip."""

    title: ClassVar[str] = "gzip"
    explanation: ClassVar[str] = "One packed file, such as .csv.gz; unpacked in memory, then read by its content."

    def recognises(self, head: bytes, name: str) -> bool:
        """Gzip's two magic bytes."""
        return head.startswith(b"\x1f\x8b")

    def read(self, data: bytes, name: str, dialect: Dialect) -> list[Part]:
        """Unpack within limits and read what is inside."""
        from spectra_core.datasets.readers import parse, reader_of

        inside = gunzip(data, name)
        inner = name[:-3] if name.lower().endswith(".gz") else name
        if reader_of(inside, inner) in {"gzip", "zip"}:
            raise ReadError("This is an archive inside an archive. Unpack the outer one first.")
        return parse(inside, inner, dialect)


@dataclass(frozen=True)
class Zip:
    """Several files in a zip archive."""

    title: ClassVar[str] = "zip"
    explanation: ClassVar[str] = "Several files in one archive; each is read by its own content."

    def recognises(self, head: bytes, name: str) -> bool:
        """Zip's magic bytes; Excel and npz files were recognised before."""
        return head.startswith((b"PK\x03\x04", b"PK\x05\x06"))

    def read(self, data: bytes, name: str, dialect: Dialect) -> list[Part]:
        """Read every member; of those that are no data, what lies beside data is named, and others are refused."""
        from spectra_core.datasets.readers import parse, reader_of

        parts: list[Part] = []
        beside: list[tuple[str, ReadError]] = []
        for member, content in zip_members(data, name):
            try:
                if reader_of(content, member) in {"gzip", "zip"}:
                    raise ReadError("This is an archive inside an archive. Unpack the outer one first.")
                parts += [renamed(part, part.name) for part in parse(content, member, dialect)]
            except ReadError as error:
                if not is_about_data(member):
                    raise _of_member(member, error) from error
                beside.append((member, error))
        if not parts and beside:
            raise _of_member(*beside[0])
        return with_notes(parts, [not_used(member, error) for member, error in beside])


def _of_member(member: str, error: ReadError) -> ReadError:
    return ReadError(f"In the archive, {member!r}: {error} If it holds no spectra, take it out of the archive.")


def gunzip(data: bytes, name: str) -> bytes:
    """Unpack gzip data of one or several members.

    Raises
    ------
    ReadError
        When it is damaged, cut off, or grows beyond reason.
    """
    pieces: list[bytes] = []
    total = 0
    rest = data
    try:
        while rest:
            unpacker = zlib.decompressobj(wbits=31)
            while not unpacker.eof:
                piece = unpacker.decompress(rest, _CHUNK)
                total += len(piece)
                require_unpacked(len(data), total, name)
                pieces.append(piece)
                rest = unpacker.unconsumed_tail
                if not piece and not rest:
                    break
            if not unpacker.eof:
                raise ReadError("The gzip file is cut off: its end is missing. Copy or download it again.")
            rest = unpacker.unused_data.lstrip(b"\x00")
    except zlib.error as error:
        raise ReadError("The gzip file is damaged and cannot be unpacked. Copy or download it again.") from error
    return b"".join(pieces)


def zip_members(data: bytes, name: str) -> list[tuple[str, bytes]]:
    """Return name and content of every file in a zip archive, after a look at the declared sizes.

    Raises
    ------
    ReadError
        When it is damaged, encrypted, or too large.
    """
    archive = opened_zip(data, name)
    members = [
        one
        for one in archive.infolist()
        if not one.is_dir()
        and not one.filename.lower().startswith(_HIDDEN)
        and not one.filename.lower().endswith(_HIDDEN[1:])
    ]
    found: list[tuple[str, bytes]] = []
    for member in members:
        # The last piece of the name is enough to call a table by; the rest could only be mistaken for a path.
        label = member.filename.replace("\\", "/").rsplit("/", 1)[-1] or "unnamed"
        if ".." in member.filename.replace("\\", "/").split("/") or member.filename.startswith("/"):
            raise ReadError(
                f"The archive holds the name {member.filename!r}, which points outside of it: a sign of an attack. "
                "Unpack it with care and load the files one by one."
            )
        try:
            with archive.open(member) as stream:
                content = stream.read(MAX_FILE_BYTES + 1)
        except ZIP_FAULTS as error:
            raise ReadError(f"{label!r} in the archive cannot be unpacked: it is damaged or encrypted.") from error
        if len(content) != member.file_size:
            raise ReadError(f"{label!r} in the archive does not have the size that the archive declares.")
        found.append((label, content))
    if not found:
        raise ReadError("The archive holds no files.")
    return found


def opened_zip(data: bytes, name: str) -> zipfile.ZipFile:
    """Open a zip archive whose declared sizes are harmless.

    Raises
    ------
    ReadError
        When it is damaged or declares too much.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        members = archive.infolist()
    except ZIP_FAULTS as error:
        raise ReadError(
            f"{name} is damaged or cut off: its list of contents is missing. Copy or download it again."
        ) from error
    if len(members) > MAX_MEMBERS:
        raise ReadError(f"The archive holds {len(members):,} files; at most {MAX_MEMBERS:,} are read.")
    require_unpacked(len(data), sum(member.file_size for member in members), name)
    return archive
