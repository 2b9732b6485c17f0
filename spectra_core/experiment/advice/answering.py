"""From what was tried to the advice: ranked, judged, explained, and what to do about every remedy."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core import __version__
from spectra_core.contracts import Arrays
from spectra_core.evaluation.errors.verdicts import EXPLAINED
from spectra_core.experiment.advice import saying
from spectra_core.experiment.advice.choosing import choice_errors, outer_errors, root_mean_square
from spectra_core.experiment.advice.limits import limits
from spectra_core.experiment.advice.planning import Plan
from spectra_core.experiment.advice.preparing import suspicious_rows
from spectra_core.experiment.advice.solutions import possible_solutions
from spectra_core.experiment.advice.table import advice_table, compared, first_row
from spectra_core.experiment.advice.trying import OUT_OF_TIME, Trials
from spectra_core.experiment.advice.ways import AS_NOW, LONGER, MORE_SPECTRA, PLAIN, Way
from spectra_core.experiment.design import Arm, Experiment
from spectra_core.regressors import REGRESSORS
from spectra_core.regressors.choice import regressor_label, regressor_title
from spectra_core.training.devices import device_title, trained_on
from spectra_core.training.versions import versions

Floats = NDArray[np.float64]

HALF, CHOICE = "Half of the spectra", "The choice"
FEWEST_OF_CURVE = 6
"""Spectra of the smallest training set of a learning curve."""


@dataclass(frozen=True, eq=False)
class Advice:
    """What would help.

    Parameters
    ----------
    table
        See `advice.table.advice_table`. The remedy to take comes first: its promised error is that of the choice
        itself, judged by folds around it; others' are those of their own outer folds.
    tables
        - ``advice``: the table.
        - ``curve``: row per (n_train, target): ``rmsep`` of the way of the learning curve; empty where time was short.
        - ``solutions``: which to prepare (`solutions_to_prepare`); empty where there is no such list.
        - ``suspicious``: row per spectrum whose label does not fit: ``sample``, ``id``.
    sentences
        The answer in words, targets that no spectrum tells first.
    document
        JSON values: what was compared with what, what was left out and why, what to do about every remedy.
    """

    table: pd.DataFrame
    tables: Mapping[str, pd.DataFrame]
    sentences: Sequence[str]
    document: Mapping[str, Any]


def answer(
    done: Sequence[Way],
    trials: Trials,
    planned: Plan,
    seconds: Mapping[str, float],
    not_possible: Mapping[str, str],
) -> Advice:
    """Rank, judge and explain what was done."""
    spectra = trials.spectra
    outer = trials.outer(planned.n_folds, planned.n_repeats)
    errors = {way.name: found for way in done if (found := outer_errors(way, trials, outer)) is not None}
    n_repeats = min(map(len, errors.values()))
    errors = {name: found[:n_repeats] for name, found in errors.items()}
    nested, chosen = choice_errors(done, trials, outer[: planned.n_folds], planned.n_inner)
    sds = spectra.target_values.std(axis=0)
    least = np.minimum(root_mean_square(nested), root_mean_square(errors[AS_NOW]))
    told_mask = least <= np.sqrt(1.0 - EXPLAINED) * sds
    told = [name for name, can in zip(spectra.target_names, told_mask, strict=True) if can]
    counted = told_mask if told_mask.any() else np.ones_like(told_mask)
    rank = {name: float(np.log(root_mean_square(found))[counted].mean()) for name, found in errors.items()}
    order = sorted(errors, key=rank.__getitem__)
    references = {name: AS_NOW for name in order if name != AS_NOW}
    promised = {name: root_mean_square(nested if name == order[0] else errors[name]) for name in order}
    curve_way = _way_of_the_curve(order, done, trials, planned, seconds)
    curve, halves = _learning_curve(curve_way, errors[curve_way.name], trials, planned)
    comparisons = compared(errors, references, spectra, outer, told)
    if halves is not None:  # a question of its own, which takes no chance of a verdict from the others
        doubling = {HALF: halves, MORE_SPECTRA: errors[curve_way.name][:1]}
        grown = compared(doubling, {MORE_SPECTRA: HALF}, spectra, outer, told)
        comparisons = pd.concat([comparisons, grown], ignore_index=True)
        promised[MORE_SPECTRA] = np.full(spectra.n_targets, np.nan)
    # The choice is one way that was fixed beforehand: one question of its own.
    both = {AS_NOW: errors[AS_NOW][:1], CHOICE: nested[None]}
    own = compared(both, {CHOICE: AS_NOW}, spectra, outer, told)
    choice = own[own["target"] == first_row(spectra, told)].iloc[0]
    table = advice_table(comparisons, promised, spectra, told, in_use=AS_NOW, seconds=seconds)
    suspicious = suspicious_rows(spectra)
    solutions, no_solutions = possible_solutions(spectra, seed=trials.seed)
    left_out = {**not_possible, **planned.left_out, **trials.failed}
    if halves is None:
        few = min(len(part.split.train) for part in outer) // 2 < FEWEST_OF_CURVE
        why = f"Half of the training spectra are fewer than {FEWEST_OF_CURVE}." if few else OUT_OF_TIME
        left_out[MORE_SPECTRA] = f"No learning curve. {why}"
    if no_solutions:
        left_out["List of solutions"] = no_solutions
    sentences = [
        *saying.untold(spectra, told),
        *saying.head(table, told, choice),
        *limits(spectra, nested, told, suspicious, trials.seed),
        *saying.more_spectra(table, curve_way.name, curve),
    ]
    document = {
        "data": {
            "name": spectra.meta.name,
            "fingerprint": spectra.fingerprint,
            "n_spectra": len(spectra),
            "units": {target.name: target.unit for target in spectra.target_info},
        },
        "reference": regressor_title(done[0].regressor),
        "minutes": trials.budget / 60.0,
        "seed": trials.seed,
        "n_folds": planned.n_folds,
        "n_inner": planned.n_inner,
        "n_repeats": n_repeats,
        "told": told,
        "choice": {name: choice[name] for name in ("effect", "low", "high", "verdict")},
        "chosen_in_folds": chosen,
        "left_out": left_out,
        "sentences": list(sentences),
        "curve_way": curve_way.name,
        "actions": {way.name: _action(way, done[0], trials, planned.n_folds) for way in done if way.name != AS_NOW},
        "version": __version__,
        "versions": versions(),
        "device": device_title(trained_on("auto")),
    }
    tables = {
        "advice": table,
        "curve": curve,
        "solutions": solutions,
        "suspicious": pd.DataFrame({"sample": suspicious, "id": spectra.samples["id"].to_numpy()[suspicious]}),
    }
    return Advice(table, tables, sentences, document)


def _way_of_the_curve(
    order: Sequence[str], done: Sequence[Way], trials: Trials, planned: Plan, seconds: Mapping[str, float]
) -> Way:
    """Return the best way whose learning curve fits into what is left of the time; kept, as that is of the clock."""
    ways = {way.name: way for way in done}

    def quick_enough(name: str) -> bool:
        needed = seconds[name] * planned.n_folds / trials.n_workers
        return not ways[name].judges_itself and needed < trials.left

    def chosen() -> Arrays:
        quickest = min(order, key=seconds.__getitem__)
        return {"place": np.array(order.index(next(filter(quick_enough, order), quickest)))}

    asked = {"order": list(order), "folds": planned.n_folds, "budget": trials.budget, "workers": trials.n_workers}
    key = trials.outer(planned.n_folds)[0].fold.key("curve of advice", asked)
    return ways[order[int(trials.memo.arrays(key, chosen)["place"])]]


def _learning_curve(way: Way, errors: Floats, trials: Trials, planned: Plan) -> tuple[pd.DataFrame, Floats | None]:
    """Return the errors at a quarter, a half and all of the training spectra, and those of a half (None if not done).

    Returns
    -------
    DataFrame, one row per (n_train, target)
        ``n_train``, ``target``, ``rmsep`` in the target's unit.
    """
    spectra, outer = trials.spectra, trials.outer(planned.n_folds)
    whole = min(len(part.split.train) for part in outer)
    sizes = [size for size in (whole // 4, whole // 2) if size >= FEWEST_OF_CURVE]
    by_size = {}
    for size in reversed(sizes):
        parts = [trials.smaller(part, size) for part in outer]
        trials.try_in(way, parts)
        found = outer_errors(way, trials, parts)
        if found is not None:
            by_size[size] = found
    trials.failed.pop(way.name, None)  # the way itself was done
    half = by_size.get(whole // 2)
    rows = [
        {"n_train": size, "target": target, "rmsep": rmsep}
        for size, found in [*sorted(by_size.items()), (whole, errors)]
        for target, rmsep in zip(spectra.target_names, root_mean_square(found), strict=True)
    ]
    return pd.DataFrame(rows), half


def _action(way: Way, now: Way, trials: Trials, n_folds: int) -> dict[str, Any]:
    """Return what one button does about a remedy, as JSON values."""
    if way.spectra != "as they are":
        return {"do": way.spectra}
    steps = REGRESSORS[way.regressor.name].has_steps
    arms = [PLAIN]
    if way.arm != PLAIN and (steps or way.name == LONGER):
        arms.append(Arm("Step-matched", "step_matched", ratio=way.arm.ratio))
    if way.arm.kind == "generated":
        arms.append(way.arm)
    regressors = [way.regressor]
    if regressor_label(now.regressor) != regressor_label(way.regressor):
        regressors.insert(0, now.regressor)
    experiment = Experiment(
        arms=tuple(arms),
        regressors=tuple(regressors),
        n_folds=n_folds,
        seed=trials.seed,
        reference="step_matched" if len(arms) > 2 else "baseline",
        targets=trials.spectra.target_names,
        data=trials.spectra.fingerprint,
    )
    action = {"do": "experiment", "kind": way.arm.kind, "experiment": json.loads(experiment.to_json())}
    return action | ({"regressor": way.regressor.to_json()} if way.arm == PLAIN else {})
