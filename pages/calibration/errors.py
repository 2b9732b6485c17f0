import json

import streamlit as st

from spectra_core.evaluation.errors.regression_errors import (
    blown_up,
    error_summary,
    errors_by_concentration,
)
from spectra_core.evaluation.errors.sentences import verdict_sentence
from spectra_core.figures import regression as figures
from spectra_core.figures.names import typeset
from ui import cache, result_picker, state, study_panels, study_progress, tables
from ui.exports import capsule_export, figure_with_exports, report_export, table_export
from ui.text import plain, sentence

st.write("Errors on held-out spectra for every way of making the training set, with the same folds for all.")
result = result_picker.require_study()

if (done := result.document.get("repeats_done")) is not None:
    goes_on = study_progress.is_under_way(result.document["data"]["fingerprint"])
    st.info(
        (f"So far: {done} of" if done else "So far: the quickest regressor in the first of")
        + f" {result.document['experiment']['n_repeats']} repetitions. Intervals narrow, and verdicts may still "
        "change, as the others come in." + ("" if goes_on else " The experiment was stopped; resume it in Jobs."),
        icon=":material/hourglass_top:",
    )

experiment = result.document["experiment"]
units = result.document["data"]["units"]
kinds = study_panels.arm_kinds(result)
errors, predictions = (
    cache.shared(study_panels.by_size, state.store(), result.record.id, name) for name in ("errors", "predictions")
)
comparisons = cache.table(study_panels.judged, state.store(), result.record.id)
comparisons = comparisons.sort_values("arm", key=lambda arm: arm.map(list(kinds).index), kind="stable")

sizes = {int(size): f"{int(size)} training spectra" for size in sorted(errors["size"].unique())}
if len(sizes) > 1:
    label = st.select_slider("Training spectra", list(sizes.values()), value=sizes[max(sizes)])
    size = next(number for number, text in sizes.items() if text == label)
    errors, predictions = errors[errors["size"] == size], predictions[predictions["size"] == size]
    comparisons = comparisons[comparisons["n_train"] == size] if len(comparisons) else comparisons
errors, predictions = errors.drop(columns="size"), predictions.drop(columns="size")

titles = study_panels.regressor_titles(result)
names = list(predictions["regressor"].unique())
picked = st.segmented_control(
    "Regressor", names, default=names[0], format_func=lambda name: plain(titles.get(str(name), str(name)))
)
regressor = picked or names[0]

shown = comparisons[comparisons["regressor"] == regressor] if len(comparisons) else comparisons
if shown.empty:
    st.info("There is one arm only, or no reference arm, so there is nothing to compare with.", icon=":material/info:")
else:
    study_panels.answer(result, shown, kinds)
with st.container(horizontal=True, vertical_alignment="center"):
    report_export(result)
    if "repeats_done" not in result.document:
        capsule_export(result)
    st.page_link("pages/calibration/advice.py", label="What would help?", icon=":material/arrow_forward:")

levels = {"always predicting the mean": result.tables["spreads"].set_index("target")["sd"].to_dict()}
floors = study_panels.table_of(result, "floors")
if not floors.empty:
    levels["about the best possible"] = floors.set_index("target")["expected_error"].to_dict()
    levels["lower bound (Bayesian)"] = floors.set_index("target")["bayesian_bound"].to_dict()

st.subheader("More about it")
verdicts, per_arm, worth, why, added, others = st.tabs(
    ["Every comparison", "Errors per target and arm", "What it is worth", "Why", "What was added", "Other experiments"]
)
with verdicts:
    if len(shown):
        named = shown.assign(regressor=titles.get(regressor, regressor))
        listed = shown.assign(sentence=[verdict_sentence(row) for _, row in named.iterrows()])
        listed = tables.worded(listed[["arm", "target", "verdict", "sentence"]])
        listed["sentence"] = listed["sentence"].map(typeset)
        headings = tables.columns(listed) | {"arm": st.column_config.Column("Arm", width=140)}
        st.dataframe(listed, hide_index=True, row_height=70, placeholder=tables.NONE, column_config=headings)
        table_export(comparisons, "all_comparisons")

