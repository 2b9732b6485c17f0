import streamlit as st

from spectra_core.errors import SpectraCoreError
from spectra_core.figures import calibration as figures
from ui import cache, calibrations, readings, state, targets
from ui.exports import figure_with_exports
from ui.text import sentence

st.write(
    "A calibration reads concentrations from spectra nobody has analysed: a value with its interval, and flags where "
    "something speaks against it."
)
picked = calibrations.pick()
if picked is None:
    st.info("No calibration yet. Make one of a data set, or bring one as a file.", icon=":material/info:")
    st.page_link("pages/use/calibrate.py", label="Calibrate", icon=":material/arrow_forward:")
    calibrations.take_file()
    st.stop()
key, calibration = picked
called, labels = targets.names(calibration.train.target_info), targets.labels(calibration.train.target_info)

given = readings.take()
if given is None:
    st.caption("Bring spectra on the calibration's axis; columns of targets are not looked at.")
    st.stop()
spectra = readings.on_axis(key, given)
if spectra is None:
    st.stop()
level = st.segmented_control(
    "Intervals",
    [0.8, 0.9, 0.95],
    default=0.9,
    required=True,
    format_func=lambda share: f"{100 * share:g} %",
    key="level",
    persist_state="session",
)
try:
    table = cache.table(calibrations.readings, state.store(), key, spectra, level)
except SpectraCoreError as error:
    st.warning(sentence(error), icon=":material/warning:")
    st.stop()

readings.show(table, called)
target = st.selectbox("Target", list(called), format_func=called.__getitem__, key="read_target")
at = list(called).index(target)
values = calibration.train.target_values[:, at]
figure = cache.drawn(
    figures.readings, table[table["target"] == target], target_label=labels[target], limits=(values.min(), values.max())
)
figure_with_exports(figure, "readings")
one, later = st.tabs(["One spectrum", "Reference values brought later"])
with one:
    readings.show_one(calibration, spectra, table, cache.table(calibrations.distances, state.store(), key, spectra))
with later:
    readings.check(calibration, spectra, labels)

with st.expander("How to read this", icon=":material/menu_book:"):
    st.markdown(
        """
- **Low, high**: an interval that holds the true value for the share of samples that you chose, as long as these are
  like those of the calibration. It is made of errors on held-out spectra, whatever their distribution.
- **Outside calibrated range, clipped**: the value lies beyond the labels of the calibration; readings end 20 % of
  their range beyond it.
- **Hotelling T²**: the spectrum lies farther from the calibration spectra than 99 % of their kind, in directions in
  which they vary. **Q residual**: farther in directions in which they do not, as with an unknown component or an error
  of measurement.
- **Channel out of range**: a channel lies far beyond those of the calibration, as with saturation or a spike.
- **Below limit of detection**: of linear calibrations; the component may be absent.
- **Reference values**: errors on samples the calibration has not seen, how many lie within the intervals, and whether
  errors drift in measuring order.
"""
    )
