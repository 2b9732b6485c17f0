"""Content that is certainly no data: said in one sentence, before any reader touches it."""

import re

from spectra_core.errors import ReadError

_HTML = re.compile(rb"\A\s*(?:<!doctype html|<html|<head|<\?xml[^>]*>\s*<!doctype html)", re.IGNORECASE)
_TORCH_ZIP = re.compile(rb"\APK\x03\x04.{26,120}?/data\.pkl", re.DOTALL)
_NAMED_PICKLE = (".pkl", ".pickle", ".pt", ".pth", ".joblib")
_PICKLE = re.compile(rb"\A\x80[\x02-\x05]")


def refuse(head: bytes, name: str) -> None:
    """Raise for content that is known to be no spectra; `name` is in lower case.

    Raises
    ------
    ReadError
        Saying what the file is.
    """
    if not head.strip(b" \t\r\n\x00\xef\xbb\xbf"):
        raise ReadError("The file is empty. Export it again, or choose another one.")
    if _HTML.match(head):
        raise ReadError(
            "This is an HTML web page, not data: often a sign-in page saved by a download. "
            "Log in and download the file again."
        )
    if head.startswith(b"version https://git-lfs.github.com/spec"):
        raise ReadError(
            "This is a Git LFS pointer: it stands for a file that was not downloaded. "
            "Fetch it with 'git lfs pull' first."
        )
    if (head.startswith(b"version ") and b"/annex/objects/" in head[:300]) or head.startswith(b"/annex/objects/"):
        raise ReadError("This is a git-annex pointer: it stands for a file that was not downloaded. Fetch it first.")
    if _TORCH_ZIP.match(head) or _PICKLE.match(head) or name.endswith(_NAMED_PICKLE):
        raise ReadError(
            "This is a Python pickle or PyTorch file. It could run code when opened, so it is never read: "
            "models are exchanged as safetensors, spectra as CSV or npz."
        )
    if head.startswith(b"%PDF"):
        raise ReadError("This is a PDF document, not data. Export the numbers as CSV or Excel.")
    if head.startswith((b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM")) and name.endswith(
        (".png", ".jpg", ".jpeg", ".gif", ".bmp")
    ):
        raise ReadError("This is a picture, not data. Export the numbers as CSV or Excel.")
