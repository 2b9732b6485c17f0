"""Text that can be shown and kept, without half characters (lone surrogates); and numbers of things in words."""

import re

from spectra_core.errors import SpectraError

_HALF = re.compile(r"[\ud800-\udfff]")


def whole(text: str) -> str:
    r"""Return the text with the sign for an unreadable character in place of every half one.

    >>> whole("Cu\udcb2+")
    'Cu�+'
    """
    return _HALF.sub("\ufffd", text)


def require_whole(text: str, what: str) -> None:
    """Refuse a text with half a character.

    Raises
    ------
    SpectraError
        Saying that `what` holds it.
    """
    if _HALF.search(text):
        line = next(line for line in text.splitlines() if _HALF.search(line))
        raise SpectraError(
            f"{what} {whole(line)[:60]!r} holds half a character (a lone surrogate), which no page can show and no "
            "file can hold. Write it anew."
        )


def counted(number: int, one: str, many: str = "") -> str:
    """Say how many there are of a thing.

    >>> counted(1, "fold"), counted(3, "repetition"), counted(2, "axis", "axes")
    ('1 fold', '3 repetitions', '2 axes')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def amount(number: float, one: str) -> str:
    """Say how much there is of what need not be whole.

    >>> amount(1.0, "minute"), amount(0.5, "minute"), amount(3.0, "minute")
    ('1 minute', '0.5 minutes', '3 minutes')
    """
    return f"{number:g} {one if number == 1 else one + 's'}"
