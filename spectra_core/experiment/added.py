"""What an arm added to the training spectra: do labels fit the spectra, and is the noise that of the instrument."""

from typing import Any

import numpy as np
import pandas as pd

from spectra_core.choices import Choice
from spectra_core.contracts import SILENT, Arrays
from spectra_core.evaluation.channels.noise import POINTS, noise_level
from spectra_core.experiment.design import Arm
from spectra_core.experiment.parts import Part

READER = Choice("pls")
"""Reads labels back from spectra: exact to fit, and no network, so that it shares no weakness with the teachers."""


def added_rows(part: Part, arm: Arm) -> pd.DataFrame:
    """Compare labels of added spectra with what a regressor trained on the measured ones reads, and their noise.

    Returns
    -------
    DataFrame, one row per target
        - ``arm``, ``target``, ``repeat``, ``fold``, ``n_train``, ``ratio``, ``n_added``
        - ``label_rmse``: root mean square of label - value read by PLS from the added spectrum, in the target's unit
        - ``floor_rmse``: the same for the held-out measured spectra of the fold
        - ``honesty``: ``label_rmse`` over ``floor_rmse``; about 1 for labels as good as measured ones, far above 1
          where spectra do not hold what their labels say. Labels by the spectrum itself may lie below 1.
        - ``noise_ratio``: median over channels of the added spectra's noise over that of the training spectra; NaN
          where there are too few channels to see noise
    """
    found = part.fold.memo.arrays(part.fold.key("added", _content(part, arm)), lambda: _checked(part, arm))
    floor = found["floor_rmse"]
    return pd.DataFrame(
        {
            "arm": arm.name,
            "target": list(part.test.target_names),
            "repeat": part.split.repeat,
            "fold": part.split.fold,
            "n_train": len(part.fold.train),
            "ratio": arm.ratio,
            "n_added": int(found["n_added"][0]),
            "label_rmse": found["label_rmse"],
            "floor_rmse": floor,
            "honesty": np.divide(found["label_rmse"], floor, out=np.full(len(floor), np.nan), where=floor > 0),
            "noise_ratio": float(found["noise_ratio"][0]),
        }
    )


def _content(part: Part, arm: Arm) -> dict[str, Any]:
    return {"arm": arm.content, "reader": READER.to_json(), "test": part.test.fingerprint}


def _checked(part: Part, arm: Arm) -> Arrays:
    fold, test = part.fold, part.test
    whole = fold.training_set(fold.with_chosen(arm, READER, SILENT), SILENT)
    added = whole.take(np.arange(len(fold.train), len(whole)))
    reader = fold.regressor(READER, SILENT)
    label_rmse, floor_rmse = (
        np.sqrt(((spectra.target_values - reader.predict(spectra).to_numpy()) ** 2).mean(axis=0))
        for spectra in (added, test)
    )
    ratio = np.nan
    if added.n_channels >= POINTS:
        noise = fold.noise()
        if (noise > 0).any():
            ratio = float(np.median(noise_level(added)[noise > 0] / noise[noise > 0]))
    return {
        "label_rmse": label_rmse,
        "floor_rmse": floor_rmse,
        "noise_ratio": np.array([ratio]),
        "n_added": np.array([len(added)]),
    }
