"""Letters that neither a byte-order mark nor UTF-8 tells: which encodings may be meant, and what each would read."""

import re
from dataclasses import replace

from spectra_core.datasets.parts import Part

_MOST_BYTES = 2**20
_SHOWN_WORDS = 3
_SMALL, _LARGE = r"\xdf-\xf6\xf8-\xff\u0161\u017e\u0153", r"\xc0-\xd6\xd8-\xde\u0160\u017d\u0152\u0178"
_WESTERN = _SMALL + _LARGE
_QUOTES = re.compile(
    "\u201c([^\u201c\u201d\u201e]*)\u201d|\u201e([^\u201c\u201d\u201e]*)[\u201c\u201d]|\u2018([^\u2018\u2019]*)\u2019"
    "|\xab([^\xab\xbb]*)\xbb|(?<=[a-z])\u2019(?=[a-z])"
)
_SIGNS = re.compile(  # degree to euro; powers and fractions, before no letter; micro; section
    rf"(?<![{_WESTERN}])(?:[\xb0\xb1\xb7\xd7\xf7\u2030\u2013\u2014\u2026\u2022\u20ac\xa3]"
    r"|[\xb2\xb3\xb9\xbd\xbc\xbe\u2122\xa9\xae](?![^\W\d_])|[\xb5\u03bc](?=[a-zA-Z]|\W|\Z)|(?<!\w)\xa7|\xa7(?!\w))+"
    rf"(?![{_WESTERN}])"
)
_WORDS = re.compile(r"[^\W\d_]*[^\x00-\x7f]\w*")
_SHIFT = re.compile(rf"[a-z{_SMALL}][{_LARGE}]|[{_SMALL}][A-Z]|[^\x00-\x7f]{{3}}")
"""What no Western word has: a capital after a small letter beside an accent, or three accents in a row."""
_CJK = r"\u3000-\u303f\u4e00-\u9fff\uff01-\uff5e"
_CYRILLIC = r"\u0401\u0451\u0410-\u044f"
_SCRIPTS = {
    "cp932": ("Japanese (Shift-JIS)", rf"{_CJK}\u3041-\u30ff\uff61-\uff9f"),
    "euc_jp": ("Japanese (EUC)", rf"{_CJK}\u3041-\u30ff"),
    "gb18030": ("Chinese (GB 18030)", _CJK),
    "cp950": ("Chinese (Big5)", _CJK),
    "cp949": ("Korean", rf"{_CJK}\uac00-\ud7a3"),
    "cp1251": ("Cyrillic (Windows)", _CYRILLIC),
    "koi8_r": ("Cyrillic (KOI8)", _CYRILLIC),
    "cp1253": ("Greek (Windows)", r"\u0386-\u03ce"),
    "cp1250": ("Central European (Windows)", rf"{_WESTERN}\u0100-\u017f"),
    "cp850": ("Western (DOS)", _WESTERN),
    "mac_roman": ("Western (Macintosh)", _WESTERN),
}
_LEFT = "cp1252", "Western (Windows)"


def with_readings(parts: list[Part], data: bytes) -> list[Part]:
    """Note in every part of a text how its letters may be read: a line ``name=title: words`` for each way."""
    found = readings(data)
    if not found:
        return parts
    fact = "\n".join(f"{name}={said}" for name, said in found.items())
    return [replace(part, facts={**part.facts, "readings": fact}) for part in parts]


def readings(data: bytes) -> dict[str, str]:
    """Return the encodings that may be meant, with title and first words of each; empty where that is no question.

    >>> readings("Größe in µm, 25 °C, «été»".encode("cp1252"))
    {}
    >>> readings("サンプル,銅".encode("shift_jis"))["cp932"]
    'Japanese (Shift-JIS): サンプル, 銅'
    """
    lines = [line for line in re.split(rb"[\r\n]+", data[:_MOST_BYTES]) if not line.isascii()]
    some = b"\n".join(lines)
    if not lines or b"\0" in data[:_MOST_BYTES] or _decoded(some, "utf-8") is not None:
        return {}
    western = some.decode("cp1252", "replace")
    if _is_western(western):
        return {}
    found = {}
    for name, (title, letters) in _SCRIPTS.items():
        text = _decoded(some, name)
        if text is not None and _is_of(text, letters):
            found[name] = f"{title}: {_shown(text)}"
    return found and found | {_LEFT[0]: f"{_LEFT[1]}: {_shown(western)}"}


def _decoded(data: bytes, name: str) -> str | None:
    try:
        return data.decode(name)
    except UnicodeDecodeError:
        return None


def _is_of(text: str, letters: str) -> bool:
    """Whether what is not ASCII are letters of a script and signs of measurements; words of Latin ones make sense."""
    text = _without_signs(text)
    sensible = not _SHIFT.search(text) if _WESTERN in letters else True
    return sensible and re.search(rf"[^\x00-\x7f{letters}]", text) is None


def _is_western(text: str) -> bool:
    text = _without_signs(text)
    if re.search(rf"[^\x00-\x7f{_WESTERN}]", text) or _SHIFT.search(text):
        return False
    return all(len(word) == 1 or not re.fullmatch(r"[^\x00-\x7f]+", word) for word in re.findall(r"[^\W\d_]+", text))


def _without_signs(text: str) -> str:
    text = text.replace("\xa0", " ")
    return _SIGNS.sub(" ", _QUOTES.sub(lambda match: f" {''.join(one or '' for one in match.groups())} ", text))


def _shown(text: str) -> str:
    words = list(dict.fromkeys(match.group() for match in _WORDS.finditer(text)))
    return ", ".join(words[:_SHOWN_WORDS])[:60]
