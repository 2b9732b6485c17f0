"""Comparisons as jobs: maps, neighbours, judgements, the metric bench. JSON in, the name of a result out."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.choices import checked_arguments
from spectra_core.contracts import Reporter
from spectra_core.errors import ConfigError
from spectra_core.evaluation.sampling import MOST_COMPARED, MOST_JUDGED, most_asked, sampled, sampled_rows
from spectra_core.jobs import judging_time
from spectra_core.spectra import SpectraSet
from spectra_core.store import Store
from spectra_core.training.versions import versions

AT_ONCE = 2
"""Halvings judged at the same time: on two cores it saves up to a third of the time."""


def draw_map(arguments: dict[str, Any], reporter: Reporter, store: Store) -> dict[str, Any]:
    """Lay spectra out on a map.

    ``{"set": fingerprint, "generated": fingerprint or None, "model": id or None, "method": "umap", "seed": 0}``; other
    methods are "tsne" and "pca". With a model its latent space is mapped, and rows it did not train on have the role
    "held-out".

    Returns
    -------
    ``{"result": id}`` of a result of kind "map" with the table ``map`` and the document ``arguments``, ``n_shown`` and
    ``n_spectra`` per role, and ``trustworthiness``.
    """
    from spectra_core.evaluation.latent.maps import MAPS, trustworthiness

    known = checked_arguments(arguments, "map", set=..., generated=None, model=None, method="umap", seed=0)
    if known["method"] not in MAPS:
        raise ConfigError(f"Unknown kind of map {known['method']!r}. Known kinds: {', '.join(sorted(MAPS))}.")
    stored = None if known["model"] is None else store.load_model(known["model"])
    parts = _sampled_parts(store, known, stored, MOST_COMPARED)
    sets, generator = parts.sets, None if stored is None else stored.model
    options = {} if known["method"] == "pca" else {"seed": known["seed"]}
    reporter.progress("Drawing the map", 0, 2)
    table = MAPS[known["method"]](sets, generator, **options)
    reporter.progress("Judging the map", 1, 2)
    document = {
        "arguments": known,
        "n_spectra": parts.n_spectra,
        "n_shown": {role: len(spectra) for role, spectra in sets.items()},
        "trustworthiness": trustworthiness(table, sets, generator, seed=known["seed"]),
    }
    # Row numbers in the whole set, not in what is shown of it.
    table["sample"] = _rows_in_whole(table, parts.rows_in_set)
    reporter.progress("Judging the map", 2, 2)
    return _kept(store, "map", document, {"map": table}, f"Map of {parts.name}")


def find_neighbours(arguments: dict[str, Any], reporter: Reporter, store: Store) -> dict[str, Any]:
    """Find the nearest experimental spectrum of each generated one, for sets too large to do so while a visitor waits.

    ``{"set": fingerprint, "generated": fingerprint, "model": id or None, "metric": "euclidean", "window": None,
    "seed": 0}``. The experimental sets are searched whole; of the generated and the held-out set a random part asks.

    Returns
    -------
    ``{"result": id}`` of a result of kind "neighbours" with the table ``neighbours`` and, where spectra were held out,
    ``floor`` (as `neighbours` of the held-out role) and ``memorisation``; the document holds ``arguments``,
    ``n_spectra`` and ``n_asked`` per role, and ``n_copies`` (of all generated spectra). ``sample`` counts rows of the
    role's whole set.
    """
    from spectra_core.evaluation.similarity.memorisation import memorisation
    from spectra_core.evaluation.similarity.neighbours import copy_of, neighbours

    known = checked_arguments(
        arguments, "neighbours", set=..., generated=..., model=None, metric="euclidean", window=None, seed=0
    )
    sets = _by_role(store, known)
    n_spectra = {role: len(spectra) for role, spectra in sets.items()}
    reporter.progress("Looking for exact copies", 0, 4)
    n_copies = int((copy_of(sets["generated"], sets["training"]) >= 0).sum())
    asking, rows = sampled(sets, most_asked(n_spectra["training"]), known["seed"])
    reporter.progress("Finding neighbours", 1, 4)
    few = {**sets, "generated": asking["generated"]}
    tables = {"neighbours": neighbours(few, metric=known["metric"], window=known["window"])}
    tables["neighbours"]["sample"] = rows["generated"]
    if "held-out" in sets:
        reporter.progress("Finding neighbours of held-out spectra", 2, 4)
        asked = {"training": sets["training"], "held-out": asking["held-out"]}
        tables["floor"] = neighbours(asked, metric=known["metric"], role="held-out")
        tables["floor"]["sample"] = rows["held-out"]
        reporter.progress("Counting who is nearer", 3, 4)
        if n_spectra["training"] >= n_spectra["held-out"]:
            tables["memorisation"] = memorisation(few, metric=known["metric"], seed=known["seed"])
    reporter.progress("Counting who is nearer", 4, 4)
    n_asked = {role: len(asking[role]) for role in ("held-out", "generated") if role in sets}
    document = {"arguments": known, "n_spectra": n_spectra, "n_asked": n_asked, "n_copies": n_copies}
    name = f"Neighbours of {sets['generated'].meta.name}"
    return _kept(store, "neighbours", document, tables, name)


def judge(arguments: dict[str, Any], reporter: Reporter, store: Store) -> dict[str, Any]:
    """Judge generated spectra by every metric, by physics, and by what their labels say.

    ``{"set": fingerprint, "generated": fingerprint, "model": id or None, "noise_given_back": False, "seed": 0}``. With
    a model, rows it did not train on have the role "held-out".

    Returns
    -------
    ``{"result": id}`` of a result of kind "fidelity" with the tables ``judgement``, ``physics``, ``physics_limits``
    and, where generated spectra carry the targets of the set, ``label_honesty``; the document holds ``arguments``,
    ``n_spectra`` and ``n_judged`` per role.
    """
    from spectra_core.contracts import random_stream
    from spectra_core.errors import SpectraError
    from spectra_core.evaluation.channels.noise import with_noise
    from spectra_core.evaluation.labels.label_honesty import label_honesty
    from spectra_core.evaluation.physics.checks import physics, physics_limits
    from spectra_core.evaluation.similarity.judgement import judgement
    from spectra_core.regressors import PLS

    known = checked_arguments(arguments, "fidelity", set=..., generated=..., model=None, noise_given_back=False, seed=0)
    stored = None if known["model"] is None else store.load_model(known["model"])
    parts = _sampled_parts(store, known, stored, MOST_JUDGED)
    sets = parts.sets
    if known["noise_given_back"]:
        stream = random_stream(known["seed"], "noise given back")
        sets["generated"] = with_noise(sets["generated"], sets["training"], stream)
    work = judging_time.of_judgement(len(sets["training"]), len(sets["generated"]), sets["training"].n_channels)
    _load()
    within = judging_time.Within(reporter, work.in_pairs)
    tables = {"judgement": judgement(sets, seed=known["seed"], n_workers=AT_ONCE, reporter=within)}
    within.progress("Checking physics", 1, 1)
    tables["physics"] = physics(sets)
    tables["physics_limits"] = physics_limits(tables["physics"])
    judging_time.Within(reporter, (1 + 3 * work.in_pairs) / 4).progress("Reading the labels", 1, 1)
    if sets["generated"].target_names == sets["training"].target_names != ():
        try:
            tables["label_honesty"] = label_honesty(sets, PLS(), seed=known["seed"])
        except SpectraError as error:
            # Too few spectra for a teacher: the other judgements stand without it.
            reporter.message(f"Labels are not checked: {error}")
    reporter.progress("Reading the labels", 100, 100)
    for name in tables.keys() & {"physics", "label_honesty"}:
        # Row numbers in the role's whole set, not in what was judged of it.
        tables[name]["sample"] = _rows_in_whole(tables[name], parts.rows)
    n_judged = {role: len(spectra) for role, spectra in sets.items()}
    document = {"arguments": known, "n_spectra": parts.n_spectra, "n_judged": n_judged}
    name = f"Judgement of {sets['generated'].meta.name}"
    return _kept(store, "fidelity", document, tables, name)


def bench(arguments: dict[str, Any], reporter: Reporter, store: Store) -> dict[str, Any]:
    """Try all metrics on known-bad generators made from a set: ``{"set": fingerprint, "seed": 0}``.

    Returns
    -------
    ``{"result": id}`` of a result of kind "bench" with the table ``bench``; the document holds ``arguments``.
    """
    from spectra_core.evaluation.similarity.bench import metric_bench

    known = checked_arguments(arguments, "bench", set=..., seed=0)
    spectra = store.load_set(known["set"])
    sets, _ = sampled({"training": spectra}, MOST_JUDGED, known["seed"])
    _load()
    table = metric_bench(sets["training"], seed=known["seed"], n_workers=AT_ONCE, reporter=reporter)
    name = f"Metric bench on {spectra.meta.name}"
    return _kept(store, "bench", {"arguments": known}, {"bench": table}, name)


def _load() -> None:
    """Load now what metrics load when they first need it: it would be taken for the pace of the first steps."""
    for name in ("scipy.stats", "sklearn.metrics", "sklearn.tree"):
        import_module(name)


def _kept(
    store: Store, kind: str, document: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], name: str
) -> dict[str, Any]:
    return {"result": store.save_result(kind, {**document, "versions": versions()}, tables, name)}


@dataclass(frozen=True, eq=False)
class _Parts:
    """What is looked at of the sets in hand.

    Parameters
    ----------
    sets
        Spectra by role.
    rows, rows_in_set
        Their rows in the whole role, and in the set that the role is a part of.
    n_spectra
        Of the whole roles.
    name
        Of the experimental set.
    """

    sets: dict[str, SpectraSet]
    rows: dict[str, NDArray[np.int64]]
    rows_in_set: dict[str, NDArray[np.int64]]
    n_spectra: dict[str, int]
    name: str


def _sampled_parts(store: Store, known: Mapping[str, Any], stored: Any, most: int) -> _Parts:
    """Take at most so many spectra of every role, and hold one whole set at a time."""
    whole = store.load_set(known["set"])
    name, members = whole.meta.name, _rows_by_role(whole, stored)
    rows = {role: sampled_rows(len(numbers), role, most, known["seed"]) for role, numbers in members.items()}
    sets = {role: _taken(whole, members[role][rows[role]]) for role in members}
    del whole
    if known["generated"] is not None:
        generated = store.load_set(known["generated"])
        members["generated"] = np.arange(len(generated))
        rows["generated"] = sampled_rows(len(generated), "generated", most, known["seed"])
        sets["generated"] = _taken(generated, rows["generated"])
    n_spectra = {role: len(numbers) for role, numbers in members.items()}
    return _Parts(sets, rows, {role: members[role][rows[role]] for role in sets}, n_spectra, name)


def _by_role(store: Store, known: Mapping[str, Any]) -> dict[str, SpectraSet]:
    """Return the whole sets in hand by role."""
    whole = store.load_set(known["set"])
    members = _rows_by_role(whole, None if known["model"] is None else store.load_model(known["model"]))
    sets = {role: _taken(whole, rows) for role, rows in members.items()}
    del whole
    return {**sets, "generated": store.load_set(known["generated"])}


def _rows_by_role(spectra: SpectraSet, stored: Any) -> dict[str, NDArray[np.int64]]:
    """Return which rows of a set the model trained on, and which it did not see."""
    every = np.arange(len(spectra))
    if stored is None or stored.record.trained_on != spectra.fingerprint or not stored.record.held_out_rows:
        return {"training": every}
    unseen = np.isin(every, stored.record.held_out_rows)
    return {"training": every[~unseen], "held-out": every[unseen]}


def _taken(spectra: SpectraSet, rows: NDArray[np.int64]) -> SpectraSet:
    return spectra if len(rows) == len(spectra) else spectra.take(rows)


def _rows_in_whole(table: pd.DataFrame, rows: Mapping[str, NDArray[np.int64]]) -> list[int]:
    """Return for every row of a table its place in the role's whole set."""
    return [int(rows[role][row]) for role, row in zip(table["role"], table["sample"], strict=True)]
