"""What a finished experiment says besides its verdicts: worth, reasons, what was added, other experiments."""

import json
from ast import literal_eval
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from spectra_core.evaluation.errors import sentences
from spectra_core.evaluation.errors.regression_errors import error_summary, errors_by_value, with_training_size
from spectra_core.evaluation.errors.verdicts import ALL_TARGETS
from spectra_core.evaluation.latent.learning import FAR
from spectra_core.experiment import Experiment, Question
from spectra_core.experiment.comparing import compare_experiments, design_differences, side_by_side
from spectra_core.experiment.design import MAX_FOLDS
from spectra_core.experiment.own_way import is_same_way
from spectra_core.experiment.sweeps import doses
from spectra_core.experiment.tables import comparisons_of
from spectra_core.figures import gains
from spectra_core.figures.forest import forest
from spectra_core.figures.names import ion_labels
from spectra_core.generators import GENERATORS
from spectra_core.jobs.tasks import default_workers
from spectra_core.regressors.choice import regressor_from_json, regressor_label, regressor_title
from spectra_core.store import Store, StoredResult
from ui import cache, job_panel, own_way, state, studies, tables, time_said
from ui.exports import figure_with_exports, table_export
from ui.text import counted, plain, significant

_KINDS = {"optimiser steps": "step_matched", "repeated rows": "duplicate_rows", "true spectra at the labels": "oracle"}
"""Colours of changes on the reason card that do without generated spectra."""


_IN_SHORT = 4
"""Arms that one sentence names."""
_WITHOUT_NEW_SPECTRA = ("baseline", "step_matched", "duplicate_rows", "ensemble")
"""Kinds of arms that do not answer whether generated spectra help; they are named after those that do."""


def regressor_titles(result: StoredResult) -> dict[str, str]:
    """Return what a person is shown for every regressor of the experiment's tables."""
    choices = [regressor_from_json(part) for part in result.document["experiment"]["regressors"]]
    return {regressor_label(choice): regressor_title(choice) for choice in choices}


def arm_kinds(result: StoredResult) -> dict[str, str]:
    """Return the kind of every arm, in the experiment's order; as the generated set in hand was made, first."""
    way, arms = own_way.in_hand(), result.document["experiment"]["arms"]
    ordered = sorted(arms, key=lambda arm: way is None or not is_same_way(way, arm))
    return {arm["name"]: arm.get("kind", "generated") for arm in ordered}


def question_of(result: StoredResult) -> Question:
    """Return what the experiment declared."""
    return Experiment.from_document(result.document["experiment"]).question


def target_labels(result: StoredResult) -> dict[str, str]:
    """Return what every target of the experiment is called."""
    return ion_labels(result.document["data"]["units"])


def table_of(result: StoredResult, name: str, regressor: str | None = None) -> pd.DataFrame:
    """Return a table, of one regressor where wanted; empty where an older experiment has none."""
    table = result.tables.get(name, pd.DataFrame())
    return table if regressor is None or table.empty else table[table["regressor"] == regressor]


def judged(store: Store, result_id: str) -> pd.DataFrame:
    """Judge the errors of a result anew, so that those of earlier versions are judged alike."""
    result = cache.shared(Store.load_result, store, result_id)
    table = result.tables["spreads"]
    spreads = {str(target): float(sd) for target, sd in zip(table["target"], table["sd"], strict=True)}
    return comparisons_of(Experiment.from_document(result.document["experiment"]), result.tables["errors"], spreads)


def by_size(store: Store, result_id: str, name: str) -> pd.DataFrame:
    """Return `with_training_size` of a table of a result."""
    return with_training_size(cache.shared(Store.load_result, store, result_id).tables[name])


def answer(result: StoredResult, shown: pd.DataFrame, kinds: Mapping[str, str]) -> None:
    """Show what the declared comparisons of one regressor say, in words and as a forest, and what would tell more.

    Parameters
    ----------
    shown
        From `compare_arms`, of one regressor and one training size.
    """
    named = shown.assign(arm=shown["arm"].map(plain))
    for said in sentences.answer(named, {name: plain(label) for name, label in target_labels(result).items()}):
        st.markdown(said)
    if not shown["declared"].any():
        st.caption("Looked at afterwards: these comparisons were not declared, so they have intervals and no verdict.")
    _offer_repeats(result, shown)
    references = list(shown["reference"].unique())
    figure = cache.drawn(
        forest,
        shown.sort_values("declared", ascending=False, kind="stable"),
        arm_kinds={arm: kind for arm, kind in kinds.items() if arm in set(shown["arm"])},
        target_labels=target_labels(result),
        smallest_effect=question_of(result).smallest_effect,
        reference=references[0] if len(references) == 1 else "the step-matched arm of the same ratio",
    )
    figure_with_exports(figure, "comparisons", shown)


