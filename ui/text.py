"""Text of others on a page: names are data, never markdown."""

import re

_MARKS = re.compile(r"([\\`*_{}\[\]()#+\-.!|$<>~:&@^=])")
MOST = 300


def plain(text: str) -> str:
    """Return text that Streamlit shows letter by letter, on one line and not endlessly long."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return _MARKS.sub(r"\\\1", line if len(line) <= MOST else line[: MOST - 1] + "…")
