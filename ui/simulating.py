"""What a visitor asks of the simulator: preset, conditions, one solution, a set; and what the floors of error mean."""

import io
import zipfile
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from spectra_core.datasets.formulas import table_csv
from spectra_core.datasets.simulator import DESIGNS, PRESETS, STATUS, SimulationSettings, constants_table
from spectra_core.datasets.simulator.settings import changed_settings
from spectra_core.errors import SpectraCoreError
from spectra_core.figures.names import ion_label, ion_labels, typeset
from spectra_core.options import Range, options_of
from ui.text import percent, sentence
from ui.widgets import described_parameters, field, limits, pick_seed

MAX_SPECTRA = 100_000
"""Spectra of one simulated set: about three minutes and 0.4 GB."""
_FIRST_SOLUTION = {"Cu(NO3)2": 0.1, "Ni(NO3)2": 0.2, "Fe(NO3)3": 0.01, "(NH4)2SO4": 0.3}
"""Shares of the largest concentration that a page shows first: a picture with something in it."""

HOW_TO_READ = """
- **Picture.** Each filled band is what one species absorbs; they stack up to the clean spectrum, relative to water in
  the same cell. The blue line is what the instrument shows. Where it leaves the stack, stray light and noise have
  taken over: the shaded channels are saturated and carry no concentration.
- **Species.** Salts fall apart into ions, and ions find each other again: iron and copper bind sulfate, iron takes up
  hydroxide and gives off acid. The spectrum belongs to the species, so the same iron absorbs differently beside
  sulfate. That is why absorbance is not additive here, and why colourless sulfate can be seen at all.
- **Try this.** Raise ammonium sulfate beside iron and watch FeSO4+ take over. Raise lithium nitrate alone: only
  nitrate's band shows. Choose *Beer-Lambert* and everything adds up.
- **Left out.** Precipitation, ageing, chloride, and the temperature dependence of absorptivities.
- **Sources.** Equilibria: D. L. Parkhurst and C. A. J. Appelo, PHREEQC version 3, U.S. Geological Survey Techniques
  and Methods 6-A43 (2013). Water: R. Röttgers et al., Opt. Express 22 (2014) 25093. All others stand beside the
  constants.
"""

HOW_TO_READ_FLOORS = """
- **Spread of the design** (bar): the error of always guessing the mean concentration. Whoever does not beat it has
  learned nothing.
- **Best calibration, about** (circle): the error the best possible calibration can be expected to reach. Spectra are
  taken as linear around each solution and the design as Gaussian, so this is an approximation.
- **Bayesian bound** (dash): no root mean square error on this design can be lower. It is strict, and therefore low
  where some solutions reveal much more than others. Formula: van Trees' inequality, Gill and Levit, Bernoulli 1
  (1995) 59.
- **Cramér-Rao bound** (diamond): the standard deviation of a reading without bias at the median solution, with the
  range from the 10th to the 90th percentile of solutions. It may exceed the bar: then guessing the mean beats an
  unbiased reading, and the ion is marked as hardly identifiable. Regressors escape it by shrinking towards the mean.
- All instrument faults (path, wavelength, blank temperature, lamp change, offset, tilt) count as unknowns. The floors
  rest on assumed constants, above all for how colourless ions change the water around them.
"""

_OVER_SOLUTIONS = "Percentile of the Cramér-Rao bound, over solutions."

FLOOR_COLUMNS: dict[str, Any] = {
    "target": "Ion",
    "unit": "Unit",
    "prior_sd": st.column_config.NumberColumn("Spread of the design", format="%.2g"),
    "plain_bound": st.column_config.NumberColumn("Cramér-Rao bound", format="%.2g"),
    "plain_low": st.column_config.NumberColumn("10 %", format="%.2g", help=_OVER_SOLUTIONS),
    "plain_high": st.column_config.NumberColumn("90 %", format="%.2g", help=_OVER_SOLUTIONS),
    "bayesian_bound": st.column_config.NumberColumn("Bayesian bound", format="%.2g"),
    "expected_error": st.column_config.NumberColumn("Best calibration, about", format="%.2g"),
    "identifiable": st.column_config.CheckboxColumn("Identifiable"),
}
"""How the table of floors is shown."""


def pick_preset() -> str:
    """Let the visitor choose a preset; the choice is kept for the session."""
    name: str = st.selectbox(
        "Preset",
        list(PRESETS),
        format_func=lambda key: PRESETS[key].title,
        key="simulator_preset",
        persist_state="session",
    )
    return name


def pick_conditions(preset: SimulationSettings) -> SimulationSettings:
    """Let the visitor change what surrounds the salts."""
    with st.expander("Conditions and physics", icon=":material/tune:"):
        changes: dict[str, Any] = {
            "temperature": _slide(preset, "temperature", step=1.0),
            "path_length": _step_through(preset, "path_length", (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)),
            "acid": _slide(preset, "acid", step=0.01, most=1.0),
            "iron_tail": _step_through(preset, "iron_tail", (0.3, 0.5, 1.0, 2.0, 3.0)),
        }
        for name in ("speciation", "subtract_blank"):
            changes[name] = field(SimulationSettings, name, key=_key(preset, name), default=getattr(preset, name))
        seed = field(
            SimulationSettings,
            "perturbation_seed",
            key=_key(preset, "perturb"),
            default=preset.perturbation_seed or 0,
            label="Perturb the physics with seed (0: not at all)",
            help="Draws every constant within its stated uncertainty: a simulator that is not quite right.",
        )
        changes["perturbation_seed"] = seed or None
    return changed_settings(preset, changes)


