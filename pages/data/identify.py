import streamlit as st

from spectra_core.datasets.formulas import table_csv
from spectra_core.datasets.simulator import PRESETS, SimulationSettings, identifiability
from spectra_core.figures.names import typeset
from spectra_core.figures.simulator import identifiability_bars
from ui import cache, needed, simulating
from ui.figures import show_figure
from ui.text import plain

st.write(
    "However good a calibration is, noise and look-alike effects set a floor under its error. Where the floor is as "
    "high as the spread of the concentrations, a spectrum says nothing of that target, and no generator changes that."
)

spectra = needed.require_experimental()
recipe = spectra.meta.provenance.get("simulator")
if recipe is None:
    st.info(
        f"The physics behind “{plain(spectra.meta.name)}” is not known, so its floor cannot be computed. "
        "Below, as an example, is the floor of a simulated design of salts in water: it says nothing of other targets. "
        "Advice measures how far your own spectra reach.",
        icon=":material/info:",
    )
    st.page_link("pages/calibration/advice.py", label="What would help?", icon=":material/arrow_forward:")
    settings = PRESETS[simulating.pick_preset()]
else:
    settings = SimulationSettings.from_dict(recipe)
    st.caption(f"For the simulated set “{plain(spectra.meta.name)}”, from the physics and the design it was made with.")

table = cache.table(identifiability, settings)
st.markdown(simulating.verdict(table))
figure = identifiability_bars(table)
show_figure(figure, key="identifiability")
shown = table.assign(target=table["target"].map(typeset))
st.dataframe(shown, hide_index=True, column_config=simulating.FLOOR_COLUMNS)
st.download_button(
    "Bounds (CSV)", table_csv(table), "identifiability.csv", "text/csv", icon=":material/download:", on_click="ignore"
)

with st.expander("How to read this", icon=":material/menu_book:"):
    st.markdown(simulating.HOW_TO_READ_FLOORS)
