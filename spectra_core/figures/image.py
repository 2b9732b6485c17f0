"""Many spectra as one small picture: counts to a PNG that lies under the axes of a plotly figure."""

import base64
import struct
import zlib
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

MOST_COLUMNS = 1200
"""Pixels across: more than a page shows would only make the picture larger."""
CONTRAST = 0.8
"""Power of the logarithm of the counts: single spectra stay visible beside thousands."""
LEVEL = 4
"""Effort of the compression: level 9 takes ninety times as long for a picture one fifth smaller."""


def png_uri(pixels: NDArray[np.uint8]) -> str:
    """Return pixels (height, width, 4: red, green, blue, opacity) as a PNG in a data URI.

    Written out here because it takes twenty lines and is the same bytes everywhere (PNG specification, W3C
    2003; filter 0).
    """
    height, width, _ = pixels.shape
    rows = np.zeros((height, 1 + 4 * width), dtype=np.uint8)
    rows[:, 1:] = pixels.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    body = zlib.compress(rows.tobytes(), LEVEL)
    content = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")
    return "data:image/png;base64," + base64.b64encode(content).decode()


def density_pixels(histogram: pd.DataFrame, colour: str, *, top: float | None = None) -> NDArray[np.uint8]:
    """Colour a histogram by opacity: transparent where no spectrum is, full where most are.

    Parameters
    ----------
    histogram
        Counts; index rising signal, columns positions.
    colour
        "#RRGGBB".
    top
        Count of full opacity; the largest count by default.
    """
    counts = on_regular_grid(histogram)[::-1]
    most = float(counts.max()) if top is None else top
    strength = (np.log1p(counts) / np.log1p(max(most, 1.0))) ** CONTRAST
    return _tinted(colour, strength)


def difference_pixels(difference: pd.DataFrame, above: str, below: str) -> NDArray[np.uint8]:
    """Colour a difference of shares: `above` where positive, `below` where negative, transparent at zero.

    Full colour is reached at the 99th percentile of the differences, so that one interval in which a saturated
    detector piles up its spectra does not make all others pale.
    """
    values = on_regular_grid(difference)[::-1]
    sizes = np.abs(values[values != 0])
    strength = (np.abs(values) / (np.quantile(sizes, 0.99) if sizes.size else 1.0)) ** 0.5
    pixels = _tinted(above, strength)
    negative = values < 0
    pixels[negative] = _tinted(below, strength)[negative]
    return pixels


def on_regular_grid(histogram: pd.DataFrame) -> NDArray[Any]:
    """Return the values with columns at equal steps of position, each the channel nearest to it, rising."""
    positions = histogram.columns.to_numpy(dtype=np.float64)
    order = np.argsort(positions)
    sorted_positions = positions[order]
    n_columns = min(MOST_COLUMNS, max(len(positions), 2))
    low, high = grid_limits(positions)
    centres = low + (np.arange(n_columns) + 0.5) * (high - low) / n_columns
    middles = (sorted_positions[1:] + sorted_positions[:-1]) / 2
    values: NDArray[Any] = histogram.to_numpy()[:, order[np.searchsorted(middles, centres)]]
    return values


def grid_limits(positions: NDArray[np.float64]) -> tuple[float, float]:
    """Return where the first channel begins and the last ends, half a step beyond their centres."""
    low, high = float(positions.min()), float(positions.max())
    half_step = (high - low) / max(2 * (len(positions) - 1), 1) or 0.5
    return low - half_step, high + half_step


def lay_image(
    figure: go.Figure,
    pixels: NDArray[np.uint8],
    *,
    x: tuple[float, float],
    y: tuple[float, float],
    reverse: bool = False,
    panel: int = 1,
) -> None:
    """Put a picture under the axes of one panel and fix their ranges, since pictures do not.

    Parameters
    ----------
    x, y
        What the picture spans, low and high.
    reverse
        Draw x from high to low; the picture is turned too, which plotly would not do.
    panel
        Number of the subplot, from 1.
    """
    number = "" if panel == 1 else str(panel)
    figure.add_layout_image(
        source=png_uri(pixels[:, ::-1] if reverse else pixels),
        xref=f"x{number}",
        yref=f"y{number}",
        x=x[1] if reverse else x[0],
        y=y[1],
        sizex=x[1] - x[0],
        sizey=y[1] - y[0],
        xanchor="left",
        yanchor="top",
        sizing="stretch",
        layer="below",
    )
    figure.layout[f"xaxis{number}"].range = x[::-1] if reverse else x
    figure.layout[f"yaxis{number}"].range = y


def _tinted(colour: str, strength: NDArray[Any]) -> NDArray[np.uint8]:
    pixels = np.empty((*strength.shape, 4), dtype=np.uint8)
    pixels[..., :3] = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    pixels[..., 3] = np.round(255 * np.clip(strength, 0.0, 1.0)).astype(np.uint8)
    return pixels


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
