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
    import numpy as np
    from numpy.typing import NDArray

    from spectra_core.choices import Choice
    from spectra_core.datasets import Understanding
    from spectra_core.datasets.parts import Part
    from spectra_core.datasets.sandbox import Sources
    from spectra_core.evaluation.labels.label_errors import LabelCheck
    from spectra_core.evaluation.suitability.outliers import Limits
    from spectra_core.jobs import Jobs
    from spectra_core.regressors.base import Regressor
    from spectra_core.store import Store, StoredModel, StoredResult
    from ui.sampling import Plan, Sampled

BY_CONTENT: dict[str | type, Callable[[Any], str]] = {
    "spectra_core.spectra.spectra_set.SpectraSet": lambda spectra: f"{spectra.fingerprint} {spectra.meta.name}",
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
    """Cache `spectra_core.evaluation.latent.learning.latent_dimensions` of the posteriors of `spectra`."""
    from spectra_core.evaluation.latent import learning

    return learning.latent_dimensions(model.model.encode(spectra))


@st.cache_data(hash_funcs=BY_CONTENT, max_entries=16, show_spinner="Walking through latent space")
def walk(
    model: "StoredModel",
    training: SpectraSet,
    ends: tuple[int, ...],
    dimension: int | None,
    concentrations: tuple[tuple[str, float], ...] | None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cache `evaluation.latent.traversal`: along a dimension, from the row in `ends` if any, else between."""
    from spectra_core.evaluation.latent import traversal

    conditions = None if concentrations is None else dict(concentrations)
    if dimension is None:
        return traversal.walk_between(model.model, training, ends[0], ends[1], conditions=conditions)
    start = ends[0] if ends else None
    return traversal.walk_along(model.model, training, dimension, start=start, conditions=conditions)


@st.cache_data(hash_funcs=BY_CONTENT, max_entries=16, show_spinner="Encoding the spectra")
def remote_from(model: "StoredModel", training: SpectraSet) -> float:
    """Cache `spectra_core.evaluation.latent.distance.remote_from` of the posteriors of `training`."""
    from spectra_core.evaluation.latent import distance as latent_distance

    return latent_distance.remote_from(model.model.encode(training), training.groups)


@st.cache_data(hash_funcs=BY_CONTENT, max_entries=16, show_spinner="Reconstructing spectra")
def reconstructions(model: "StoredModel", spectra: SpectraSet) -> pd.DataFrame:
    """Cache `spectra_core.evaluation.latent.learning.reconstructions`."""
    from spectra_core.evaluation.latent import learning

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
    """Cache `ui.sampling.strategies_compared`."""
    from ui import sampling

    return sampling.strategies_compared(model.model, train)


@st.cache_data(hash_funcs=BY_CONTENT, max_entries=8, show_spinner="Comparing all strategies")
def strategy_points(model: "StoredModel", train: SpectraSet) -> pd.DataFrame:
    """Cache `spectra_core.evaluation.latent.strategies.strategy_points` of the posteriors of `train`."""
    from spectra_core.evaluation.latent import strategies as latent_strategies

    return latent_strategies.strategy_points(model.model.encode(train))


@st.cache_resource(hash_funcs=BY_CONTENT, max_entries=8, show_spinner=False)
def rows_of(spectra: SpectraSet, rows: tuple[int, ...]) -> SpectraSet:
    """Take rows of a set once, so that what is computed from them is found again by its fingerprint."""
    return spectra.take(list(rows))


@st.cache_resource(hash_funcs=BY_CONTENT, max_entries=4, show_spinner="Giving the noise back")
def with_noise(generated: SpectraSet, training: SpectraSet) -> SpectraSet:
    """Cache `spectra_core.evaluation.channels.noise.with_noise`; its noise is the same at every visit."""
    from spectra_core.contracts import random_stream
    from spectra_core.evaluation.channels import noise

    return noise.with_noise(generated, training, random_stream(0, "noise given back"))


@st.cache_resource(hash_funcs=BY_CONTENT, max_entries=8, show_spinner="Counting spectra")
def signal_histograms(sets: dict[str, SpectraSet]) -> dict[str, pd.DataFrame]:
    """Cache `spectra_core.evaluation.channels.statistics.signal_histograms`."""
    from spectra_core.evaluation.channels import statistics as channels

    return channels.signal_histograms(sets)


def channel_statistics(sets: dict[str, SpectraSet]) -> pd.DataFrame:
    """Return `spectra_core.evaluation.channels.statistics.channel_statistics`, each role computed once."""
    return pd.concat([_statistics_of(role, spectra) for role, spectra in sets.items()], ignore_index=True)


@st.cache_data(hash_funcs=BY_CONTENT, max_entries=32, show_spinner="Describing channels")
def _statistics_of(role: str, spectra: SpectraSet) -> pd.DataFrame:
    from spectra_core.evaluation.channels import statistics as channels

    return channels.channel_statistics({role: spectra})


def channel_differences(sets: dict[str, SpectraSet]) -> pd.DataFrame:
    """Return `spectra_core.evaluation.channels.statistics.channel_differences`, each pair of roles computed once."""
    from spectra_core.evaluation.roles import comparisons

    pairs = [_differences_of({role: sets[role], reference: sets[reference]}) for role, reference in comparisons(sets)]
    return pd.concat(pairs, ignore_index=True)


@st.cache_data(hash_funcs=BY_CONTENT, max_entries=32, show_spinner="Comparing channels")
def _differences_of(pair: dict[str, SpectraSet]) -> pd.DataFrame:
    from spectra_core.evaluation.channels import statistics as channels

    return channels.channel_differences(pair)


@st.cache_data(hash_funcs=BY_CONTENT, max_entries=16, show_spinner="Correlating channels")
def channel_correlation(sets: dict[str, SpectraSet]) -> pd.DataFrame:
    """Cache `spectra_core.evaluation.channels.statistics.channel_correlation`."""
    from spectra_core.evaluation.channels import statistics as channels

    return channels.channel_correlation(sets)


@st.cache_data(hash_funcs=BY_CONTENT, max_entries=16, show_spinner="Measuring the noise")
def noise_fidelity(sets: dict[str, SpectraSet]) -> pd.DataFrame:
    """Cache `spectra_core.evaluation.channels.noise.noise_fidelity`."""
    from spectra_core.evaluation.channels import noise

    return noise.noise_fidelity(sets)


@st.cache_data(hash_funcs=BY_CONTENT, max_entries=16, show_spinner="Choosing spectra")
def examples(sets: dict[str, SpectraSet], n_spectra: int) -> pd.DataFrame:
    """Cache `spectra_core.evaluation.examples.examples`."""
    from spectra_core.evaluation import examples as chosen

    return chosen.examples(sets, n_spectra=n_spectra)


@st.cache_data(hash_funcs=BY_CONTENT, max_entries=16, show_spinner="Finding neighbours")
def neighbours(sets: dict[str, SpectraSet], metric: str, window: float | None, role: str) -> pd.DataFrame:
    """Cache `spectra_core.evaluation.similarity.neighbours.neighbours`."""
    from spectra_core.evaluation.similarity import neighbours as nearest

    return nearest.neighbours(sets, metric=metric, window=window, role=role)


@st.cache_data(hash_funcs=BY_CONTENT, max_entries=16, show_spinner="Looking for copies")
def memorisation(sets: dict[str, SpectraSet], metric: str) -> pd.DataFrame:
    """Cache `spectra_core.evaluation.similarity.memorisation.memorisation`."""
    from spectra_core.evaluation.similarity import memorisation as judged

    return judged.memorisation(sets, metric=metric)


@st.cache_data(hash_funcs=BY_CONTENT, max_entries=16, show_spinner="Measuring the noise")
def noise_level(spectra: SpectraSet) -> "NDArray[np.float64]":
    """Cache `spectra_core.evaluation.channels.noise.noise_level`."""
    from spectra_core.evaluation.channels import noise

    return noise.noise_level(spectra)


@st.cache_data(hash_funcs=BY_CONTENT, max_entries=8, show_spinner="Drawing the map")
def latent_map(sets: dict[str, SpectraSet], model: "StoredModel | None") -> tuple[pd.DataFrame, float]:
    """Cache `spectra_core.evaluation.latent.maps.latent_map` and its trustworthiness."""
    from spectra_core.evaluation.latent import maps

    generator = None if model is None else model.model
    table = maps.latent_map(sets, generator)
    return table, maps.trustworthiness(table, sets, generator)


@st.cache_data(hash_funcs=BY_CONTENT, max_entries=8, show_spinner="Drawing the map")
def umap_map(sets: dict[str, SpectraSet], model: "StoredModel | None") -> tuple[pd.DataFrame, float]:
    """Cache `spectra_core.evaluation.latent.maps.umap_map` and its trustworthiness."""
    from spectra_core.evaluation.latent import maps

    generator = None if model is None else model.model
    table = maps.umap_map(sets, generator)
    return table, maps.trustworthiness(table, sets, generator)


@st.cache_data(hash_funcs=BY_CONTENT, max_entries=16, show_spinner="Colouring the map")
def map_colour(sets: dict[str, SpectraSet], kind: str, target: str, model: "StoredModel | None") -> pd.DataFrame:
    """Cache `evaluation.latent.map_colours`: "density", "label error" of a target, or "reconstruction error"."""
    from spectra_core.evaluation.latent import map_colours

    if kind == "density":
        return map_colours.density_colour(sets)
    if kind == "label error":
        return map_colours.label_error_colour(sets, target)
    assert model is not None
    return map_colours.reconstruction_colour(sets, model.model)


@st.cache_data(hash_funcs=BY_CONTENT, max_entries=16, show_spinner="Checking the targets")
def target_dependence(spectra: SpectraSet) -> pd.DataFrame:
    """Cache `spectra_core.evaluation.suitability.design.target_dependence`."""
    from spectra_core.evaluation.suitability import design

    return design.target_dependence(spectra)


@st.cache_data(hash_funcs=BY_CONTENT, max_entries=16, show_spinner="Checking the channels")
def channel_check(spectra: SpectraSet, saturation: float) -> pd.DataFrame:
    """Cache `spectra_core.evaluation.suitability.design.channel_check`."""
    from spectra_core.evaluation.suitability import design

    return design.channel_check(spectra, saturation=saturation)


@st.cache_data(hash_funcs=BY_CONTENT, max_entries=16, show_spinner="Counting repeats")
def repeats(spectra: SpectraSet) -> pd.DataFrame:
    """Cache `spectra_core.evaluation.suitability.design.repeats`."""
    from spectra_core.evaluation.suitability import design

    return design.repeats(spectra)


@st.cache_data(hash_funcs=BY_CONTENT, max_entries=16, show_spinner="Looking for outliers")
def outliers(spectra: SpectraSet, n_components: int | None, confidence: float) -> "tuple[pd.DataFrame, Limits]":
    """Cache `spectra_core.evaluation.suitability.outliers.outliers` of a set in its own PCA."""
    from spectra_core.evaluation.suitability import outliers as apart

    return apart.outliers(spectra, n_components=n_components, confidence=confidence)


@st.cache_data(hash_funcs=BY_CONTENT, max_entries=16, show_spinner="Checking the labels")
def label_errors(spectra: SpectraSet) -> "tuple[pd.DataFrame, LabelCheck]":
    """Cache `spectra_core.evaluation.labels.label_errors.label_errors`."""
    from spectra_core.evaluation.labels import label_errors as labels

    return labels.label_errors(spectra)


@st.cache_data(hash_funcs=BY_CONTENT, max_entries=32, show_spinner=False)
def mixture_residual(sets: dict[str, SpectraSet], role: str, sample: int) -> pd.DataFrame:
    """Cache `spectra_core.evaluation.physics.checks.mixture_residual`."""
    from spectra_core.evaluation.physics import checks as physics

    return physics.mixture_residual(sets, role, sample)


@st.cache_resource(show_spinner="Loading the experiment", max_entries=8)
def stored_result(home: str, result_id: str) -> "StoredResult":
    """Load a result from the store."""
    return store(home).load_result(result_id)


@st.cache_data(max_entries=8, show_spinner="Judging the errors")
def comparisons(home: str, result_id: str) -> pd.DataFrame:
    """Judge the errors of a result anew, so that those of earlier versions are judged alike."""
    from spectra_core.experiment import Experiment
    from spectra_core.experiment.tables import comparisons_of

    result = stored_result(home, result_id)
    spreads = result.tables["spreads"].set_index("target")["sd"].to_dict()
    return comparisons_of(Experiment.from_document(result.document["experiment"]), result.tables["errors"], spreads)


@st.cache_data(max_entries=64, show_spinner=False)
def solution_tables(settings: str, salts: tuple[tuple[str, float], ...]) -> dict[str, pd.DataFrame]:
    """Cache `spectra_core.datasets.simulator.solution_tables` by settings (JSON) and salts, mol/L."""
    from spectra_core.datasets import simulator

    return simulator.solution_tables(simulator.SimulationSettings.from_json(settings), dict(salts))


@st.cache_data(max_entries=32, show_spinner="Computing what can be known")
def identifiability(settings: str) -> pd.DataFrame:
    """Cache `spectra_core.datasets.simulator.identifiability` by settings (JSON)."""
    from spectra_core.datasets import simulator

    return simulator.identifiability(simulator.SimulationSettings.from_json(settings))


@st.cache_resource(max_entries=3, show_spinner="Reading the files")
def _parsed_uploads(home: str, keys: tuple[str, ...], dialect: str) -> "tuple[list[Part], Sources]":
    """Parse kept uploads once per dialect, whatever else a person then decides about them."""
    from spectra_core.datasets import Recipe
    from spectra_core.datasets.sandbox import parse_files

    return parse_files(store(home).upload_files(keys), Recipe.from_json(dialect).dialect)


@st.cache_resource(max_entries=8, show_spinner=False)
def understanding(home: str, keys: tuple[str, ...], recipe: str) -> "Understanding":
    """Understand kept uploads under a recipe (JSON)."""
    from spectra_core.datasets import Recipe, Understanding

    decided = Recipe.from_json(recipe)
    parts, sources = _parsed_uploads(home, keys, _dialect_of(recipe))
    return Understanding(parts, decided, sources)


def forget_understanding(home: str, keys: tuple[str, ...], recipe: str) -> None:
    """Let go of what kept uploads hold, which may be half a gigabyte."""
    understanding.clear()
    _parsed_uploads.clear(home, keys, _dialect_of(recipe))


def _dialect_of(recipe: str) -> str:
    """Return the decisions (JSON) that need the files parsed again."""
    from spectra_core.datasets import Recipe

    return Recipe(**vars(Recipe.from_json(recipe).dialect)).to_json()


@st.cache_data(max_entries=4, show_spinner="Writing the file")
def exported(home: str, fingerprint: str, name: str, form: str) -> bytes:
    """Write a kept set as a file; `name` is what it is called now."""
    from spectra_core.datasets import export

    return export(store(home).load_set(fingerprint).with_meta(name=name), form)
