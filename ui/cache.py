"""Every cached call, keyed by content and bounded.

Sets and models are shared between visitors and read-only, so they are cached as resources; small tables as data.
A set is keyed by its fingerprint: Streamlit's own hashing samples large arrays and misses changes.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from spectra_core.spectra import SpectraSet

if TYPE_CHECKING:
    from spectra_core.jobs import Jobs
    from spectra_core.store import Store, StoredModel

BY_CONTENT: dict[str | type, Callable[[Any], str]] = {
    "spectra_core.spectra.SpectraSet": lambda spectra: f"{spectra.fingerprint} {spectra.meta.name}",
    "spectra_core.store.models.StoredModel": lambda model: model.record.id,
}
"""Hash functions for cached calls that take sets and stored models."""


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
