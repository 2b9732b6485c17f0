"""Ids that say which spectra are repeated measurements of one sample, in whatever style people write them."""

import re
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

MOST_REPEATS = 12
_CLOSE, _CLOSEST = 0.1, 0.01  # where marks are those of planned repeats, and where they are any
_FEWEST = 3
_LONG = (
    r"rep(?:l(?:icate)?)?|repeat|replica|run|scan|meas(?:urement)?|wdh|wiederholung|dup(?:l(?:icate)?)?|aliquot|trial"
    r"|spectrum|spec|copy"
)
_APART = r"[\s_\-.#/:,;|(\[]"
_MARK = r"\d{1,3}|[a-zA-Z]"
_WORDS = r"I{1,3}|IV|V|first|second|third|fourth|1st|2nd|3rd|4th|\d{1,2} ?(?:of|von|/) ?\d{1,2}|up|down|fwd|rev"
_STYLES = tuple(
    re.compile(style, re.IGNORECASE)
    for style in (
        rf"(?P<stem>.+?){_APART}*(?:{_LONG}){_APART}*(?P<mark>{_MARK})?[)\]]?\Z",  # A1 rep 2, A1_scan02, A1 dup
        rf"(?P<stem>.+?)(?:{_APART}+|(?<=\d))(?:r|s|m|n|t|no|nr|sp){_APART}*(?P<mark>\d{{1,3}})[)\]]?\Z",  # A1-r2
        rf"(?P<stem>.+?){_APART}+(?P<mark>{_MARK})[)\]]?\Z",  # A1_2, A1 (3), A1.2, A1-b
        r"(?P<stem>.*\d)(?P<mark>[a-zA-Z])\Z",  # A1a
        rf"(?:{_LONG}){_APART}*(?P<mark>{_MARK})?{_APART}+(?:of{_APART}+)?(?P<stem>.+)\Z",  # rep2_A1, scan 3 of A1
        rf"r(?P<mark>\d{{1,3}}){_APART}+(?P<stem>.+)\Z",  # r2_A1
        rf"(?P<mark>{_MARK})[\s_\-.:)]+(?P<stem>.+)\Z",  # 2_A1
        rf"(?P<stem>.+?){_APART}+(?:{_LONG}){_APART}*(?P<mark>\d{{1,3}})(?P<rest>{_APART}+.+)\Z",  # A1_rep2_20C
        rf"(?P<stem>.+?){_APART}+(?P<mark>{_WORDS})[)\]]?\Z",  # A1 II, A1_first, A1 2of3
        r"(?P<stem>.+?)(?P<mark>'+|\*+|[\s_\-]*(?:bis|ter|quater|dup|trip|quad))?\Z",  # A1', A1*, A1 bis
        rf"(?P<stem>.+?){_APART}+(?:r|m|t|no|nr|sp){_APART}*(?P<mark>\d{{1,3}})(?P<rest>{_APART}+.+)\Z",  # A1_r2_20C
        r"(?P<stem>.*[a-zA-Z])(?P<mark>\d{1,3})\Z",  # a2
    )
)
_EXTENSION = re.compile(r"\.(?=\w*[a-z])\w{2,4}\Z", re.IGNORECASE)


def stems(
    ids: Sequence[str], samples: Sequence[int] | None = None, targets: NDArray[np.float64] | None = None
) -> tuple[list[str], bool] | None:
    """Return the ids without the mark of the repeat, and whether the targets say so, too.

    Parameters
    ----------
    ids
        Of the spectra.
    samples
        One number per set of target values that are equal; None where there are no targets, or only one set of them.
    targets : (n_spectra, n_targets)
        Their values: those of repeats that were analysed one by one lie close together.

    Returns
    -------
    stems, told
        None where no style of ids fits: no two stems are shared, or the targets of most that are lie apart.

    Examples
    --------
    >>> stems(["a_1", "a_2", "b_1", "b_2"])
    (['a', 'a', 'b', 'b'], False)
    >>> stems(["mix 1", "mix 2", "std 1", "std 2"], [0, 1, 2, 3]) is None
    True
    """
    found = _candidates(tuple(ids))
    if samples is None:
        regular = [cut for cut, marks in found.items() if _is_regular(cut, marks)]
        return (list(regular[0]), False) if regular else None
    shares = {cut: _told(cut, samples) for cut in found}
    sure = [one for one, share in shares.items() if share == 1.0]
    if sure:
        return list(min(sure, key=lambda one: len(set(one)))), True
    likely = [
        one
        for one, share in shares.items()
        if (_is_regular(one, found[one]) and (share >= 0.5 or (targets is not None and _close(one, targets, _CLOSE))))
        or (found[one] is not None and targets is not None and _close(one, targets, _CLOSEST))
    ]
    return (list(likely[0]), False) if likely else None


