import streamlit as st

from spectra_core.datasets.simulator import PRESETS, solution_tables
from spectra_core.figures.simulator import species_bars, stacked_contributions
from spectra_core.figures.theme import thousands
from ui import cache, job_panel, simulating, state
from ui.figures import show_figure

st.write(
    "Mix salts and see the spectrum that chemistry and an instrument would make of them: equilibrium by PHREEQC, bands "
    "of every species, water, and a spectrophotometer with its faults. **Everything made here is simulated**, and "
    "partly assumed: the constants below say which part."
)

preset = simulating.pick_preset()
controls, picture = st.columns([1, 2], gap="large")
with controls:
    settings = simulating.pick_conditions(PRESETS[preset])
    salts = simulating.pick_salts(settings)
tables = cache.table(solution_tables, settings, salts)

with picture:
    simulating.show_numbers(tables["solution"])
    called = cache.table(simulating.called, settings)
    parts = tables["contributions"].replace({"absorber": called})
    figure = cache.drawn(stacked_contributions, parts, tables["spectrum"], axis_label=settings.axis.label)
    show_figure(figure, key="contributions")
    st.subheader("Which species does the solution hold?")
    show_figure(cache.drawn(species_bars, tables["species"].replace({"species": called})), key="species")
    simulating.offer_tables({name: tables[name] for name in ("spectrum", "contributions", "species")})

st.subheader("Make a set")
st.write("Many solutions under the conditions above, each measured once, with eight ion concentrations as targets.")
with st.form("make_a_set", enter_to_submit=False, border=False):
    arguments = simulating.pick_set(preset, settings)
    wanted = st.form_submit_button("Simulate the set", type="primary", icon=":material/science:")
if wanted:
    checked = simulating.checked(arguments)
    if checked is not None:
        state.start_job("simulate", arguments, f"Simulate {thousands(arguments['n_spectra'])} spectra, {checked.title}")
job_panel.latest("simulate")

with st.expander("Constants, with status and source", icon=":material/science:"):
    simulating.show_constants()
with st.expander("How to read this", icon=":material/menu_book:"):
    st.markdown(simulating.HOW_TO_READ)