def in_short(result: StoredResult) -> str:
    """Say what an experiment's declared comparisons came to, in one sentence; nothing where none was declared.

    It begins with the way that the generated set in hand was made, and with others that add spectra.
    """
    table = cache.table(judged, state.store(), result.record.id)
    if table.empty or not table["declared"].any():
        return ""
    table = table[table["declared"] & (table["n_train"] == table["n_train"].max())]
    table = table[table["regressor"] == table["regressor"].iloc[0]]
    kinds = arm_kinds(result)  # the way of the set in hand first
    order = sorted(kinds, key=lambda arm: kinds[arm] in _WITHOUT_NEW_SPECTRA)
    table = table[table["target"] == ALL_TARGETS].sort_values(
        "arm", key=lambda arm: arm.map(order.index), kind="stable"
    )
    said = [f"{plain(row.arm)} {sentences.signed(row.effect)} ({row.verdict})" for row in table.itertuples()]
    if not said:
        return ""
    by = plain(regressor_titles(result).get(table["regressor"].iloc[0], table["regressor"].iloc[0]))
    more = f" and {len(said) - _IN_SHORT} more" if len(said) > _IN_SHORT else ""
    return f"**Change of the mean error, by {by}:** {'; '.join(said[:_IN_SHORT])}{more}."


def _offer_repeats(result: StoredResult, shown: pd.DataFrame) -> None:
    """Offer the repeats that would tell what cannot be told yet; what was fitted is not fitted again."""
    needed = shown.loc[shown["verdict"] == "cannot tell", "repeats_needed"].replace(np.inf, np.nan).dropna()
    experiment = Experiment.from_document(result.document["experiment"])
    data = result.document["data"]["fingerprint"]
    held = {record.fingerprint for record in state.store().sets()}
    if needed.empty or data not in held or experiment.fresh_sets or "repeats_done" in result.document:
        return
    wanted = max(int(needed.min()), experiment.n_repeats + 1)
    more = replace(experiment, n_repeats=min(wanted, MAX_FOLDS))
    spectra = cache.shared(Store.load_set, state.store(), data)
    share = 1.0 - experiment.n_repeats / more.n_repeats
    seconds, is_measured = time_said.seconds_of(more, spectra, default_workers())
    about = f"{'about' if is_measured else 'very roughly'} {job_panel.duration(share * seconds)} here"
    label = f"Go on to {more.n_repeats} repeats ({about})"
    if st.button(label, key="go_on", icon=":material/play_arrow:", help="Finished fits are looked up, not repeated."):
        arguments = {"set": data, "experiment": json.loads(more.to_json())}
        state.start_job(
            "study", arguments, f"Experiment on {result.document['data']['name']}, {more.n_repeats} repeats"
        )


def say_blown_up(errors: pd.DataFrame) -> None:
    """Name the arms in which a run blew up, where any did; `errors` have the column ``blown_up``."""
    runs = errors[errors["blown_up"]]
    if runs.empty:
        return
    counts = runs.drop_duplicates(["arm", "regressor", "repeat", "fold"]).groupby("arm", sort=False).size()
    named = ", ".join(f"{plain(str(arm))} ({counted(int(n), 'fold')})" for arm, n in counts.items())
    st.warning(
        f"Runs that blew up, with an error above twice the spread of a target: {named}. "
        "They move means; where they are, a cross marks the median.",
        icon=":material/crisis_alert:",
    )


def worth(result: StoredResult, regressor: str, units: Mapping[str, str]) -> None:
    """Show learning curves, dose-response, and gains in spectra and in shares of the oracle's."""
    kinds = arm_kinds(result)
    _learning_curves(result, regressor, units, kinds)
    _dose_response(result, regressor)
    efficiencies = table_of(result, "efficiencies", regressor)
    st.subheader("As a share of what new spectra would bring")
    if efficiencies.empty:
        st.caption("Known where the experiment has an oracle arm of the same ratio: simulated data only.")
        return
    st.write("1 is as good as as many new spectra from the true simulator, 0 no better than the reference.")
    shown = efficiencies.assign(efficiency=[significant(value) for value in efficiencies["efficiency"]])
    st.dataframe(tables.wide(shown, ["arm", "n_train"], "target", "efficiency"))
    st.caption('"Not defined": new spectra did not lower that error beyond its spread either.')
    table_export(efficiencies, "efficiencies")


