"""Text on a page: numbers with the digits they deserve; text of others, which is data, never markdown."""

import math
import re

from spectra_core import shares
from spectra_core.spectra import text

amount, counted, percent = text.amount, text.counted, shares.percent
_MARKS = re.compile(r"[\\`*_\[\]<>$~&|]|:(?=[a-zA-Z:]|\Z)|\A[#+=-]")
"""What starts or ends markdown, mathematics, HTML or a directive of Streamlit's, in a text of one line."""
_NUMBER = re.compile(r"\A(\d+)(?=[.)])")
"""Of the first entry of a list."""
_READ_LATER = re.compile(
    r":(?=[\w+-]+[:/])|(?<=http):(?=//)|(?<=https):(?=//)|www(?=\.)|@(?=[-\w]+\.)"
    r"|(?<!\S)(?:[<>~](?==(?!\S))|<?-(?=>(?!\S))|<(?=-(?!\S))|-(?=-(?!\S)))",
    re.IGNORECASE,
)
"""Beginnings of icons, emojis, addresses and arrows, which Streamlit finds in text whose marks were escaped, too."""
_JOINER = "\u2060"
"""Word joiner: no width, no line break; parts what would be found."""
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
LONGEST_NAME, LONGEST_SENTENCE = 300, 3000


def plain(text: str, longest: int = LONGEST_NAME) -> str:
    """Return text that Streamlit shows letter by letter, on one line and not endlessly long.

    Whatever holds a name goes through here on its way to an element that reads markdown: text, labels, tooltips.
    """
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    line = line if len(line) <= longest else line[: longest - 1] + "…"
    parted = _READ_LATER.sub(rf"\g<0>{_JOINER}", line)
    return _NUMBER.sub(r"\1\\", _MARKS.sub(r"\\\g<0>", parted))


def sentence(error: object) -> str:
    """Return what an error or a job says, which may quote names, as `plain` text of several sentences."""
    return plain(str(error), LONGEST_SENTENCE)


def significant(value: float, n_digits: int = 2) -> str:
    """Say a number with so many significant digits, zeros among them; far from 1 with a power of ten.

    A number just below 1 gets more of them, up to six, so that it does not read as 1.

    >>> significant(0.2), significant(1.0), significant(11.4), significant(1234.0), significant(-5.23e-5)
    ('0.20', '1.0', '11', '1200', '−5.2 × 10⁻⁵')
    >>> significant(0.0), significant(float("nan")), significant(0.9997)
    ('0', 'not defined', '0.9997')
    """
    if not math.isfinite(value):
        return "not defined" if math.isnan(value) else "infinite"
    if value == 0:
        return "0"
    n_digits = shares.digits_below_one(value, n_digits)
    mantissa, _, power = f"{abs(value):.{n_digits - 1}e}".partition("e")
    sign, exponent = "\u2212" if value < 0 else "", int(power)
    if not -4 < exponent < 6:
        return f"{sign}{mantissa} \u00d7 10{str(exponent).translate(_RAISED)}"
    rounded = float(f"{mantissa}e{exponent}")
    return f"{sign}{rounded:.{max(n_digits - 1 - exponent, 0)}f}"


def size(n_bytes: int) -> str:
    """Say how much of a disk something takes.

    >>> size(0), size(1_234), size(56_000_000), size(7_800_000_000)
    ('0 kB', '1.2 kB', '56 MB', '7.8 GB')
    """
    for unit, one in (("GB", 1e9), ("MB", 1e6)):
        if n_bytes >= one:
            return f"{significant(n_bytes / one)} {unit}"
    return f"{significant(n_bytes / 1e3)} kB"
