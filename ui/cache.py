"""Every cached call, keyed by content and bounded.

Sets and models are shared between visitors and read-only, so they are cached as resources; small tables as data.
A set is keyed by its fingerprint: Streamlit's own hashing samples large arrays and misses changes.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from spectra_core.spectra import SpectraSet

if TYPE_CHECKING:
    from spectra_core.choices import Choice
    from spectra_core.jobs import Jobs
    from spectra_core.regressors.base import Regressor
    from spectra_core.store import Store, StoredModel
    from ui.sampling import Plan, Sampled

BY_CONTENT: dict[str | type, Callable[[Any], str]] = {
    "spectra_core.spectra.SpectraSet": lambda spectra: f"{spectra.fingerprint} {spectra.meta.name}",
    "spectra_core.store.models.StoredModel": lambda model: model.record.id,
    "spectra_core.choices.Choice": lambda choice: json.dumps(choice.to_json(), sort_keys=True),
    "ui.sampling.Plan": lambda plan: plan.key,
}
"""Hash functions for cached calls: by content, never by what Streamlit samples of it."""


def home() -> str:
    """Return the user data folder that is asked for, "" for the default; the key of everything on disk."""
    return os.environ.get("SPECTRA_HOME", "")


@st.cache_resource(show_spinner=False, max_entries=4)
def store(home: str) -> "Store":
    """Open the store below `home` once."""
    from spectra_core.store import Store

    return Store(Path(home) if home else None)


@st.cache_resource(show_spinner=False, max_entries=4)
def jobs(home: str) -> "Jobs":
    """Open the jobs below `home` once."""
    from spectra_core.jobs import Jobs

    return Jobs(Path(home) if home else None)


@st.cache_resource(show_spinner="Loading spectra", max_entries=8)
def spectra_set(home: str, fingerprint: str, name: str) -> SpectraSet:  # noqa: ARG001  # the name is part of the key
    """Load a set from the store; `name` is what it is called now."""
    return store(home).load_set(fingerprint)


@st.cache_resource(show_spinner="Loading the model", max_entries=8)
def stored_model(home: str, model_id: str) -> "StoredModel":
    """Load a model from the store."""
    return store(home).load_model(model_id)


@st.cache_data(hash_funcs=BY_CONTENT, max_entries=16, show_spinner="Encoding the spectra")
def latent_dimensions(model: "StoredModel", spectra: SpectraSet) -> pd.DataFrame:
    """Cache `spectra_core.evaluation.learning.latent_dimensions` of the posteriors of `spectra`."""
    from spectra_core.evaluation import learning

    return learning.latent_dimensions(model.model.encode(spectra))


@st.cache_data(hash_funcs=BY_CONTENT, max_entries=16, show_spinner="Reconstructing spectra")
def reconstructions(model: "StoredModel", spectra: SpectraSet) -> pd.DataFrame:
    """Cache `spectra_core.evaluation.learning.reconstructions`."""
    from spectra_core.evaluation import learning

    return learning.reconstructions(model.model, spectra)


@st.cache_resource(hash_funcs=BY_CONTENT, max_entries=4, show_spinner=False)
def training_part(model: "StoredModel", spectra: SpectraSet) -> SpectraSet:
    """Return the spectra a generator was trained on, where `spectra` is its set; else all of `spectra`."""
    held_out = set(model.record.held_out_rows)
    if model.record.trained_on != spectra.fingerprint or not held_out:
        return spectra
    return spectra.take([row for row in range(len(spectra)) if row not in held_out])


@st.cache_resource(hash_funcs=BY_CONTENT, max_entries=4, show_spinner="Fitting the teacher")
def teacher(train: SpectraSet, choice: "Choice") -> "Regressor":
    """Cache `ui.sampling.fit_teacher`."""
    from ui import sampling

    return sampling.fit_teacher(train, choice)


@st.cache_resource(hash_funcs=BY_CONTENT, max_entries=4, show_spinner="Generating spectra")
def sampled(model: "StoredModel", train: SpectraSet, plan: "Plan") -> "Sampled":
    """Cache `ui.sampling.make`."""
    from ui import sampling

    fitted = None if plan.teacher is None else teacher(train, plan.teacher)
    return sampling.make(model.model, train, plan, fitted, model.record.id)


@st.cache_data(hash_funcs=BY_CONTENT, max_entries=8, show_spinner="Comparing with the data")
def sampled_tables(model: "StoredModel", train: SpectraSet, plan: "Plan") -> dict[str, pd.DataFrame]:
    """Cache `ui.sampling.tables`."""
    from ui import sampling

    return sampling.tables(sampled(model, train, plan), train)


@st.cache_data(hash_funcs=BY_CONTENT, max_entries=8, show_spinner="Comparing all strategies")
def strategies_compared(model: "StoredModel", train: SpectraSet) -> dict[str, pd.DataFrame]:
    """Cache the overviews of `spectra_core.evaluation.strategies`, by what is chosen."""
    from ui import sampling

    return sampling.strategies_compared(model.model, train)


@st.cache_data(hash_funcs=BY_CONTENT, max_entries=32, show_spinner="Comparing channels")
def channel_statistics(experimental: SpectraSet, generated: SpectraSet) -> pd.DataFrame:
    """Cache `spectra_core.evaluation.channels.channel_statistics` of the two sets in hand."""
    from spectra_core.evaluation import channels

    return channels.channel_statistics({"training": experimental, "generated": generated})
