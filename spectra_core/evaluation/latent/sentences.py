"""The verdict on a map of spectra, in one sentence."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.evaluation.latent.distance import USUAL
from spectra_core.shares import percent


def ground_sentence(table: pd.DataFrame) -> str:
    """Say which share of the generated spectra lies where no measured one does, and the other way round.

    A marker is alone where the nearest marker of the others is farther than 95 % of the training spectra are from
    the nearest other one of them. Held-out spectra, where there are, give the floor.

    Parameters
    ----------
    table
        As from `latent_map`, or any map with its columns.
    """
    places = {str(role): rows[["x", "y"]].to_numpy(dtype=float) for role, rows in table.groupby("role", sort=False)}
    training, generated = places["training"], places["generated"]
    if len(training) < 3:
        return "Too few training spectra to say whether generated ones cover the same ground."
    limit = float(np.quantile(_nearest(training, training, itself=True), USUAL))
    alone = _alone(generated, training, limit)
    held_out = places.get("held-out")
    floor = "" if held_out is None else f" (held-out spectra: {percent(_alone(held_out, training, limit))})"
    return (
        f"On this map {percent(alone)} of the generated spectra lie where no training spectrum does{floor}, and "
        f"{percent(_alone(training, generated, limit))} of the training spectra where no generated one does."
    )


def _alone(points: NDArray[np.float64], others: NDArray[np.float64], limit: float) -> float:
    """Return the share of points that are farther than `limit` from all others."""
    return float((_nearest(points, others) > limit).mean())


def _nearest(points: NDArray[np.float64], others: NDArray[np.float64], *, itself: bool = False) -> NDArray[np.float64]:
    from scipy.spatial import cKDTree

    distance, _ = cKDTree(others).query(points, k=[2 if itself else 1])
    return np.asarray(distance[:, 0])
