"""The way the generated set in hand was made, as an arm of the next experiment."""

import streamlit as st

from spectra_core.conditions import CONDITIONS
from spectra_core.errors import ConfigError
from spectra_core.experiment import Arm
from spectra_core.experiment.own_way import own_way
from spectra_core.experiment.presets import has_salts
from spectra_core.spectra import SpectraSet
from ui import state
from ui.text import plain, sentence


def in_hand() -> Arm | None:
    """Return the way the generated set in hand was made; None where there is none, or it cannot be repeated."""
    generated = state.generated()
    try:
        return None if generated is None else own_way(generated)
    except ConfigError:
        return None


def offer(spectra: SpectraSet) -> Arm | None:
    """Let the visitor have it among the arms, which it is unless switched off; say so where it cannot be."""
    generated = state.generated()
    if generated is None:
        return None
    try:
        arm = own_way(generated)
    except ConfigError as error:
        st.caption(sentence(error))
        return None
    if arm.conditions is not None and CONDITIONS[arm.conditions.name].needs_salts and not has_salts(spectra):
        st.caption(f"{plain(arm.name)} cannot be an arm: it draws salts, and the targets of this set are none.")
        return None
    wanted = st.toggle(
        plain(arm.name),
        value=True,
        key=f"experiment_own_way_{generated.fingerprint[:12]}",
        persist_state="session",
        help=f"As “{plain(generated.meta.name)}” was made: the same generator, points and labels, fitted anew in every "
        "fold, since a generator that has seen a held-out spectrum proves nothing. One row is added per training row.",
    )
    return arm if wanted else None
