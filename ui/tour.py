"""The steps of the tour: of each one picture, one sentence, one thing to do, and the page with all the controls."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from spectra_core.conditions import CONDITIONS
from spectra_core.contracts import Budget, random_stream
from spectra_core.datasets.simulator import PRESETS, SimulationSettings, identifiability
from spectra_core.evaluation.errors import sentences
from spectra_core.evaluation.examples import examples
from spectra_core.evaluation.labels.concentration_strategies import charge_residuals, concentration_points
from spectra_core.evaluation.labels.label_honesty import honesty_summary, label_honesty
from spectra_core.evaluation.similarity import blind_quiz
from spectra_core.evaluation.similarity.judgement import beside_the_band, judgement
from spectra_core.evaluation.similarity.known_bad import KNOWN_BAD
from spectra_core.evaluation.similarity.metrics import METRICS
from spectra_core.evaluation.similarity.neighbours import neighbours
from spectra_core.experiment.presets import has_salts
from spectra_core.figures.fidelity import metric_distances
from spectra_core.figures.forest import forest
from spectra_core.figures.learn import blind_spectra, training_steps
from spectra_core.figures.names import typeset
from spectra_core.figures.physics import labels_and_readings
from spectra_core.figures.simulator import identifiability_bars
from spectra_core.figures.spectra import single_spectra
from spectra_core.figures.strategies import concentration_pairs
from spectra_core.regressors import PLS
from spectra_core.regressors.mlp import MLP
from spectra_core.spectra import SpectraSet
from spectra_core.store import Store, StoredResult
from ui import cache, comparison, state, studies, study_panels, targets
from ui.figures import show_figure
from ui.text import percent, plain, significant

Sets = dict[str, SpectraSet]
_FEW = 200
"""Spectra of each set that a step computes with: nobody waits longer than a second or two."""
_TELLING = ("coverage", "clipped_coverage", "mmd", "authenticity", "copied_share")


@dataclass(frozen=True)
class Step:
    """One step.

    Parameters
    ----------
    title, sentence, task
        What it is about; what to take home; what to do.
    page
        Where all the controls are.
    show
        Draws the picture of the sets in hand, with its control above.
    """

    title: str
    sentence: str
    task: str
    page: str
    show: Callable[[Sets], None]


def sets_in_hand() -> Sets:
    """Return the first few spectra of both sets in hand, by role."""
    found = comparison.compared()
    return {
        role: comparison.part(found.sets[role], range(min(_FEW, len(found.sets[role]))))
        for role in ("training", "generated")
    }


def _real_and_generated(sets: Sets) -> None:
    number = st.slider("Spectra of each", 1, 20, 5, key="tour_number")
    show_figure(cache.drawn(single_spectra, examples(sets, n_spectra=number), **_titles(sets)), key="tour_real")


def _too_good(sets: Sets) -> None:
    sets = {**sets, "generated": cache.shared(_without_noise, sets["training"])}
    if st.toggle("Give the noise back", key="tour_noise"):
        sets["generated"] = cache.shared(comparison.noise_given_to_each, sets["generated"], sets["training"])
    nearest = int(cache.table(neighbours, sets)["nearest_training"].iloc[0])
    table = blind_quiz.blind_pair(sets, blind_quiz.BlindQuestion("duel", nearest, 0, True))
    jitter = table["jitter_generated"].abs().median() / table["jitter_training"].abs().median()
    st.caption(f"Usual jitter of the noise-free spectrum over that of the experimental one: {percent(jitter)}.")
    show_figure(
        cache.drawn(blind_spectra, table, generated_first=True, told=True, **_titles(sets)), key="tour_noise_figure"
    )


def _without_noise(training: SpectraSet) -> SpectraSet:
    """Return experimental spectra whose bands are right, and which carry no noise: what generators tend to."""
    signal = KNOWN_BAD["over_smoothing"].spoil(training, len(training), random_stream(0, "tour"))
    meta = training.with_meta(name="Without noise", origin="generated").meta
    return SpectraSet(training.axis, signal, meta=meta)


def _steps(sets: Sets) -> None:
    regressor = MLP()
    n_rows = len(sets["training"])
    ratio = st.slider("Added rows per training row", 0.5, 4.0, 1.0, 0.5, key="tour_ratio")
    ratios = np.arange(0.0, 4.01, 0.5)
    budget = Budget(epochs=regressor.epochs)
    taken = {one: budget.total_steps(round(n_rows * (1 + one)), regressor.batch_size) for one in ratios}
    rows = [{"ratio": one, "way": "extended", "steps": steps} for one, steps in taken.items()]
    rows += [{"ratio": one, "way": "measured", "steps": taken[0.0]} for one in ratios]
    more = taken[ratio] / taken[0.0]
    st.caption(
        f"{regressor.epochs} epochs of {n_rows} spectra are {taken[0.0]} steps; with {ratio:g} added per training row "
        f"they are {taken[ratio]}, {significant(more)} times as many. The step-matched arm trains as long on "
        "experimental spectra alone: what is left is what the new spectra are worth."
    )
    show_figure(cache.drawn(training_steps, pd.DataFrame(rows)), key="tour_steps_figure")


def _salts(sets: Sets) -> None:
    train = sets["training"]
    ways = ["independent_uniform", *(["salt_box"] if has_salts(train) else []), "resampled"]
    way = st.segmented_control(
        "Concentrations",
        ways,
        default=ways[0],
        required=True,
        format_func=lambda name: CONDITIONS[name].title,
        key="tour_conditions",
    )
    drawn = CONDITIONS[way]().draw(train, _FEW, random_stream(0, "tour", way))
    residuals = charge_residuals(train, drawn)
    made = residuals.loc[residuals["role"] == "generated", "relative"].abs().median()
    st.caption(f"Charge that is left over, median share of all charge: {percent(float(made), 1)}.")
    names = targets.labels(train.target_info)
    show_figure(
        cache.drawn(concentration_pairs, concentration_points(train.targets, drawn), dict([*names.items()][-3:])),
        key="tour_salts",
    )


def _copies(sets: Sets) -> None:
    copies = st.segmented_control(
        "What is judged",
        ["Copies of experimental spectra", "The generated set"],
        default="Copies of experimental spectra",
        required=True,
        key="tour_copies",
    )
    judged = {**sets, "generated": sets["training"]} if copies.startswith("Copies") else sets
    table = beside_the_band(cache.table(judgement, judged, metrics=_TELLING, most=_FEW // 2))
    titles = {name: metric.title for name, metric in METRICS.items()}
    better = {name: metric.better for name, metric in METRICS.items()}
    st.caption("Grey: what experimental spectra reach, judged against others of their kind.")
    show_figure(cache.drawn(metric_distances, table, titles=titles, better=better), key="tour_copies_figure")


def _labels(sets: Sets) -> None:
    if sets["generated"].target_names != sets["training"].target_names:
        st.info("These generated spectra carry no labels.", icon=":material/info:")
        return
    names = targets.labels(sets["training"].target_info)
    target = st.selectbox("Target", list(names), format_func=names.__getitem__, key="tour_target")
    table = cache.table(_read_by_pls, sets)
    summary = honesty_summary(table)
    own = summary[(summary["target"] == target) & (summary["role"] == "generated")]
    ratio = float(own["ratio"].iloc[0])
    st.caption(f"Labels and readings differ {significant(ratio)} times as much as on experimental spectra.")
    figure = cache.drawn(
        labels_and_readings, table, target=target, label=names[target], reading="predicted", reading_label="read by PLS"
    )
    show_figure(figure, key="tour_labels")


def _read_by_pls(sets: Sets) -> pd.DataFrame:
    return label_honesty(sets, PLS())


def _floor(sets: Sets) -> None:
    result = _newest_experiment()
    table = pd.DataFrame() if result is None else result.tables.get("floors", pd.DataFrame())
    if table.empty:
        recipe = sets["training"].meta.provenance.get("simulator")
        settings = PRESETS["msu_like"] if recipe is None else SimulationSettings.from_dict(recipe)
        table = cache.table(identifiability, settings)
    target = st.selectbox("Ion", list(table["target"]), format_func=typeset, key="tour_ion")
    row = table.set_index("target").loc[target]
    seen = "can be seen" if row["identifiable"] else "cannot be seen: what is known of it comes from other ions"
    best = f"the best any method can expect is an error of {significant(row['expected_error'])} {row['unit']}"
    st.caption(f"{typeset(target)} varies by {significant(row['prior_sd'])} {row['unit']}; {best}. It {seen}.")
    show_figure(identifiability_bars(table), key="tour_floor")


def _helped(sets: Sets) -> None:  # noqa: ARG001  # every step is given the sets
    result = _newest_experiment()
    if result is None:
        st.info("There is no experiment on this set yet; the demo runs one.", icon=":material/info:")
        return
    table = cache.table(study_panels.judged, state.store(), result.record.id)
    table = table[table["regressor"] == table["regressor"].iloc[0]]
    arms = list(dict.fromkeys(table["arm"]))
    picked = st.multiselect("Ways of extending the training set", arms, default=arms, key="tour_arms")
    shown = table[table["arm"].isin(picked or arms)]
    for said in sentences.answer(shown.assign(arm=shown["arm"].map(plain)), study_panels.target_labels(result)):
        st.markdown(said)
    kinds = {arm: kind for arm, kind in study_panels.arm_kinds(result).items() if arm in set(shown["arm"])}
    figure = cache.drawn(
        forest,
        shown,
        arm_kinds=kinds,
        target_labels=study_panels.target_labels(result),
        smallest_effect=study_panels.question_of(result).smallest_effect,
        reference=str(shown["reference"].iloc[0]),
    )
    show_figure(figure, key="tour_helped")


def _newest_experiment() -> StoredResult | None:
    spectra = state.experimental()
    records = [] if spectra is None else studies.studies_of(spectra)
    return cache.shared(Store.load_result, state.store(), records[0].id) if records else None


def _titles(sets: Sets) -> dict[str, Any]:
    training = sets["training"]
    return {"axis_label": training.axis.label, "signal_label": training.meta.signal_label}


STEPS = (
    Step(
        "Real and generated",
        "A generator has seen experimental spectra and makes new ones; at first sight they are the same.",
        "Show more of them, and look for one that could not have been measured.",
        "pages/comparison/spectra.py",
        _real_and_generated,
    ),
    Step(
        "Too good to be true",
        "Noise-free spectra look better than experimental ones, and that gives them away: the jitter is missing.",
        "Give the noise back, and compare the jitter again.",
        "pages/comparison/neighbours.py",
        _too_good,
    ),
    Step(
        "Twice the rows is twice the steps",
        "A network that is given more rows also trains longer: part of any gain is patience, not data.",
        "Move the ratio, and read how many steps the longer training takes.",
        "pages/calibration/experiment.py",
        _steps,
    ),
    Step(
        "Ions come as salts",
        "Concentrations drawn one by one make solutions that no bottle holds; those of salts lie in a cone.",
        "Change how concentrations are drawn, and watch the charge that is left over.",
        "pages/generation/sample.py",
        _salts,
    ),
    Step(
        "A metric that loves copies",
        "Copies of experimental spectra pass for real by coverage and by distance: only numbers about copies see them.",
        "Judge the generated set in place of the copies.",
        "pages/comparison/fidelity.py",
        _copies,
    ),
    Step(
        "Asked for is not read",
        "A label says what was meant; a calibration reads what the spectrum holds, and they need not agree.",
        "Look for a target whose cloud leaves the line.",
        "pages/comparison/fidelity.py",
        _labels,
    ),
    Step(
        "What the floor forbids",
        "Noise and look-alike spectra set a floor under every error, which no generator lowers.",
        "Find an ion that a spectrum tells nothing about.",
        "pages/data/identify.py",
        _floor,
    ),
    Step(
        "What helped",
        "Only errors on spectra that nobody trained on decide, fold by fold, with an interval.",
        "Leave one way out, and say for each whether it helped, harmed, or cannot be told.",
        "pages/calibration/errors.py",
        _helped,
    ),
)