def reason_card(result: StoredResult, regressor: str) -> None:
    """Show what each single change beside an observed arm does, with its spread."""
    table = table_of(result, "reasons", regressor)
    if table.empty:
        st.info(
            "No counterfactual arms in this experiment. Add reasons for an arm where an experiment is designed.",
            icon=":material/info:",
        )
        return
    observed = st.selectbox("Observed arm", list(table["observed_arm"].unique()), key="reasons_arm")
    table = table[table["observed_arm"] == observed]
    sizes = sorted(table["n_train"].unique())
    if len(sizes) > 1:
        size = st.selectbox("Training spectra of the card", sizes, index=len(sizes) - 1, key="reasons_size")
        table = table[table["n_train"] == size]
    st.warning(
        "Each row changes one thing and leaves the rest as observed. The effects do not add up: one change may hide, "
        "or need, another.",
        icon=":material/functions:",
    )
    rows = table.assign(arm=table["change"], verdict="looked at afterwards", flagged=0)
    figure = cache.drawn(
        forest,
        rows,
        arm_kinds={change: _KINDS.get(change, "generated") for change in rows["arm"].unique()},
        target_labels=target_labels(result),
        smallest_effect=question_of(result).smallest_effect,
        reference="what each row names",
    )
    figure_with_exports(figure, "reasons", table)
    questions = table.drop_duplicates("change")[["change", "question", "arm", "reference"]]
    st.dataframe(questions, hide_index=True, placeholder=tables.NONE, column_config=tables.columns(questions))


def added(result: StoredResult) -> None:
    """Show whether labels fit what was added, its noise, and what the generators learned."""
    table = table_of(result, "added")
    if table.empty:
        st.caption("No arm of this experiment adds spectra.")
    else:
        st.write(
            "**Label honesty**: error of the labels, as read from the added spectra by PLS, over the error on held-out "
            "experimental spectra. About 1 is honest; far above, spectra do not hold what their labels say."
        )
        honesty = tables.wide(table, ["arm"], "target", "honesty", how="median")
        st.dataframe(honesty, column_config=tables.columns(honesty))
        noise = table.groupby("arm", sort=False)["noise_ratio"].median().reset_index()
        st.write("**Noise** of added spectra over that of the training spectra: below 1 they are smoother.")
        st.dataframe(noise, hide_index=True, placeholder=tables.NONE, column_config=tables.columns(noise))
        table_export(table, "added_spectra")
    generators = table_of(result, "generators")
    if "kl" in generators:
        st.write(
            "**Generators**: reconstruction error beside the noise of the training spectra, and how well "
            "concentrations are read from z (R² 1: z tells them all, so z from the prior contradicts those asked for)."
        )
        _say_ended_far(generators)
        marks = ("generator", "options", "repeat", "fold", "n_train", "ended_far")
        numbers = [name for name in generators if name not in marks]
        means = generators.groupby(["generator", "options", "n_train"], sort=False)[numbers].mean().reset_index()
        means["options"] = [
            tables.options_in_words(GENERATORS.get(name), literal_eval(options))
            for name, options in zip(means["generator"], means["options"], strict=True)
        ]
        means["generator"] = [GENERATORS[name].title if name in GENERATORS else name for name in means["generator"]]
        st.dataframe(means, hide_index=True, placeholder=tables.NONE, column_config=tables.columns(means))
        table_export(generators, "generators")


def _say_ended_far(generators: pd.DataFrame) -> None:
    far = generators[generators["ended_far"].astype(bool)] if "ended_far" in generators else generators[:0]
    if len(far):
        named = "; ".join(
            f"{GENERATORS[row['generator']].title if row['generator'] in GENERATORS else plain(row['generator'])}, "
            f"repetition {row['repeat'] + 1}, fold {row['fold'] + 1}"
            for row in far.to_dict("records")
        )
        st.warning(
            f"Trainings that ended far from those of other folds, at more than {FAR:g} times their median "
            f"reconstruction error: {named}. What such a generator adds says little of the way.",
            icon=":material/crisis_alert:",
        )


def by_density(result: StoredResult, rows: pd.DataFrame, arms: Sequence[str], target: str, unit: str) -> None:
    """Show errors of one target by deciles of the density of training spectra around the held-out ones."""
    densities = table_of(result, "densities")
    if densities.empty:
        return
    binned = cache.table(_by_density, rows[rows["arm"].isin(list(arms))], densities)
    if binned.empty:
        return
    kinds = {arm: kind for arm, kind in arm_kinds(result).items() if arm in arms}
    figure = cache.drawn(gains.error_by_density, binned, arm_kinds=kinds, target=target, unit=unit)
    figure_with_exports(figure, "errors_by_density", binned)


def _by_density(rows: pd.DataFrame, densities: pd.DataFrame) -> pd.DataFrame:
    joined = rows.merge(densities, on=["repeat", "fold", "sample", "n_train"], how="inner").reset_index(drop=True)
    return joined if joined.empty else errors_by_value(joined, joined["log_density"], 10)