@lru_cache(maxsize=8)
def _candidates(ids: tuple[str, ...]) -> dict[tuple[str, ...], tuple[str, ...] | None]:
    """Return the stems under every style in which at least two are shared, and the marks; None for "a2"."""
    if all(name.isdigit() for name in ids):
        return {}
    plain = [_EXTENSION.sub("", name.strip()) for name in ids]
    found: dict[tuple[str, ...], tuple[str, ...] | None] = {}
    for style in _STYLES:
        matches = [style.match(name) for name in plain]
        pairs = list(zip(matches, plain, strict=True))
        cut = tuple(
            name if match is None else match["stem"] + (match.groupdict().get("rest") or "") for match, name in pairs
        )
        sizes = _sizes(cut)
        if sum(size > 1 for size in sizes) >= 2 and max(sizes) <= max(MOST_REPEATS, len(ids) // 4):
            marks = tuple("" if match is None else match["mark"] or "" for match in matches)
            found.setdefault(cut, None if style is _STYLES[-1] else marks)
    return found


def _sizes(cut: Sequence[str]) -> list[int]:
    sizes: dict[str, int] = defaultdict(int)
    for one in cut:
        sizes[one] += 1
    return list(sizes.values())


def _is_regular(cut: Sequence[str], marks: Sequence[str] | None) -> bool:
    """Whether every sample has the same marks, from the first on, as repeats have that were planned."""
    if marks is None:
        return False
    of: dict[str, list[str]] = defaultdict(list)
    for stem, mark in zip(cut, marks, strict=True):
        of[stem].append(mark.lower())
    sets = {tuple(sorted(one)) for one in of.values()}
    first = next(iter(sets))
    numbers = [int(mark) for mark in first if mark.isdigit()]
    counted = sorted(numbers) in (list(range(len(first))), list(range(1, len(first) + 1)))
    lettered = first == tuple("abcdefghijkl"[: len(first)])
    return len(sets) == 1 and 2 <= len(first) <= MOST_REPEATS and (counted or lettered)


def _close(cut: Sequence[str], targets: NDArray[np.float64], most: float) -> bool:
    """Whether targets of one stem lie far closer than those of stems that follow each other, sorted ones too.

    Mean squared differences from one to the next within stems are at most `most` of the median between stems.
    """
    targets = targets[:, np.isfinite(targets).all(axis=0)]
    _, where = np.unique(np.array(cut), return_inverse=True)
    order = np.argsort(where, kind="stable")
    steps = np.diff(targets[order], axis=0) ** 2
    within = np.diff(where[order]) == 0
    if not within.any() or (~within).sum() < _FEWEST:
        return False
    varied = steps[:, steps.max(axis=0) > 0]
    return bool(varied.size and (varied[within].mean(axis=0) <= most * np.median(varied[~within], axis=0)).all())


def _told(cut: Sequence[str], samples: Sequence[int]) -> float:
    """Return the share of shared stems whose spectra have equal targets."""
    members: dict[str, list[int]] = defaultdict(list)
    for stem, sample in zip(cut, samples, strict=True):
        members[stem].append(sample)
    shared = [set(one) for one in members.values() if len(one) > 1]
    return sum(len(one) == 1 for one in shared) / len(shared)
