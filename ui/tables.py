"""Tables on a page: headings in words, numbers with three digits. The files keep the names and all digits."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pandas as pd
import streamlit as st

from spectra_core.figures.names import typeset
from spectra_core.options import options_of
from spectra_core.shares import digits_below_one

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
    "bias": "Bias",
    "ratio": "Ratio",
    "rmsec": "RMSEC",
    "rmsecv": "RMSECV",
    "sep": "SEP",
    "r2": "R²",
    "q2": "Q²",
    "rpd": "RPD",
    "rpiq": "RPIQ",
    "p_ideal": "p",
    "n": "Spectra",
    "rmsep": "RMSEP",
    "crps": "CRPS",
    "bias_p": "p of the bias",
    "width": "Width of the interval",
    "drift": "Drift per 100 spectra",
    "drift_p": "p of the drift",
    "lod_least": "Limit of detection, least",
    "lod_most": "Limit of detection, most",
    "rmse_pure_components": "RMSE, pure components",
    "bias_pure_components": "Bias, pure components",
    "ratio_pure_components": "Ratio, pure components",
    "rmsep_mean": "RMSEP",
    "rmsep_sd": "RMSEP, sd",
    "rmsep_median": "RMSEP, median",
    "n_blown_up": "Runs that blew up",
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
    "n_latent": "Latent dimensions",
    "active_units": "Active dimensions",
    "reconstruction_rmse": "Reconstruction RMSE",
    "training_noise": "Noise of the training spectra",
    "noise_ratio": "Noise, ratio to training",
    "n_components": "Components trained on",
    "share_left_out": "Variance left out, share",
    "n_trainings": "Trainings",
    "r2_from_z_mean": "R² of concentrations from z, mean",
    "r2_from_z_max": "R² of concentrations from z, largest",
    "n_repeats": "Repetitions",
    "n_members": "Members",
    "observed_arm": "Observed arm",
}
"""Headings of columns whose name does not read as one."""

_N_DIGITS = 3
"""Significant digits of numbers, unless one just below 1 needs more so as not to read as 1."""
NONE = "\N{EN DASH}"
"""Stands in the place of a value that is not defined."""


def columns(table: pd.DataFrame, **headings: str) -> dict[str, Any]:
    """Return how Streamlit shows the columns of a table.

    Parameters
    ----------
    table
        With names for columns; those of floating-point numbers get three significant digits, more where one just below
        1 would read as 1.
    headings
        Those of columns that are called otherwise elsewhere.
    """
    shown = {str(name): _column(headings.get(str(name)) or heading(str(name)), at) for name, at in table.items()}
    # A spectrum has one name, its id: a number beside it would count from elsewhere.
    return shown | {"sample": None} if {"sample", "id"} <= set(shown) else shown


def worded(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose targets and roles are called as in pictures.

    >>> worded(pd.DataFrame({"target": ["SO4 2-", "all"], "role": ["training", "held-out"]})).to_numpy().tolist()
    [['SO₄²⁻', 'Experimental'], ['all declared targets', 'Held-out']]
    """
    from spectra_core.figures.forest import ALL_TARGETS
    from spectra_core.figures.theme import role_name

    words = {
        "target": lambda name: "all declared targets" if name == ALL_TARGETS else typeset(str(name)),
        "role": role_name,
    }
    return table.assign(**{name: table[name].map(how) for name, how in words.items() if name in table})


def wide(
    table: pd.DataFrame, rows: Sequence[str], across: str, values: str, *, how: Literal["first", "median"] = "first"
) -> pd.DataFrame:
    """Return a table with a column for every value of `across`, headed and its rows named in words.

    >>> table = pd.DataFrame({"arm": ["A", "A"], "target": ["Cu2+", "pH"], "n_train": 9, "gain": [1, 2]})
    >>> found = wide(table, ["arm", "n_train"], "target", "gain")
    >>> list(found.index.names), list(found.columns)
    (['Arm', 'Training spectra'], ['Cu²⁺', 'pH'])
    """
    found = table.pivot_table(index=list(rows), columns=across, values=values, aggfunc=how, sort=False)
    found.columns = pd.Index([typeset(str(name)) for name in found.columns])
    return found.rename_axis(index=[heading(name) for name in rows])