def other_experiments(result: StoredResult) -> None:
    """Set the experiment beside others on the same data."""
    others = {}
    for loaded in reversed(list(studies.kept_results("study"))):
        same_data = loaded.document["data"]["fingerprint"] == result.document["data"]["fingerprint"]
        if same_data and loaded.record.id != result.record.id:
            others[loaded.record.id] = loaded
    if not others:
        st.caption("There is no other experiment on this data yet.")
        return
    picked = st.selectbox(
        "Compare with",
        list(others),
        format_func=lambda key: f"{others[key].record.name} · {others[key].record.created[:16].replace('T', ' ')} UTC",
        key="other_study",
    )
    other = others[picked]
    st.write("**What differs in the design**")
    differences = design_differences(result.document["experiment"], other.document["experiment"])
    said = pd.DataFrame(
        {
            "What": [name if " " in name else tables.heading(name) for name in differences["field"]],
            "This experiment": differences["one"].map(tables.json_in_words),
            "The other": differences["other"].map(tables.json_in_words),
        }
    )
    st.dataframe(said, hide_index=True)
    both = {
        "this": (result.document, result.tables["errors"]),
        "other": (other.document, other.tables["errors"]),
    }
    paired = compare_experiments(both, question_of(result))
    if paired.empty:
        st.caption("Their folds differ, or no arm has the same name, so errors cannot be compared fold by fold.")
    else:
        st.write("**Arms of the same name, fold by fold**: how much higher (+) the other experiment's error is.")
        for regressor, rows in paired.groupby("regressor", sort=False):
            st.caption(plain(regressor_titles(result).get(str(regressor), str(regressor))))
            largest = rows[rows["n_train"] == rows["n_train"].max()]
            words = [
                f"{sentences.signed(row.effect)} ({sentences.signed(row.low)} to {sentences.signed(row.high)})"
                for row in largest.itertuples()
            ]
            st.dataframe(tables.wide(largest.assign(words=words), ["arm"], "target", "words"))
    table_export(side_by_side(both), "experiments_side_by_side", "Download the errors of both")


def _learning_curves(result: StoredResult, regressor: str, units: Mapping[str, str], kinds: Mapping[str, str]) -> None:
    st.subheader("In numbers of experimental spectra")
    errors = table_of(result, "errors", regressor)
    equivalents = table_of(result, "equivalents", regressor)
    summary = cache.table(error_summary, errors)
    if summary["n_train"].nunique() < 2:
        st.caption(
            "Known for experiments with several training sizes: how many more experimental spectra bring the same."
        )
        return
    offered = list(kinds)
    arms = st.multiselect("Arms of the learning curves", offered, default=offered[:4], key="curve_arms")
    chosen = {arm: kind for arm, kind in kinds.items() if arm in arms}
    if chosen:
        figure = cache.drawn(
            gains.learning_curves, summary[summary["arm"].isin(list(chosen))], arm_kinds=chosen, units=units
        )
        figure_with_exports(figure, "learning_curves", summary)
    if not equivalents.empty:
        bounds = {"at least": "≥ ", "at most": "≤ ", "reached": ""}
        found = zip(equivalents["bound"], equivalents["gain"], strict=True)
        words = [f"{bounds[bound]}{_signed(gain)}" for bound, gain in found]
        st.write("**Equivalent-sample gain**: how many more experimental spectra would have brought the same error.")
        st.dataframe(tables.wide(equivalents.assign(words=words), ["arm", "n_train"], "target", "words"))
        table_export(equivalents, "equivalent_samples")


def _dose_response(result: StoredResult, regressor: str) -> None:
    comparisons = cache.table(judged, state.store(), result.record.id)
    comparisons = comparisons[comparisons["regressor"] == regressor] if len(comparisons) else comparisons
    table = doses(result.document["experiment"]["arms"])
    st.subheader("By the ratio of added spectra")
    several = table.groupby("family")["ratio"].nunique()
    swept = set(several[several > 1].index) - set(table.loc[table["kind"] == "step_matched", "family"])
    offered = [family for family in dict.fromkeys(table["family"]) if family in swept]
    if not offered or comparisons.empty:
        st.caption("Known for experiments with several ratios of added to training rows.")
        return
    families = st.multiselect("Arms by ratio", offered, default=offered[:4], key="dose_arms")
    rows = comparisons.drop(columns="ratio").merge(table[table["family"].isin(families)], on="arm")
    rows = rows[rows["n_train"] == rows["n_train"].max()]
    if rows.empty:
        return
    kinds = dict(zip(rows["family"], rows["kind"], strict=True))
    figure = cache.drawn(gains.dose_response, rows, kinds=kinds, smallest_effect=question_of(result).smallest_effect)
    figure_with_exports(figure, "dose_response", rows)


def _signed(number: float) -> str:
    """Say a number of spectra with its sign, nothing without one.

    >>> _signed(12.3), _signed(-0.2), _signed(-7.0)
    ('+12', '0', '−7')
    """
    rounded = round(number)
    return f"{rounded:+d}".replace("-", "\u2212") if rounded else "0"