def called(settings: SimulationSettings) -> dict[str, str]:
    """Return what every species is called, as chemists write it."""
    species = settings.chemistry.species
    return ion_labels(species["species"], species["charge"])


def pick_salts(settings: SimulationSettings) -> dict[str, float]:
    """Let the visitor choose the concentration of every salt, mol/L."""
    st.caption("Salts, mol/L")
    chosen = {}
    for salt, largest in zip(settings.salts, settings.largest, strict=True):
        top = float(largest)
        chosen[salt] = st.slider(
            ion_label(salt, 0),
            0.0,
            top,
            round(_FIRST_SOLUTION.get(salt, 0.0) * top, 9),
            top / 100,
            format="%.3g",
            key=_key(settings, salt),
        )
    return chosen


def show_numbers(solution: pd.DataFrame) -> None:
    """Show pH, ionic strength and saturation of one solution."""
    row = solution.iloc[0]
    columns = st.columns(3)
    columns[0].metric("pH", f"{row['ph']:.2f}")
    columns[1].metric("Ionic strength, mol/kg", f"{row['ionic_strength']:.3g}")
    columns[2].metric("Saturated channels", percent(row["saturated_share"]))


def pick_set(preset: str, settings: SimulationSettings) -> dict[str, Any]:
    """Let the visitor choose the size, design and seed of a set; return the arguments of its job."""
    columns = st.columns([3, 5, 3, 5])
    with columns[0]:
        n_spectra = field(
            SimulationSettings,
            "n_spectra",
            key=_key(settings, "n"),
            default=settings.n_spectra,
            range=Range(1, MAX_SPECTRA),
        )
    design = columns[1].selectbox(
        "Design",
        list(DESIGNS),
        list(DESIGNS).index(settings.design),
        format_func=lambda name: DESIGNS[name].title,
        key=_key(settings, "design"),
        help="\n\n".join(f"**{member.title}**: {member.explanation}" for member in DESIGNS.values()),
    )
    with columns[2]:
        seed = pick_seed(_key(settings, "seed"))
    name = columns[3].text_input("Name", f"{settings.title}, simulated", key=_key(settings, "name"))
    differing = settings.differences(PRESETS[preset])
    if design != settings.design:
        differing = {**differing, "design": design, "design_options": {}}
    return {
        "preset": preset,
        "n_spectra": n_spectra,
        "seed": seed,
        "settings": differing,
        "name": _named_as_simulated(name),
    }


def checked(arguments: dict[str, Any]) -> SimulationSettings | None:
    """Return the settings of a set to be made, or say what is wrong with them."""
    try:
        return changed_settings(PRESETS[arguments["preset"]], arguments["settings"])
    except SpectraCoreError as error:
        st.warning(sentence(error))
        return None


def offer_tables(tables: dict[str, pd.DataFrame]) -> None:
    """Offer all tables in one archive."""

    def archive() -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as files:
            for name, table in tables.items():
                files.writestr(f"simulated_{name}.csv", table_csv(table))
        return buffer.getvalue()

    st.download_button(
        "Tables (ZIP)",
        archive,
        "simulated_solution.zip",
        "application/zip",
        icon=":material/download:",
        on_click="ignore",
    )


def show_constants() -> None:
    """Show every constant with its status and source."""
    table = constants_table()
    table["status"] = table["status"].map(lambda key: f"{key}: {STATUS[key]}")
    st.dataframe(table, hide_index=True)
    st.download_button(
        "Download constants", table_csv(table), "constants.csv", "text/csv", type="tertiary", on_click="ignore"
    )


def verdict(table: pd.DataFrame) -> str:
    """Say in one sentence which ions a spectrum tells about.

    >>> verdict(pd.DataFrame({"target": ["Cu2+", "Li+"], "identifiable": [True, False]}))
    '**Hardly identifiable: Li⁺.** An unbiased reading of a spectrum would scatter more than the concentrations do. ...'
    """
    hidden = typeset(", ".join(table.loc[~table["identifiable"], "target"]))
    seen = typeset(", ".join(table.loc[table["identifiable"], "target"]))
    if not hidden:
        return f"**Every ion can be read from a spectrum**: {seen}. How well, the floors say."
    return (
        f"**Hardly identifiable: {hidden}.** An unbiased reading of a spectrum would scatter more than the "
        f"concentrations do. {'Identifiable: ' + seen + '.' if seen else ''}".rstrip()
    )


def _named_as_simulated(name: str) -> str:
    """Return a name that says where the spectra come from.

    >>> _named_as_simulated("Practical 3")
    'Practical 3 (simulated)'
    """
    name = name.strip() or "Mixtures"
    return name if "simulated" in name.lower() else f"{name} (simulated)"


def _slide(preset: SimulationSettings, name: str, *, step: float, most: float | None = None) -> float:
    """Show one setting as a slider over the range that it declares, or up to `most`."""
    option = replace(options_of(SimulationSettings)[name], default=getattr(preset, name))
    ends = limits(option) | {"step": step} | ({} if most is None else {"max_value": most})
    help_text = described_parameters(SimulationSettings)[name]
    return float(st.slider(option.label, **ends, key=_key(preset, name), help=help_text))


def _step_through(preset: SimulationSettings, name: str, values: tuple[float, ...]) -> float:
    """Show one setting as a choice of a few values and the preset's own."""
    own = getattr(preset, name)
    return float(
        st.select_slider(
            options_of(SimulationSettings)[name].label,
            sorted({*values, own}),
            own,
            key=_key(preset, name),
            help=described_parameters(SimulationSettings)[name],
        )
    )


def _key(settings: SimulationSettings, name: str) -> str:
    """Name a widget after the preset, so that another preset starts from its own values."""
    return f"simulate_{settings.title}_{name}"
