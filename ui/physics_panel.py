"""The choice of a physics, and what it knows of the spectra."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from spectra_core.choices import Choice
from spectra_core.figures.forward_model import forward_model, molar_absorptivities
from spectra_core.figures.names import ion_labels
from spectra_core.generators.physics import PHYSICS
from spectra_core.generators.physics.choosing import knows_the_truth
from spectra_core.spectra import SpectraSet
from ui import cache, state, widgets
from ui.figures import show_figure
from ui.text import percent, sentence, significant

if TYPE_CHECKING:
    from spectra_core.store import StoredModel

TABLE_FIELDS = ("wavelengths", "absorptivities")
"""Options that a table of molar absorptivities gives."""


def pick_physics(train: SpectraSet, *, key: str) -> dict[str, Any] | None:
    """Let the visitor choose a physics; None, with a sentence and what fits instead, while it does not fit the set."""
    fits = PHYSICS["salt_simulator"]().obstacle(train.frame) is None
    name = widgets.pick_member(
        "Physics", PHYSICS, key=f"{key}_physics", default="salt_simulator" if fits else "pure_components"
    )
    options = widgets.pick_options(PHYSICS[name], key=f"{key}_physics", hidden=TABLE_FIELDS, n_columns=1)
    if name == "beer_lambert":
        options |= _pick_table(train, key=key)
    if widgets.checked(PHYSICS, Choice(name, options), "physics") is None:
        return None
    physics = PHYSICS[name](**options)
    reason = physics.obstacle(train.frame)
    if reason is not None:
        others = [one.title for other, one in PHYSICS.items() if other != name and not one().obstacle(train.frame)]
        advice = f" These fit: {', '.join(others)}." if others else ""
        st.warning(sentence(f"{physics.title} does not fit this set: {reason}.{advice}"), icon=":material/warning:")
        return None
    for note in physics.notes(train.frame):
        st.caption(sentence(note))
    if knows_the_truth(train, Choice(name, options).to_json()):
        st.caption(
            "These spectra were simulated with these very constants: give a seed that perturbs them, or the physics "
            "knows more than literature ever would."
        )
    return {"physics": Choice(name, options).to_json()}


def _pick_table(train: SpectraSet, *, key: str) -> dict[str, Any]:
    """Let the visitor choose a set that the importer read from a table; one spectrum a component."""
    from spectra_core.errors import ConfigError
    from spectra_core.generators.physics.beer_lambert import table_options

    tables = {key: record for key, record in state.records("set").items() if not record.target_names}
    st.caption(
        "A table of molar absorptivities: wavelengths in the first column, then one column a component, named as the "
        "target. Bring it on the page Data set as any file: it becomes a set with one spectrum a component."
    )
    chosen = st.selectbox(
        "Table",
        list(tables),
        index=None,
        format_func=lambda one: tables[one].name,
        key=f"{key}_table",
        placeholder="Choose a set without targets",
    )
    if chosen is None:
        return {}
    try:
        options = table_options(state.store().load_set(chosen), train.frame)
    except ConfigError as error:
        st.warning(sentence(error), icon=":material/warning:")
        return {}
    curves = pd.DataFrame(
        {
            "component": np.repeat(list(options["absorptivities"]), len(options["wavelengths"])),
            "position": np.tile(options["wavelengths"], len(options["absorptivities"])),
            "absorptivity": np.concatenate(list(options["absorptivities"].values())),
        }
    )
    show_figure(molar_absorptivities(curves.replace({"component": ion_labels(train.target_names)})), key=f"{key}_eps")
    return options


def show_forward_model(found: "StoredModel", train: SpectraSet) -> pd.DataFrame:
    """Show what physics explains, what the residual adds, and where errors stand beside the noise; return the table."""
    from spectra_core.evaluation.physics.forward_model import explained_shares

    model = found.model
    errors = cache.table(errors_of, found, train)
    shares = explained_shares(errors).set_index("model").to_dict("index")
    st.subheader("What does the physics know, and what does the residual add?")
    for note in model.notes_:
        st.caption(sentence(note))
    st.caption(
        f"New concentrations reach up to {percent(model.reach_)} beyond the experimental ones."
        if model.reach_
        else "New concentrations stay within the experimental ones."
    )
    columns = [*st.columns(2), *st.columns(2)]  # beside the choices there is room for two
    columns[0].metric("Explained by physics alone", _share(float(shares["physics"]["share"])))
    columns[1].metric("With the residual, left out", _share(float(shares["left_out"]["share"])))
    columns[2].metric("Directions of the residual", model.directions_.shape[1])
    noises = float(shares["left_out"]["noises"])
    columns[3].metric(
        "Error in units of noise",
        "not known" if np.isnan(noises) else significant(noises),
        help="Median over channels.",
    )
    show_figure(
        forward_model(errors, axis_label=train.axis.label, signal_label=train.meta.signal_label), key="forward_model"
    )
    with st.expander("Table", icon=":material/table:"):
        st.dataframe(errors, hide_index=True)
    st.caption(
        "Shares of the variance over all channels; below zero where the mean spectrum would do better. Errors near the "
        "noise say that new spectra are as right as experimental ones; where they stand far above it, at the same "
        "channels physics lacks something that the training spectra are too few to show."
    )
    return errors


def errors_of(found: "StoredModel", train: SpectraSet) -> pd.DataFrame:
    """Return `evaluation.physics.forward_model.forward_model_errors`."""
    from spectra_core.evaluation.physics.forward_model import forward_model_errors

    return forward_model_errors(found.model, train)


def _share(share: float) -> str:
    return percent(share) if share > -1 else "less than nothing"