with per_arm:
    named = errors.assign(regressor=errors["regressor"].map(lambda name: titles.get(name, name)))
    sds = result.tables["spreads"].set_index("target")["sd"]
    spreads = {str(target): float(sd) for target, sd in sds.items()}
    named["blown_up"] = blown_up(named, spreads=spreads)
    study_panels.say_blown_up(named)
    figure = cache.drawn(figures.error_per_arm, named, arm_kinds=kinds, units=units, levels=levels)
    figure_with_exports(figure, "errors", errors)
    if not floors.empty and not floors["identifiable"].all():
        hidden = sentence(typeset(", ".join(floors.loc[~floors["identifiable"], "target"])))
        st.warning(
            f"Not identifiable under this simulator: {hidden}. A spectrum tells less about them than guessing the "
            "mean, so differences between arms are differences between guesses.",
            icon=":material/visibility_off:",
        )
    table = cache.table(error_summary, named, spreads=spreads)
    said = tables.worded(table)
    st.dataframe(said, hide_index=True, placeholder=tables.NONE, column_config=tables.columns(said))

with worth:
    study_panels.worth(result, regressor, units)
with why:
    study_panels.reason_card(result, regressor)
with added:
    study_panels.added(result)
with others:
    study_panels.other_experiments(result)

st.subheader("Where do the errors come from?")
target_column, arms_column = st.columns([1, 3])
target = target_column.selectbox("Target", list(units), format_func=study_panels.target_labels(result).__getitem__)
arms = arms_column.multiselect("Arms", list(kinds), default=list(kinds)[:3], max_selections=4)
rows = predictions[(predictions["target"] == target) & (predictions["regressor"] == regressor)]
label = f"{target}, {units[target]}" if units[target] else target
if arms:
    shown_kinds = {arm: kinds[arm] for arm in kinds if arm in arms}
    figure = cache.drawn(figures.predicted_against_reference, rows, arm_kinds=shown_kinds, target_label=label)
    figure_with_exports(figure, "predicted_against_reference")
    binned = cache.table(errors_by_concentration, rows[rows["arm"].isin(arms)])
    figure = cache.drawn(
        figures.error_by_concentration, binned, arm_kinds=shown_kinds, target_label=label, unit=units[target] or ""
    )
    figure_with_exports(figure, "errors_by_concentration", binned)
    study_panels.by_density(result, rows, arms, target, units[target] or "")
with st.container(horizontal=True, vertical_alignment="center"):
    table_export(predictions, "predictions", "All predictions (CSV)")
    st.download_button(
        "Experiment (JSON)",
        json.dumps(experiment, indent=2),
        "experiment.json",
        "application/json",
        icon=":material/download:",
        on_click="ignore",
    )
    start = st.button("Start from this experiment", icon=":material/content_copy:")
if start:
    state.start_experiment_from(json.dumps(experiment, indent=2))

with st.expander("How to read this", icon=":material/menu_book:"):
    st.markdown(
        """
- **The picture** shows how much an arm changes the error (RMSEP) of each target against the reference arm, which has
  the same number of optimiser steps. Left of zero is better. Errors scatter by factors, so their ratio is what is
  compared, fold by fold; the axis is one of ratios, on which half and double lie equally far from zero. The bar is the
  95 % interval of the corrected resampled t-test (Nadeau & Bengio 2003): folds share training spectra, so the plain
  t-test is far too sure. Within the grey band a difference is too small to matter.
- **Declared comparisons** were chosen beforehand; they share a chance of 5 % of any false "improved" or "worse". An
  arm is judged by the mean over its targets first, then target by target. "Same" needs evidence of equality, not a
  missing difference. All others are looked at afterwards: they have intervals, and no verdict.
- **A run that blew up** has an error above twice the target's standard deviation, where guessing has one; medians stand
  beside means in the table.
- **Errors** shows RMSEP with its spread over folds. The dotted grey line is the error of always predicting the mean:
  a target whose errors lie there is not seen in the spectra. On simulated data, the green lines tell what physics
  allows: no method can have a lower RMSEP than the Bayesian bound (dashed), and about the best that can be expected
  stands beside it (dash-dotted).
- **What it is worth** reads the learning curve of experimental spectra backwards: how many more of them would have
  brought the same error; and, on simulated data, which share of the gain of truly new spectra an arm reaches.
- **Why** sets an arm beside others that change one thing each. Left of zero, the change makes it better.
- **What was added** shows whether added spectra hold what their labels say.
- **By density**: held-out spectra in ten parts from sparse (left) to dense (right) regions of the training spectra.
- **Predicted against reference** points on the dashed line are right. A flat cloud means that the target is guessed.
- Blue: experimental spectra alone. Orange: with generated spectra. Green: with new spectra from the true simulator.
"""
    )
