"""Text from bytes: which encoding, which line ends."""

import re

from spectra_core.errors import ReadError

_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)

_UNSEEN = dict.fromkeys(map(ord, "\ufeff\u200b\u2060"))
"""Byte-order marks within the text, where files were put together, and spaces without width."""
_OTHER_DIGITS = str.maketrans(
    {zero + digit: ord("0") + digit for zero in (0xFF10, 0x0660, 0x06F0) for digit in range(10)}
    | {0xFF0E: ".", 0xFF0D: "-", 0xFF0B: "+", 0x066B: "."}
)
"""Wide digits of East Asian texts, Arabic and Persian ones, and the marks that go with them."""
_HAS_OTHER_DIGITS = re.compile("[\uff10-\uff19\u0660-\u0669\u06f0-\u06f9]")
_SOME = 20
_LONGEST_CELL = 20  # lines of one cell
_TAIL = 200_000
_OPEN_QUOTE = re.compile(r'(?:\A|[,;\t|])\s*"(?:[^"]|"")*\Z')


def decoded(data: bytes, encoding: str | None = None) -> tuple[str, str, str]:
    """Return the text, its encoding, and why that encoding; marks that nobody sees are left out, and told of.

    Raises
    ------
    ReadError
        When the bytes are no text, or text follows its end.
    """
    core = data.rstrip(b"\0")
    is_padded = len(core) < len(data) - 1 and b"\0" not in core
    text, name, why = _as_text(core if is_padded else data, encoding)
    name += ", zero bytes behind it left out" if is_padded else ""
    plain = text.translate(_UNSEEN) if any(mark in text for mark in "\ufeff\u200b\u2060") else text
    if not plain.isascii() and _HAS_OTHER_DIGITS.search(plain):
        plain, name = plain.translate(_OTHER_DIGITS), f"{name}, wide and Arabic digits read as plain ones"
    plain = plain.rstrip("\x1a")
    if "\x1a" in plain:
        line = plain[: plain.index("\x1a")].count("\n") + 1
        raise ReadError(
            f"Line {line} holds the mark at which old programs end a text (Ctrl-Z), and more follows. "
            "Delete the mark, and what does not belong to the table."
        )
    return (plain, name, why) if len(plain) == len(text) else (plain, f"{name}, unseen marks left out", why)


def _as_text(data: bytes, encoding: str | None) -> tuple[str, str, str]:
    if encoding is not None:
        return _decoded_as(data, encoding), encoding, "chosen"
    for mark, name in _MARKS:
        if data.startswith(mark):
            return _decoded_as(data, name), name, "byte-order mark at the start"
    zeros = [data[at:2000:4].count(0) for at in range(4)]
    if sum(zeros) > 0.6 * min(len(data), 2000):
        name = "utf-32-be" if zeros[0] > zeros[3] else "utf-32-le"
        return _decoded_as(data, name), name, "three of four bytes are zero"
    if sum(zeros) > 0.15 * min(len(data), 2000):
        name = "utf-16-be" if zeros[0] + zeros[2] > zeros[1] + zeros[3] else "utf-16-le"
        return _decoded_as(data, name), name, "every second byte is zero"
    if b"\x00" in data:
        raise ReadError("This is a binary file, not text: it holds zero bytes. Export the spectra as text or Excel.")
    if data.isascii():
        return data.decode("ascii"), "utf-8", "only plain ASCII characters"
    try:
        return data.decode("utf-8"), "utf-8", "valid UTF-8"
    except UnicodeDecodeError:
        pass
    _require_sound(data)
    text = data.decode("latin-1")
    require_text(text, western=True)
    try:
        return data.decode("cp1252"), "cp1252", "not UTF-8; Windows Western letters"
    except UnicodeDecodeError:
        return text, "latin-1", "not UTF-8"


def require_text(text: str, *, western: bool = False) -> None:
    """Refuse noise; `western` text that is mostly accents only looks like text since every byte is a Latin-1 letter."""
    head = text[:20_000]
    strange = sum(1 for letter in head if letter < " " and letter not in "\t\r\n\f\x1a\x1b\x0b")
    foreign = sum(1 for letter in head if letter >= "\x7f")
    if strange > 0.01 * len(head) or (western and foreign > 0.3 * len(head)):
        raise ReadError("This is a binary file of an unknown format, not text. Export the spectra as text or Excel.")


def _require_sound(data: bytes) -> None:
    """Refuse UTF-8 in which single bytes are wrong: in any other encoding all its letters would be."""
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    if sum(letter > "\x7f" for letter in text) >= 2 * broken:
        line = text[: text.index("\ufffd")].count("\n") + 1
        raise ReadError(
            f"Most letters of the text are UTF-8, but not all bytes ({broken} wrong, the first in line {line}). "
            "Save it anew as UTF-8; or choose the encoding cp1252, which changes the others."
        )


def lines_of(text: str) -> list[str]:
    """Return the lines, whatever ends them: CR LF, LF or CR."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.split("\n")


def whole_rows(lines: list[str]) -> list[str]:
    """Join lines that a quoted cell spans; a quote that is never closed leaves them as they are.

    >>> len(whole_rows(['a,"two', 'lines",b', '5" pipe,c']))
    2
    """
    if not any('"' in line for line in lines):
        return lines
    rows: list[str] = []
    at = 0
    while at < len(lines):
        row, after = lines[at], at + 1
        if row.count('"') % 2 and _OPEN_QUOTE.search(row):
            for end in range(at + 1, min(at + _LONGEST_CELL, len(lines))):
                joined = "\n".join(lines[at : end + 1])
                if not _OPEN_QUOTE.search(joined):
                    row, after = joined, end + 1
                    break
        rows.append(row)
        at = after
    return rows


def cut_end(text: str, separator: str, decimal: str) -> list[str]:
    r"""Return a note where the text ends within a line, and its last number has fewer digits than those above it.

    >>> cut_end("a,1.25\nb,1.33\nc,1.4", ",", ".")[0][:30]
    'The file ends without a line e'
    """
    lines = lines_of(text[-_TAIL:])[-_SOME:]
    cells = [line.rpartition(separator)[2].strip() for line in lines]
    digits = [len(cell.partition(decimal)[2]) for cell in cells]
    if len(cells) < 3 or not cells[-1].replace(decimal, "", 1).isdecimal() or digits[-1] >= min(digits[1:-1]):
        return []
    said = f"The file ends without a line end, and its last number, {cells[-1]}, has fewer digits than those above it"
    return [f"{said}: it may be cut off."]


def first_lines(text: str, at_most: int, n_letters: int) -> list[str]:
    """Return the first lines; fewer where they already have more than `n_letters`, but always some."""
    end = 0
    for number in range(at_most):
        end = text.find("\n", end) + 1
        if end == 0:
            return lines_of(text)[:at_most]
        if end > n_letters and number > _SOME:
            break
    return lines_of(text[: end - 1])


def _decoded_as(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except LookupError as error:
        raise ReadError(f"Unknown encoding {encoding!r}. Common ones: utf-8, latin-1, cp1252, utf-16.") from error
    except (UnicodeDecodeError, ValueError) as error:
        raise ReadError(f"The file is not text in the encoding {encoding}. Choose another encoding.") from error
