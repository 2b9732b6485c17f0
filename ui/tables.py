"""Tables on a page: headings in words, numbers with three digits. The files keep the names and all digits."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from spectra_core.figures.names import typeset

HEADINGS: dict[str, str] = {
    "sample": "Number",
    "id": "Id",
    "n_spectra": "Spectra",
    "n_train": "Training spectra",
    "n_folds": "Folds",
    "n_distinct": "Different values",
    "t2": "T²",
    "q": "Q",
    "t2_ratio": "T² / limit",
    "q_ratio": "Q / limit",
    "spreads": "Robust sd off",
    "fits_label_of": "Fits the label of",
    "negative": "Negative, noise units",
    "saturated": "Saturated, share",
    "roughness": "Roughness, noise units",
    "mixture_residual": "Off mixtures, noise units",
    "charge": "Charge residual, share",
    "rmse": "RMSE, teacher",
    "bias": "Bias, teacher",
    "ratio": "Ratio",
    "rmse_pure_components": "RMSE, pure components",
    "bias_pure_components": "Bias, pure components",
    "ratio_pure_components": "Ratio, pure components",
    "rmsep_mean": "RMSEP",
    "rmsep_sd": "RMSEP, sd",
    "mae_mean": "Mean absolute error",
    "mae_sd": "Mean absolute error, sd",
    "bias_mean": "Bias",
    "bias_sd": "Bias, sd",
    "sep_mean": "SEP",
    "sep_sd": "SEP, sd",
    "r2_mean": "R²",
    "r2_sd": "R², sd",
    "rpd_mean": "RPD",
    "rpd_sd": "RPD, sd",
    "rer_mean": "RER",
    "rer_sd": "RER, sd",
    "x": "x",
    "y": "y",
    "kl": "KL divergence, nats",
}
"""Headings of columns whose name does not read as one."""


def columns(table: pd.DataFrame) -> dict[str, Any]:
    """Return how Streamlit shows the columns of a table.

    Parameters
    ----------
    table
        With names for columns; those of floating-point numbers get three significant digits.
    """
    shown = {str(name): _column(heading(str(name)), values) for name, values in table.items()}
    # A spectrum has one name, its id: a number beside it would count from elsewhere.
    return shown | {"sample": None} if {"sample", "id"} <= set(shown) else shown


def names_of(ids: Sequence[str]) -> list[str]:
    """Return how spectra are called on pages: by their id, and where ids repeat by their number from 1, too.

    >>> names_of(["a", "b", "b"])
    ['a', 'b #2', 'b #3']
    """
    often = Counter(ids)
    return [name if often[name] == 1 else f"{name} #{number}" for number, name in enumerate(ids, 1)]


def heading(name: str) -> str:
    """Return the heading of a column.

    >>> heading("t2_ratio"), heading("distance_training"), heading("Cu2+")
    ('T² / limit', 'Distance training', 'Cu²⁺')
    """
    name = typeset(name)
    return HEADINGS.get(name, name.replace("_", " ")[:1].upper() + name.replace("_", " ")[1:])


def _column(label: str, values: "pd.Series[Any]") -> Any:
    if pd.api.types.is_float_dtype(values):
        return st.column_config.NumberColumn(label, format="%.3g")
    return st.column_config.Column(label)