def names_of(ids: Sequence[str]) -> list[str]:
    """Return how spectra are called on pages: by their id, and where ids repeat by their number from 1, too.

    >>> names_of(["a", "b", "b"])
    ['a', 'b #2', 'b #3']
    """
    often = Counter(ids)
    return [name if often[name] == 1 else f"{name} #{number}" for number, name in enumerate(ids, 1)]


def options_in_words(member: type[Any] | None, options: Mapping[str, Any]) -> str:
    """Say options as their labels and values; those of a method that is not known any more by their names.

    >>> options_in_words(None, {"n_latent": 3, "beta": 0.1}), options_in_words(None, {})
    ('Latent dimensions 3, Beta 0.1', 'as by default')
    """
    known = {} if member is None else options_of(member)
    labels = {name: known[name].label if name in known else heading(name) for name in options}
    said = [f"{labels[name]} {_in_words(value)}" for name, value in options.items()]
    return ", ".join(said) or "as by default"


def json_in_words(text: str) -> str:
    """Say a JSON value, such as a method with its options, without braces; other text stays.

    >>> json_in_words('{"name": "pca", "options": {"n_latent": 4}}'), json_in_words('[1, null]'), json_in_words("fast")
    ('Probabilistic PCA (Latent dimensions 4)', '1; none', 'fast')
    """
    try:
        return _in_words(json.loads(text))
    except ValueError:
        return text


def _in_words(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    if isinstance(value, list | tuple):
        return "; ".join(map(_in_words, value)) or "none"
    if not isinstance(value, dict):
        return str(value)
    if value and set(value) <= {"name", "options"}:
        member = _member(str(value.get("name")))
        title = str(member.title) if member is not None else str(value.get("name"))
        return f"{title} ({options_in_words(member, value['options'])})" if value.get("options") else title
    return ", ".join(f"{heading(name)} {_in_words(one)}" for name, one in value.items())


def _member(name: str) -> type[Any] | None:
    """Return the method of a name, whichever stage of the pipeline it belongs to."""
    from spectra_core.conditions import CONDITIONS
    from spectra_core.generators import GENERATORS
    from spectra_core.preprocessing import PREPROCESSINGS
    from spectra_core.regressors import REGRESSORS
    from spectra_core.samplers import SAMPLERS
    from spectra_core.samplers.given_conditions import CONDITIONAL_SAMPLERS
    from spectra_core.sampling.labelling import LABELLINGS

    stages: tuple[Mapping[str, type[Any]], ...] = (
        GENERATORS, REGRESSORS, SAMPLERS, CONDITIONAL_SAMPLERS, CONDITIONS, LABELLINGS, PREPROCESSINGS
    )  # fmt: skip
    return next((stage[name] for stage in stages if name in stage), None)


def heading(name: str) -> str:
    """Return the heading of a column.

    >>> heading("t2_ratio"), heading("distance_training"), heading("Cu2+")
    ('T² / limit', 'Distance training', 'Cu²⁺')
    """
    name = typeset(name)
    return HEADINGS.get(name, name.replace("_", " ")[:1].upper() + name.replace("_", " ")[1:])


def _column(label: str, values: "pd.Series[Any]") -> Any:
    if pd.api.types.is_float_dtype(values):
        # One format holds for the whole column.
        near = values[values.abs().between(0.99, 1.0)]
        n_digits = max((digits_below_one(value, _N_DIGITS) for value in near), default=_N_DIGITS)
        return st.column_config.NumberColumn(label, format=f"%.{n_digits}g")
    return st.column_config.Column(label)
