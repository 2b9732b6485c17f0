import streamlit as st

from spectra_core.calibration.calibration import parentless_warning
from spectra_core.calibration.merit import line_of
from spectra_core.figures import calibration as figures
from ui import cache, calibrations, job_panel, needed, state, tables, targets, widgets
from ui.exports import figure_with_exports, table_export
from ui.text import plain, sentence

st.write(
    "A calibration for use is fitted on all your spectra. What it is worth is told by cross-validation, in which every "
    "spectrum is predicted by a model that has not seen it; its intervals come from there, too."
)
spectra = needed.require_experimental()
needed.say_if_few(spectra)
verdict = st.empty()

if not spectra.n_targets:
    st.info("These spectra have no targets to calibrate. Read them with a calibration.", icon=":material/info:")
    st.page_link("pages/use/read.py", label="Read", icon=":material/arrow_forward:")
else:
    with st.container(border=True):
        chosen = calibrations.design(spectra)
        columns = st.columns(3, vertical_alignment="bottom")
        with columns[0]:
            n_folds = st.number_input(
                "Folds", 2, 100, 10, key="calibrate_folds", persist_state="session", help="Groups stay together."
            )
        with columns[1]:
            seed = widgets.pick_seed("calibrate_seed")
        generated = state.generated()
        with columns[2]:
            more = generated is not None and st.toggle(
                "Add the generated set in hand",
                key="calibrate_generated",
                persist_state="session",
                help="Generated spectra are never tested, and stay out of a fold with their parent.",
            )
        if more and generated is not None:
            warning = parentless_warning(spectra, generated)
            if warning:
                st.warning(sentence(warning), icon=":material/warning:")
        if st.button("Calibrate", type="primary", icon=":material/tune:", disabled=not chosen):
            state.start_job(
                "calibrate",
                {
                    "set": spectra.fingerprint,
                    "regressors": {name: choice.to_json() for name, choice in chosen.items()},
                    "generated": generated.fingerprint if more and generated is not None else None,
                    "n_folds": int(n_folds),
                    "seed": seed,
                },
                f"Calibrate with {spectra.meta.name}",
            )
job_panel.latest("calibrate")

picked = calibrations.pick(of_it=True)
if picked is not None:
    key, calibration = picked
    train = calibration.train
    called, labels = targets.names(train.target_info), targets.labels(train.target_info)
    st.subheader("Figures of merit")
    merit = cache.table(calibrations.merit, state.store(), key)
    verdict.markdown(calibrations.verdict(merit, called))
    shown = merit.drop(columns=["note", "n", "n_groups"]).assign(
        target=merit["target"].map(called),
        p_ideal=["< 0.001" if p < 0.001 else f"{p:.3f}".replace("nan", "") for p in merit["p_ideal"]],
    )
    st.dataframe(shown, hide_index=True, placeholder=tables.NONE, column_config=tables.columns(shown))
    for note, of_it in merit[merit["note"] != ""].groupby("note", sort=False):
        st.caption(f"{', '.join(plain(called[name]) for name in of_it['target'])}: {sentence(note)}")
    table_export(merit, "figures_of_merit")
    made_of = cache.table(calibrations.made_of, state.store(), key)
    if len(made_of):
        with st.expander("What the stack is made of", icon=":material/stacks:"):
            st.caption(
                "Weights of its regressors, found on left-out spectra of the calibration: 0 for those that add "
                "nothing, or err by more than three standard deviations of the target."
            )
            named = made_of.assign(target=made_of["target"].map(called))
            weights = tables.wide(named, ["target"], "candidate", "weight")
            st.dataframe(weights, column_config=tables.columns(weights))
            table_export(made_of, "stack")
    calibrations.offer_files(key, calibration)

    target = st.selectbox("Target", list(called), format_func=called.__getitem__, key="calibrated_target")
    held_out, vector, intervals = st.tabs(["Held-out predictions", "Regression vector", "Intervals"])
    with held_out:
        predictions = calibration.predictions()
        of_it = predictions[predictions["target"] == target]
        line = line_of(of_it["reference"].to_numpy(), of_it["held_out"].to_numpy())
        figure = cache.drawn(
            figures.predicted_with_region,
            of_it,
            line.region(),
            slope=line.slope,
            offset=line.offset,
            target_label=labels[target],
        )
        figure_with_exports(figure, "held_out", predictions)
    with vector:
        slopes = cache.table(calibrations.vectors, state.store(), key)
        figure = cache.drawn(
            figures.regression_vector,
            slopes[slopes["target"] == target],
            axis_label=train.axis.label,
            target_label=labels[target],
            signal_label=train.meta.signal_label,
        )
        figure_with_exports(figure, "regression_vector", slopes)
    with intervals:
        curve = cache.table(calibrations.curve, state.store(), key)
        figure_with_exports(cache.drawn(figures.coverage_curve, curve, called), "coverage", curve)
    st.page_link("pages/use/read.py", label="Read unknown spectra with it", icon=":material/arrow_forward:")
    with st.expander("How to read this", icon=":material/menu_book:"):
        st.markdown(
            """
- **RMSEC, RMSECV**: error of fitted and of held-out predictions. A large difference between them is overfitting.
- **Bias, SEP**: mean of held-out prediction minus reference, and the standard deviation about it. **RPD, RPIQ**:
  standard deviation and interquartile range of the references over SEP; at 1 the mean serves as well.
- **Slope, offset, p**: the line of held-out over reference values. Where the cross lies outside the region (p below
  0.05), predictions are shrunk, stretched or shifted.
- **Sensitivity, selectivity, analytical sensitivity, limit of detection**: of linear calibrations. The limit is a
  range, since it depends on what else is in the sample (Allegrini & Olivieri 2014).
- **Regression vector**: which channels a reading listens to. For curved methods, the gradient at the mean spectrum.
- **Intervals**: the share of held-out labels inside, against the share promised. On the dotted line is right, above it
  they are wider than need be.
"""
        )
with st.expander("Bring a calibration from another machine", icon=":material/upload:"):
    calibrations.take_file()
