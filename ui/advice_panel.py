"""What a calibration is compared with, what helped, and one button that does it."""

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from spectra_core.choices import Choice
from spectra_core.evaluation.errors.sentences import signed
from spectra_core.evaluation.errors.verdicts import ALL_TARGETS
from spectra_core.experiment.advice.preparing import averaged, suspicious_rows
from spectra_core.experiment.advice.saying import summary
from spectra_core.experiment.advice.ways import AS_NOW, MORE_SPECTRA
from spectra_core.experiment.presets import has_salts
from spectra_core.figures.names import typeset
from spectra_core.regressors.choice import regressor_from_json, regressor_title
from spectra_core.report.advised import curve_figure, judged_remedies, remedies_figure, salt_label
from spectra_core.spectra import SpectraSet
from spectra_core.spectra.spectra_set import without
from spectra_core.store import Store, StoredResult
from ui import cache, job_panel, set_shelf, state, studies, tables
from ui.exports import figure_with_exports, report_export, table_export
from ui.text import amount, counted, plain, sentence, significant

THE_STUDY = "The study's network"
_DOES: dict[str, tuple[str, str]] = {
    "experiment": ("Open as an experiment", ":material/labs:"),
    "suspicious labels set aside": ("Set them aside", ":material/playlist_remove:"),
    "replicates averaged": ("Average them", ":material/merge:"),
}
"""What the button of a remedy is called, by what it does."""


def pick_reference(spectra: SpectraSet) -> dict[str, Any] | None:
    """Let the visitor say which regressor is in use: that of the last experiment on these spectra, or the study's."""
    offered: dict[str, dict[str, Any] | None] = {}
    for record in studies.studies_of(spectra)[:1]:
        document = cache.shared(Store.load_result, state.store(), record.id).document
        for part in document["experiment"]["regressors"]:
            offered[f"{regressor_title(regressor_from_json(part))}, as in your last experiment"] = part
    offered[THE_STUDY] = None
    picked = st.selectbox(
        "What you use now",
        list(offered),
        key="advice_reference",
        help="Remedies are compared with it.",
    )
    return offered[picked]


def newest(spectra: SpectraSet) -> StoredResult | None:
    """Return the newest advice on these spectra, or None."""
    for found in studies.kept_results("advice"):
        if found.document.get("set") == spectra.fingerprint:
            return found
    return None


def advised(spectra: SpectraSet) -> tuple[str, Choice] | None:
    """Return the newest advice's id and the regressor it put before all others and before what is in use, or None."""
    found = newest(spectra)
    if found is None:
        return None
    for remedy in summary(found.tables["advice"])["remedy"]:
        if remedy == AS_NOW:
            return None
        action = found.document["actions"].get(remedy, {})
        if "regressor" in action:
            return found.record.id, regressor_from_json(action["regressor"])
    return None


def show(result: StoredResult, spectra: SpectraSet) -> None:
    """Show the advice: in words, remedy by remedy with its button, target by target, and what was left out."""
    document, table = result.document, result.tables["advice"]
    st.subheader("What helps")
    for said in document["sentences"]:
        st.markdown(sentence(typeset(said)))
    st.caption(
        f"Compared with: {plain(document['reference'])}. {counted(document['n_folds'], 'fold')}, "
        f"{counted(document['n_repeats'], 'repetition')}; "
        f"{document['n_inner']} folds within each for the choice; {amount(document['minutes'], 'minute')}."
    )
    report_export(result)
    for row in summary(table).to_dict("records"):
        if row["remedy"] != AS_NOW:
            _remedy(row, result, spectra)
    job_panel.latest("calibrate")
    if any(one.data == spectra.fingerprint for one in state.store().calibrations()):
        st.page_link("pages/use/calibrate.py", label="See the calibration", icon=":material/arrow_forward:")
    if len(judged_remedies(table)):
        figure_with_exports(cache.drawn(remedies_figure, table, document), "remedies")
    units = {**document["data"]["units"], ALL_TARGETS: "of the standard deviation"}
    shown = tables.worded(table.assign(unit=table["target"].map(units)))
    headings = {name: f"{name.capitalize()}, %" for name in ("effect", "low", "high")}
    st.dataframe(
        shown,
        hide_index=True,
        placeholder=tables.NONE,
        column_config=tables.columns(shown, **headings, unit="Unit of the promised error"),
    )
    table_export(table, "advice")
    if document["left_out"]:
        with st.expander("Left out", icon=":material/block:"):
            for name, why in document["left_out"].items():
                st.markdown(f"**{plain(name)}**: {sentence(typeset(why))}")
    _more_spectra(result, spectra)


def _remedy(row: Mapping[Any, Any], result: StoredResult, spectra: SpectraSet) -> None:
    """Show one remedy: effect, verdict, cost, and the button that does it."""
    words, doing = st.columns([3, 2], vertical_alignment="center")
    effect = f"{signed(row['effect'])} ({signed(row['low'])} to {signed(row['high'])})"
    cost = "" if pd.isna(row["seconds"]) else f"; a fit takes {significant(row['seconds'])} s"
    words.markdown(f"**{plain(row['remedy'])}**: {effect}, {row['verdict']}{cost}")
    action = result.document["actions"].get(row["remedy"])
    if row["remedy"] == MORE_SPECTRA:
        if "solutions" in result.tables and len(result.tables["solutions"]):
            with doing:
                table_export(result.tables["solutions"], "solutions_to_prepare", "What to measure next (CSV)")
    elif action is not None and action.get("do") in _DOES:  # one that this version cannot do has no button
        label, icon = _DOES[action["do"]]
        with doing.container(horizontal=True):
            if "regressor" in action and st.button("Calibrate", key=f"use_{row['remedy']}", icon=":material/tune:"):
                regressors = dict.fromkeys(spectra.target_names, action["regressor"])
                arguments = {"set": spectra.fingerprint, "regressors": regressors, "n_folds": 10, "seed": 0}
                state.start_job("calibrate", arguments, f"Calibrate {spectra.meta.name} by {row['remedy']}")
            if st.button(label, key=f"do_{row['remedy']}", icon=icon):
                _do(action, spectra)


def _do(action: Mapping[str, Any], spectra: SpectraSet) -> None:
    if action["do"] == "experiment":
        state.start_experiment_from(json.dumps(action["experiment"], indent=2))
    changed = (
        averaged(spectra)[0]
        if action["do"] == "replicates averaged"
        else without(spectra, suspicious_rows(spectra).tolist())
    )
    set_shelf.keep_and_use(changed)


def _more_spectra(result: StoredResult, spectra: SpectraSet) -> None:
    """Show the learning curve as far as it was measured, and what to measure next."""
    curve = result.tables["curve"]
    if curve["n_train"].nunique() > 1:
        st.subheader("More spectra")
        figure_with_exports(cache.drawn(curve_figure, curve, result.document), "learning_curve", curve)
    solutions = result.tables.get("solutions", pd.DataFrame())
    if len(solutions):
        st.write(
            "**To measure next**: the emptiest places of the design, within the range of the data"
            f"{' and with its salts' if has_salts(spectra) else ''}, the farthest from all that was measured first."
        )
        headings = {name: salt_label(name) for name in map(str, solutions)} | {"solution": "Number"}
        st.dataframe(
            solutions, hide_index=True, placeholder=tables.NONE, column_config=tables.columns(solutions, **headings)
        )
