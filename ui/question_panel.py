"""What an experiment is to answer, said before it is run; and the smallest effect that its design will tell."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from spectra_core.evaluation.errors.question import SMALLEST_EFFECT
from spectra_core.evaluation.errors.verdicts import ALL_TARGETS
from spectra_core.experiment import Experiment, Question
from spectra_core.experiment.power import pilot_of, smallest_effects
from spectra_core.figures.names import typeset
from spectra_core.jobs.tasks import default_workers
from spectra_core.regressors.choice import regressor_from_json, regressor_label, regressor_title
from spectra_core.shares import percents
from spectra_core.spectra import SpectraSet
from spectra_core.store import Store
from ui import cache, job_panel, state, studies, tables, time_said
from ui.text import plain

KEPT: dict[str, Any] = {"persist_state": "session"}


def declare(experiment: Experiment, spectra: SpectraSet) -> Experiment:
    """Let the visitor say what the experiment is to answer; where nothing is compared, return it as it is.

    Raises
    ------
    ConfigError
        When the answers do not make a question.
    """
    references = experiment.references()
    if not references:
        return experiment
    names = [arm.name for arm in experiment.arms]
    usual = list(dict.fromkeys(references.values()))
    titles = {regressor_label(choice): regressor_title(choice) for choice in experiment.regressors}
    with st.container(border=True):
        st.markdown("**What do you want to know?**")
        st.caption(
            "Say it before the run: what is declared here gets a verdict, and the less is declared, the smaller an "
            "effect can be told. Everything else keeps its interval, without a verdict."
        )
        left, right = st.columns([3, 1])
        reference = right.selectbox(
            "Compared with",
            [None, *names],
            format_func=lambda name: name or (usual[0] if len(usual) == 1 else "Step-matched, of the same ratio"),
            key="question_reference",
            persist_state="session",
        )
        others = [name for name in names if name != reference and (reference or name in references)]
        arms = left.multiselect(
            "Does the error change with", others, key="question_arms", placeholder="Every arm", **KEPT
        )
        left, middle, right = st.columns([2, 1, 1])
        targets = left.multiselect(
            "Targets that matter",
            list(experiment.targets or spectra.target_names),
            key="question_targets",
            placeholder="All that the spectra tell something about",
            help="Unless you name some: all of which the reference explains at least a tenth of the variance.",
            **KEPT,
        )
        regressors = middle.multiselect(
            "Calibrated by",
            list(titles),
            key="question_regressors",
            placeholder="Every regressor",
            format_func=lambda label: titles.get(label, label),
            **KEPT,
        )
        smallest = right.number_input(
            "Smallest change that matters, %",
            min_value=0.5,
            max_value=99.0,
            value=SMALLEST_EFFECT,
            step=0.5,
            format="%g",
            key="question_smallest",
            persist_state="session",
            help="Of the reference's error. Arms are called the same where their errors surely differ by less.",
        )
    question = Question(
        reference=reference,
        arms=tuple(arms) or None,
        regressors=tuple(regressors) or None,
        targets=tuple(targets) or None,
        smallest_effect=float(smallest),
    )
    return replace(experiment, question=question)


def show_power(experiment: Experiment, spectra: SpectraSet) -> None:
    """Say the smallest effect that the design tells with 80 %, as far as it is known; else offer a pilot."""
    if not experiment.references():
        return
    choices = {regressor_label(choice): choice for choice in experiment.regressors}
    declared = experiment.question.regressors or tuple(choices)
    sources = _sources(experiment, spectra)
    told = [
        cache.table(told_by, state.store(), sources[label], experiment, label) for label in declared if label in sources
    ]
    table = pd.concat(told, ignore_index=True) if told else pd.DataFrame()
    for label in declared:
        rows = table[table["regressor"] == label] if len(table) else table
        if len(rows):
            st.markdown(_sentence(regressor_title(choices[label]), rows))
    if len(table):
        with st.expander("Smallest fall of the error that this design tells", icon=":material/straighten:"):
            wide = table.assign(
                target=table["target"].replace(ALL_TARGETS, "mean over all"),
                regressor=table["regressor"].map(lambda label: regressor_title(choices[label])),
                words=table["smallest_told"].map(_percent),
            )
            st.dataframe(tables.wide(wide, ["target"], "regressor", "words"))
            st.caption(
                "With a chance of 80 %, if it is there. Reckoned from how errors scattered over folds in the last "
                "pilot or experiment on these spectra; in a pilot they scatter by the seed alone, the least that any "
                "arm will."
            )
    if unknown := [label for label in declared if label not in sources]:
        _offer_pilot(experiment, spectra, [regressor_title(choices[label]) for label in unknown])


def told_by(store: Store, result_id: str, experiment: Experiment, label: str) -> pd.DataFrame:
    """Return the rows of `smallest_effects` about one regressor, from what a kept result shows."""
    result = cache.shared(Store.load_result, store, result_id)
    known = result.tables["spreads"]
    spreads = {str(target): float(sd) for target, sd in zip(known["target"], known["sd"], strict=True)}
    own = Experiment.from_document(result.document["experiment"])
    references = own.references()
    if own.question.reference is not None:
        references = {arm.name: own.question.reference for arm in own.arms if arm.name != own.question.reference}
    n_spectra = int(result.document["data"]["n_spectra"])
    table = smallest_effects(experiment, result.tables["errors"], references, spreads, n_spectra)
    return table[table["regressor"] == label]


def _sources(experiment: Experiment, spectra: SpectraSet) -> dict[str, str]:
    """Return per regressor the newest result that shows how its errors scatter on these spectra."""
    wanted = {regressor_label(choice): choice.to_json() for choice in experiment.regressors}
    found: dict[str, str] = {}
    for result in studies.kept_results("pilot", "study"):
        if set(found) == set(wanted):
            break
        document = result.document
        if document["data"]["fingerprint"] != spectra.fingerprint or len(document["experiment"]["arms"]) < 2:
            continue
        for part in document["experiment"]["regressors"]:
            label = regressor_label(regressor_from_json(part))
            if regressor_from_json(part).to_json() == wanted.get(label):
                found.setdefault(label, result.record.id)
    return found


def _offer_pilot(experiment: Experiment, spectra: SpectraSet, titles: list[str]) -> None:
    pilot = replace(pilot_of(experiment), data=spectra.fingerprint)
    st.caption(
        f"How small an effect this design tells is not known yet for {', '.join(titles)}: it depends on how much "
        "errors scatter on these spectra. A pilot trains the reference twice, with different seeds; the experiment "
        "finds its fits."
    )
    seconds, is_measured = time_said.seconds_of(pilot, spectra, default_workers())
    label = f"Run a pilot ({'about' if is_measured else 'very roughly'} {job_panel.duration(seconds)})"
    if st.button(label, key="run_pilot", icon=":material/science:"):  # the key stays where the label changes
        arguments = {"set": spectra.fingerprint, "experiment": json.loads(experiment.to_json())}
        state.start_job("pilot", arguments, f"Pilot on {spectra.meta.name}")
    job_panel.latest("pilot")


def _sentence(title: str, rows: pd.DataFrame) -> str:
    """Say the smallest effects of one regressor."""
    told = rows.set_index("target")["smallest_told"]
    if told.isna().all():
        return f"**{title}**: not known yet how much its errors scatter."
    single = told.drop(ALL_TARGETS, errors="ignore").dropna()
    best, worst = str(single.idxmin()), str(single.idxmax())
    of_single = f"{_percent(single[best])} ({plain(typeset(best))})"
    if best != worst:
        of_single = f"{of_single} to {_percent(single[worst])} ({plain(typeset(worst))})"
    if ALL_TARGETS not in told:
        return f"**{title}**: this design tells a fall of the error from {of_single} on."
    return (
        f"**{title}**: this design tells a fall of the mean error from {_percent(told[ALL_TARGETS])} on; of a single "
        f"target from {of_single}."
    )


def _percent(fall: float) -> str:
    if np.isnan(fall):
        return "not known"
    return percents(fall)
