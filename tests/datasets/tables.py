"""Tables as people write them, made from one set of numbers."""

from collections.abc import Sequence

import numpy as np

CHANNELS = np.arange(350, 370)
N = 12
SIGNAL = np.random.default_rng(0).random((N, len(CHANNELS))).round(4)
CU = [f"{k / 10:.1f}" for k in range(N)]
IDS = [f"s{k}" for k in range(N)]


def lines_of(rows: Sequence[Sequence[object]], separator: str = ",") -> str:
    return "".join(separator.join(map(str, row)) + "\n" for row in rows)


def wide(
    *,
    names: Sequence[object] | None = CHANNELS,
    ids: Sequence[object] = IDS,
    target: str = "Cu",
    values: Sequence[object] = CU,
    separator: str = ",",
) -> str:
    """One spectrum a row; no line of names where `names` is None."""
    head = [] if names is None else [["sample", target, *names]]
    body = [[one, value, *row] for one, value, row in zip(ids, values, SIGNAL, strict=True)]
    return lines_of(head + body, separator)


def tall(above: Sequence[Sequence[object]] = (), *, corner: str = "wavelength", names_last: bool = False) -> str:
    """One spectrum a column, with rows of targets before or after the line of names."""
    names = [[corner, *IDS]]
    head = [*above, *names] if names_last else [*names, *above]
    return lines_of([*head, *([place, *column] for place, column in zip(CHANNELS, SIGNAL.T, strict=True))])


def pairs(names: Sequence[str] | None, second: np.ndarray, *, n_second: int = len(CHANNELS), separator=",") -> str:
    """Two spectra, each with its own positions beside it."""
    rows = [
        [CHANNELS[at], SIGNAL[0, at], *((second[at], SIGNAL[1, at]) if at < n_second else ("", ""))]
        for at in range(len(CHANNELS))
    ]
    return lines_of(([names] if names else []) + rows, separator)


def stacked(columns: Sequence[str], names: Sequence[str] | None = None) -> list[list[object]]:
    """One value a row, five spectra."""
    rows: list[list[object]] = [list(names or columns)]
    for k in range(5):
        for at, place in enumerate(CHANNELS):
            cells = {
                "sample": IDS[k],
                "wavelength": place,
                "value": SIGNAL[k, at],
                "Cu": CU[k],
                "noise": SIGNAL[k, -at],
            }
            rows.append([cells[name] for name in columns])
    return rows
