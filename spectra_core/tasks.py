"""What a job can be told to do: JSON in, fingerprints out.

Every task is a function of (arguments, reporter, store). The same arguments give the same result to the last bit,
also after an interruption: finished parts are looked up, unfinished training goes on from its checkpoint.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any

from spectra_core.contracts import Reporter
from spectra_core.errors import ConfigError
from spectra_core.spectra import SpectraSet
from spectra_core.store import Store
from spectra_core.store.files import json_bytes, sha256

Task = Callable[[dict[str, Any], Reporter, Store], dict[str, Any]]

MAP_SPECTRA = 5000
"""Most spectra of one role on a neighbour map; of larger sets a seeded sample is shown, and its size is told."""
JUDGED_SPECTRA = 10_000
"""Most spectra of one role that are judged; of larger sets a seeded sample, and its size is told."""
_MOST_WORKERS = 8


def simulate(arguments: dict[str, Any], reporter: Reporter, store: Store) -> dict[str, Any]:
    """Simulate a set: ``{"preset": name, "n_spectra": n, "seed": s, "settings": {field: value}, "name": text}``.

    Returns
    -------
    ``{"set": fingerprint}``
    """
    from spectra_core.datasets.simulator import PRESETS, SimulationSettings
    from spectra_core.datasets.simulator import simulate as simulated

    known = _checked(arguments, "simulate", preset="msu_like", n_spectra=None, seed=0, settings={}, name="")
    if known["preset"] not in PRESETS:
        raise ConfigError(f"Unknown preset {known['preset']!r}. Known presets: {', '.join(sorted(PRESETS))}.")
    settings = SimulationSettings.from_dict({**PRESETS[known["preset"]].to_dict(), **known["settings"]})
    spectra = simulated(
        settings,
        n_spectra=known["n_spectra"],
        seed=known["seed"],
        reporter=reporter,
        memo=memo_of(store, "simulate"),
    )
    return {"set": store.save_set(spectra.with_meta(name=known["name"]) if known["name"] else spectra)}


def train(arguments: dict[str, Any], reporter: Reporter, store: Store) -> dict[str, Any]:
    """Train a model.

    ``{"set": fingerprint, "generator": name, "options": {}, "seed": 0, "held_out_share": 0.1, "targets": None}``;
    ``"regressor": name`` in place of "generator" trains a calibration. The held-out rows, whole groups at a time, serve
    curves and comparisons only; the kept model lists them.

    Returns
    -------
    ``{"model": id}``
    """
    known = _checked(
        arguments,
        "train",
        set=...,
        generator=None,
        regressor=None,
        options={},
        seed=0,
        held_out_share=0.1,
        targets=None,
    )
    registry, member, fresh = _member(known)
    whole = store.load_set(known["set"])
    used = whole if known["targets"] is None else whole.with_targets(known["targets"])
    training, held_out, rows = _held_out(used, known["held_out_share"], known["seed"])
    reporter.message(
        f"Training {fresh.title} on {len(training)} of {len(whole)} spectra of “{whole.meta.name}”; "
        f"{len(rows)} are held out."
    )
    if registry == "generator":
        checkpoint = store.checkpoint(_key_of("train", known))
        fitted = fresh.fit(training, validation=held_out, seed=known["seed"], reporter=reporter, checkpoint=checkpoint)
    else:
        checkpoint = None
        fitted = fresh.fit(training, seed=known["seed"], reporter=reporter)
    model_id = store.save_model(
        fitted,
        registry=registry,
        member=member,
        train=whole,
        seed=known["seed"],
        extra={"held_out_rows": rows, "held_out_share": known["held_out_share"], "options": known["options"]},
    )
    if checkpoint is not None:
        checkpoint.clear()
    return {"model": model_id}


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
    from spectra_core.evaluation.latent_map import MAPS, trustworthiness

    known = _checked(arguments, "map", set=..., generated=None, model=None, method="umap", seed=0)
    if known["method"] not in MAPS:
        raise ConfigError(f"Unknown kind of map {known['method']!r}. Known kinds: {', '.join(sorted(MAPS))}.")
    whole = store.load_set(known["set"])
    stored = None if known["model"] is None else store.load_model(known["model"])
    sets, rows = _by_role(whole, stored)
    if known["generated"] is not None:
        sets["generated"] = store.load_set(known["generated"])
        rows["generated"] = list(range(len(sets["generated"])))
    n_spectra = {role: len(spectra) for role, spectra in sets.items()}
    sets, rows = _sampled(sets, rows, known["seed"], MAP_SPECTRA)
    generator = None if stored is None else stored.model
    options = {} if known["method"] == "pca" else {"seed": known["seed"]}
    reporter.progress("Drawing the map", 0, 2)
    table = MAPS[known["method"]](sets, generator, **options)
    reporter.progress("Judging the map", 1, 2)
    document = {
        "arguments": known,
        "n_spectra": n_spectra,
        "n_shown": {role: len(spectra) for role, spectra in sets.items()},
        "trustworthiness": trustworthiness(table, sets, generator, seed=known["seed"]),
    }
    # Row numbers in the whole set, not in what is shown of it.
    table["sample"] = [rows[role][row] for role, row in zip(table["role"], table["sample"], strict=True)]
    reporter.progress("Judging the map", 2, 2)
    return {"result": store.save_result("map", document, {"map": table}, name=f"Map of {whole.meta.name}")}


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
    from spectra_core.evaluation.judgement import judgement
    from spectra_core.evaluation.label_honesty import label_honesty
    from spectra_core.evaluation.noise import with_noise
    from spectra_core.evaluation.physics import physics, physics_limits
    from spectra_core.regressors import PLS

    known = _checked(arguments, "fidelity", set=..., generated=..., model=None, noise_given_back=False, seed=0)
    whole = store.load_set(known["set"])
    sets, _ = _by_role(whole, None if known["model"] is None else store.load_model(known["model"]))
    sets["generated"] = store.load_set(known["generated"])
    if known["noise_given_back"]:
        stream = random_stream(known["seed"], "noise given back")
        sets["generated"] = with_noise(sets["generated"], sets["training"], stream)
    n_spectra = {role: len(spectra) for role, spectra in sets.items()}
    own_rows = {role: list(range(number)) for role, number in n_spectra.items()}
    sets, rows = _sampled(sets, own_rows, known["seed"], JUDGED_SPECTRA)
    tables = {"judgement": judgement(sets, seed=known["seed"], reporter=reporter)}
    reporter.progress("Checking physics", 0, 2)
    tables["physics"] = physics(sets)
    tables["physics_limits"] = physics_limits(tables["physics"])
    reporter.progress("Reading the labels", 1, 2)
    if sets["generated"].target_names == whole.target_names != ():
        try:
            tables["label_honesty"] = label_honesty(sets, PLS(), seed=known["seed"])
        except SpectraError as error:
            # Too few spectra for a teacher: the other judgements stand without it.
            reporter.message(f"Labels are not checked: {error}")
    reporter.progress("Reading the labels", 2, 2)
    for name in tables.keys() & {"physics", "label_honesty"}:
        # Row numbers in the role's whole set, not in what was judged of it.
        pairs = zip(tables[name]["role"], tables[name]["sample"], strict=True)
        tables[name]["sample"] = [rows[role][row] for role, row in pairs]
    n_judged = {role: len(spectra) for role, spectra in sets.items()}
    document = {"arguments": known, "n_spectra": n_spectra, "n_judged": n_judged}
    name = f"Judgement of {sets['generated'].meta.name}"
    return {"result": store.save_result("fidelity", document, tables, name=name)}


def bench(arguments: dict[str, Any], reporter: Reporter, store: Store) -> dict[str, Any]:
    """Try all metrics on known-bad generators made from a set: ``{"set": fingerprint, "seed": 0}``.

    Returns
    -------
    ``{"result": id}`` of a result of kind "bench" with the table ``bench``; the document holds ``arguments``.
    """
    from spectra_core.evaluation.bench import metric_bench

    known = _checked(arguments, "bench", set=..., seed=0)
    spectra = store.load_set(known["set"])
    sets, _ = _sampled({"training": spectra}, {"training": list(range(len(spectra)))}, known["seed"], JUDGED_SPECTRA)
    table = metric_bench(sets["training"], seed=known["seed"], reporter=reporter)
    name = f"Metric bench on {spectra.meta.name}"
    return {"result": store.save_result("bench", {"arguments": known}, {"bench": table}, name=name)}


def study(arguments: dict[str, Any], reporter: Reporter, store: Store) -> dict[str, Any]:
    """Run an experiment: ``{"set": fingerprint, "experiment": {...}, "workers": None, "name": text}``.

    With ``"scheduler": address``, or where the environment names one, the workers of that cluster do the work.

    Returns
    -------
    ``{"result": id}`` of a result of kind "study" with the tables and the document of the experiment.
    """
    from spectra_core.cluster import workforce
    from spectra_core.experiment import Experiment, run

    known = _checked(arguments, "study", set=..., experiment=..., workers=None, scheduler=None, name="")
    experiment = Experiment.from_document(known["experiment"])
    spectra = store.load_set(known["set"])
    found = run(
        experiment,
        spectra,
        reporter=reporter,
        memo=memo_of(store, "study"),
        n_workers=known["workers"] or default_workers(),
        workforce=workforce(known["scheduler"]),
    )
    name = known["name"] or f"Study of {spectra.meta.name}"
    result = store.save_result("study", found.document, found.tables, name=name)
    store.trim_memo()
    return {"result": result}


def import_files(arguments: dict[str, Any], reporter: Reporter, store: Store) -> dict[str, Any]:
    """Import uploaded files: ``{"uploads": [key, ...], "recipe": {...}, "targets": None, "name": text}``.

    The uploads (keys from `Store.save_upload`) are forgotten once the set is kept.

    Returns
    -------
    ``{"set": fingerprint}``
    """
    import json

    from spectra_core.datasets import Recipe, read

    known = _checked(arguments, "import", uploads=..., recipe={}, targets=None, name="")
    reporter.progress("Reading the files", 0, 2)
    recipe = Recipe.from_json(json.dumps({**known["recipe"], **({"name": known["name"]} if known["name"] else {})}))
    spectra = read(store.upload_files(known["uploads"]), recipe, known["targets"])
    reporter.progress("Keeping the set", 1, 2)
    fingerprint = store.save_set(spectra)
    for key in known["uploads"]:
        store.delete_upload(key)
    reporter.progress("Keeping the set", 2, 2)
    return {"set": fingerprint}


TASKS: dict[str, Task] = {
    "import": import_files,
    "simulate": simulate,
    "train": train,
    "map": draw_map,
    "fidelity": judge,
    "bench": bench,
    "study": study,
}


def default_workers() -> int:
    """Return how many threads a study uses unless told: one per processor this process may use, at most 8."""
    if hasattr(os, "sched_getaffinity"):
        return min(_MOST_WORKERS, len(os.sched_getaffinity(0)))
    return min(_MOST_WORKERS, os.cpu_count() or 1)


def _checked(arguments: Mapping[str, Any], task: str, **known: Any) -> dict[str, Any]:
    """Return the arguments with defaults filled in; `...` marks those without one."""
    unknown = sorted(set(arguments) - set(known))
    if unknown:
        raise ConfigError(f"The task {task!r} has no argument {unknown[0]!r}. It has: {', '.join(known)}.")
    missing = [name for name, default in known.items() if default is ... and name not in arguments]
    if missing:
        raise ConfigError(f"The task {task!r} needs the argument {missing[0]!r}.")
    return {**known, **arguments}


def _member(known: Mapping[str, Any]) -> tuple[str, str, Any]:
    """Return registry, name and a fresh member."""
    from spectra_core.choices import Choice, build
    from spectra_core.generators import GENERATORS
    from spectra_core.regressors import REGRESSORS

    if (known["generator"] is None) == (known["regressor"] is None):
        raise ConfigError("The task 'train' needs either a generator or a regressor, by name.")
    if known["generator"] is not None:
        choice = Choice(known["generator"], known["options"])
        return "generator", choice.name, build(GENERATORS, choice, "generator")
    choice = Choice(known["regressor"], known["options"])
    return "regressor", choice.name, build(REGRESSORS, choice, "regressor")


def _held_out(spectra: SpectraSet, share: float, seed: int) -> tuple[SpectraSet, SpectraSet | None, list[int]]:
    """Return training part, held-out part (None for a share of 0) and the rows of the latter."""
    from spectra_core.splits import hold_out

    if share == 0:
        return spectra, None, []
    split = hold_out(spectra.groups, share, seed=seed)
    return spectra.take(split.train), spectra.take(split.test), [int(row) for row in split.test]


def _by_role(spectra: SpectraSet, stored: Any) -> tuple[dict[str, SpectraSet], dict[str, list[int]]]:
    """Divide a set into what the model trained on and what it did not see, with the rows of each."""
    every = range(len(spectra))
    if stored is None or stored.record.trained_on != spectra.fingerprint or not stored.record.held_out_rows:
        return {"training": spectra}, {"training": list(every)}
    unseen = set(stored.record.held_out_rows)
    rows = {"training": [row for row in every if row not in unseen], "held-out": sorted(unseen)}
    return {role: spectra.take(chosen) for role, chosen in rows.items()}, rows


def _sampled(
    sets: Mapping[str, SpectraSet], rows: Mapping[str, list[int]], seed: int, most: int
) -> tuple[dict[str, SpectraSet], dict[str, list[int]]]:
    """Cut every role down to `most` spectra."""
    import numpy as np

    from spectra_core.contracts import random_stream

    fewer, fewer_rows = dict(sets), dict(rows)
    for role, spectra in sets.items():
        if len(spectra) > most:
            chosen = np.sort(random_stream(seed, "map", role).choice(len(spectra), most, replace=False))
            fewer[role] = spectra.take(chosen)
            fewer_rows[role] = [rows[role][row] for row in chosen]
    return fewer, fewer_rows


def memo_of(store: Store, task: str) -> Any:
    """Return the memo of a task; other versions of numpy or torch may give other bits, so they look up nothing."""
    return store.memo(_key_of(task, {}))


def _key_of(task: str, arguments: Mapping[str, Any]) -> str:
    from spectra_core.versions import versions

    return sha256(json_bytes({"task": task, "arguments": arguments, "versions": versions()}))
