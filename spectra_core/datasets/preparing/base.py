"""What the steps of preparing fill in: order and positions of the channels, masks, what is said and asked."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from spectra_core.datasets.questions import Point, Problem


@dataclass(eq=False)
class Prepared:
    """Axis and masks over the import table; nothing is removed from it.

    Parameters
    ----------
    order : (n_kept,)
        Channels that are kept, as indices into the table, in the order of the set.
    positions : (n_kept,)
        Their positions.
    averaged
        For a kept channel, all channels at its position, where those are averaged.
    rows : (n_spectra,)
        Mask of spectra that are kept.
    """

    order: NDArray[np.intp]
    positions: NDArray[np.float64]
    rows: NDArray[np.bool_]
    averaged: dict[int, NDArray[np.intp]] = field(default_factory=dict)
    axis_quantity: str = ""
    axis_unit: str = ""
    signal_quantity: str = ""
    signal_unit: str = ""
    interpolate: bool = False
    points: list[Point] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
