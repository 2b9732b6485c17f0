"""What a job can be told to do: JSON in, fingerprints out.

Every task is a function of (arguments, reporter, store). The same arguments give the same result to the last bit,
also after an interruption: finished parts are looked up, unfinished training goes on from its checkpoint.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from spectra_core.choices import checked_arguments
from spectra_core.contracts import Checkpoint, Reporter
from spectra_core.errors import ConfigError, StoreError
from spectra_core.jobs import judging
from spectra_core.spectra import SpectraSet
from spectra_core.store import Store
from spectra_core.store.files import json_bytes, sha256
from spectra_core.training.numerical_threads import n_processors

if TYPE_CHECKING:  # loads torch
    from spectra_core.experiment.advice import Advice

Task = Callable[[dict[str, Any], Reporter, Store], dict[str, Any]]

_MOST_WORKERS = 8


def simulate(arguments: dict[str, Any], reporter: Reporter, store: Store) -> dict[str, Any]:
    """Simulate a set: ``{"preset": name, "n_spectra": n, "seed": s, "settings": {field: value}, "name": text}``.

    Returns
    -------
    ``{"set": fingerprint}``
    """
    from spectra_core.datasets.simulator import PRESETS, SimulationSettings
    from spectra_core.datasets.simulator import simulate as simulated

    known = checked_arguments(arguments, "simulate", preset="msu_like", n_spectra=None, seed=0, settings={}, name="")
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
    key = store.save_set(spectra.with_meta(name=known["name"]) if known["name"] else spectra)
    named = next(one.name for one in store.sets() if one.fingerprint == key)
    if known["name"] not in ("", named):
        reporter.message(f"These spectra were kept already, as {named!r}, and stay under that name.")
    return {"set": key}


def train(arguments: dict[str, Any], reporter: Reporter, store: Store) -> dict[str, Any]:
    """Train a model.

    ``{"set": fingerprint, "generator": name, "options": {}, "seed": 0, "held_out_share": 0.1, "targets": None}``;
    ``"regressor": name`` in place of "generator" trains a calibration. The held-out rows, whole groups at a time, serve
    curves and comparisons only; the kept model lists them.

    Returns
    -------
    ``{"model": id}``
    """
    known = checked_arguments(
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


def calibrate(arguments: dict[str, Any], reporter: Reporter, store: Store) -> dict[str, Any]:
    """Fit a calibration on all spectra of a set.

    ``{"set": fingerprint, "regressors": {target: {"name": ..., "options": {}, "preprocessing": []}}, "generated": None,
    "n_folds": 10, "seed": 0}``; targets without a regressor are left out, and ``generated`` is a kept set that trains
    too.

    Returns
    -------
    ``{"calibration": id}``
    """
    from spectra_core.calibration import calibrate as calibrated
    from spectra_core.regressors.choice import regressor_from_json

    known = checked_arguments(arguments, "calibrate", set=..., regressors=..., generated=None, n_folds=10, seed=0)
    if not isinstance(known["regressors"], Mapping):
        raise ConfigError("The task 'calibrate' needs its regressors by the names of targets.")
    spectra = store.load_set(known["set"])
    chosen = {name: regressor_from_json(one) for name, one in known["regressors"].items()}
    # In the order of the set: JSON keeps none. Names it has not are told by `with_targets`.
    targets = [name for name in spectra.target_names if name in chosen] + sorted(
        set(chosen) - set(spectra.target_names)
    )
    made = calibrated(
        spectra,
        regressor=chosen,
        targets=targets,
        generated=None if known["generated"] is None else store.load_set(known["generated"]),
        n_folds=known["n_folds"],
        seed=known["seed"],
        reporter=reporter,
    )
    return {"calibration": store.save_calibration(made)}


def study(arguments: dict[str, Any], reporter: Reporter, store: Store) -> dict[str, Any]:
    """Run an experiment: ``{"set": fingerprint, "experiment": {...}, "workers": None, "name": text}``.

    After the quickest regressor and each repeat but the last, what there is replaces what was before. With
    ``"scheduler": address``, or where the environment names one, the workers of that cluster do the work.

    Returns
    -------
    ``{"result": id}`` of a result of kind "study" with the tables and the document of the experiment.
    """
    from spectra_core.cluster import workforce
    from spectra_core.experiment import Experiment, ExperimentResult, run

    known = checked_arguments(arguments, "study", set=..., experiment=..., workers=None, scheduler=None, name="")
    experiment = Experiment.from_document(known["experiment"])
    spectra = store.load_set(known["set"])
    name = known["name"] or f"Study of {spectra.meta.name}"
    keys = [_key_of("study so far", {**known, "repeats_done": done}) for done in range(experiment.n_repeats)]

    def keep(found: ExperimentResult, done: int) -> None:
        store.save_result("study", found.document, found.tables, name=name, key=keys[done])
        store.forget_results([key for key in keys if key != keys[done]])

    found = run(
        experiment,
        spectra,
        reporter=reporter,
        memo=memo_of(store, "study"),
        n_workers=known["workers"] or default_workers(),
        workforce=workforce(known["scheduler"]),
        after_repeat=keep,
    )
    result = store.save_result("study", found.document, found.tables, name=name)
    store.forget_results(keys)
    store.trim_memo()
    return {"result": result}


def pilot(arguments: dict[str, Any], reporter: Reporter, store: Store) -> dict[str, Any]:
    """Train the reference of an experiment twice, to learn how errors scatter; arguments as of `study`.

    Returns
    -------
    ``{"result": id}`` of a result of kind "pilot"; the experiment finds these fits when it is run.
    """
    from spectra_core.experiment import Experiment, run
    from spectra_core.experiment.power import pilot_of

    known = checked_arguments(arguments, "pilot", set=..., experiment=..., workers=None)
    spectra = store.load_set(known["set"])
    found = run(
        pilot_of(Experiment.from_document(known["experiment"])),
        spectra,
        reporter=reporter,
        memo=memo_of(store, "study"),
        n_workers=known["workers"] or default_workers(),
    )
    return {"result": store.save_result("pilot", found.document, found.tables, name=f"Pilot on {spectra.meta.name}")}


def advise(arguments: dict[str, Any], reporter: Reporter, store: Store) -> dict[str, Any]:
    """Try what would help: ``{"set": fingerprint, "minutes": 3.0, "reference": None, "seed": 0, "workers": None}``.

    The reference is a regressor as in an experiment, None for the study's network; ``"physics"``, a choice as of the
    generator, where it is another than the salt simulator.

    Returns
    -------
    ``{"result": id}`` of a result of kind "advice" with the tables and the document of `experiment.advice.Advice`.
    """
    from spectra_core.choices import Choice
    from spectra_core.experiment.advice import advise as advised
    from spectra_core.regressors.choice import regressor_from_json

    usual = {"minutes": 3.0, "reference": None, "physics": None, "seed": 0, "workers": None}
    known = checked_arguments(arguments, "advise", set=..., **usual)
    spectra = store.load_set(known["set"])
    found = advised(
        spectra,
        minutes=known["minutes"],
        reference=known["reference"] and regressor_from_json(known["reference"]),
        physics=known["physics"] and Choice.from_json(known["physics"]),
        seed=known["seed"],
        reporter=reporter,
        memo=memo_of(store, "study"),
        n_workers=known["workers"] or default_workers(),
    )
    result = keep_advice(found, known, store, spectra.meta.name)
    store.trim_memo()
    return {"result": result}


def keep_advice(found: "Advice", arguments: Mapping[str, Any], store: Store, name: str) -> str:
    """Keep advice on the set of that name as a result, with the arguments of `advise` that led to it; return its id."""
    tables = {name: table for name, table in found.tables.items() if len(table.columns)}
    document = {**found.document, "set": arguments["set"], "arguments": dict(arguments)}
    return store.save_result("advice", document, tables, name=f"Advice on {name}")


def import_files(arguments: dict[str, Any], reporter: Reporter, store: Store) -> dict[str, Any]:
    """Import uploaded files: ``{"uploads": [key, ...], "recipe": {...}, "targets": None, "name": text}``.

    The uploads (keys from `Store.save_upload`) are forgotten once the set is kept; which one that is stays known, for
    an attempt that was ended in between.

    Returns
    -------
    ``{"set": fingerprint}``
    """
    import json

    from spectra_core.datasets import Recipe, read

    known = checked_arguments(arguments, "import", uploads=..., recipe={}, targets=None, name="")
    reporter.progress("Reading the files", 0, 2)
    recipe = Recipe.from_json(json.dumps({**known["recipe"], **({"name": known["name"]} if known["name"] else {})}))
    done = store.checkpoint(f"import {sha256(json_bytes(known))}")
    try:
        files = store.upload_files(known["uploads"])
    except StoreError:
        # An attempt before this one may have ended between forgetting them and its last words.
        fingerprint = _kept_before(done, store)
        if fingerprint is None:
            raise
    else:
        spectra = read(files, recipe, known["targets"])
        reporter.progress("Keeping the set", 1, 2)
        fingerprint = store.save_set(spectra)
        done.save({"set": np.frombuffer(bytes.fromhex(fingerprint), dtype=np.uint8)})
    for key in known["uploads"]:
        with suppress(StoreError):
            store.delete_upload(key)
    reporter.progress("Keeping the set", 2, 2)
    return {"set": fingerprint}


def _kept_before(done: Checkpoint, store: Store) -> str | None:
    """Return the set that an earlier attempt at an import kept, where it is still there."""
    kept = done.load()
    fingerprint = None if kept is None else kept["set"].tobytes().hex()
    return fingerprint if fingerprint in {record.fingerprint for record in store.sets()} else None


TASKS: dict[str, Task] = {
    "import": import_files,
    "simulate": simulate,
    "train": train,
    "calibrate": calibrate,
    "map": judging.draw_map,
    "neighbours": judging.find_neighbours,
    "fidelity": judging.judge,
    "bench": judging.bench,
    "study": study,
    "pilot": pilot,
    "advise": advise,
}


def default_workers() -> int:
    """Return how many threads a study uses unless told: one per processor this process may use, at most 8."""
    return min(_MOST_WORKERS, n_processors())


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


def memo_of(store: Store, task: str) -> Any:
    """Return the memo of a task; other versions of numpy or torch may give other bits, so they look up nothing."""
    return store.memo(_key_of(task, {}))


def _key_of(task: str, arguments: Mapping[str, Any]) -> str:
    from spectra_core.training.versions import versions

    return sha256(json_bytes({"task": task, "arguments": arguments, "versions": versions()}))
