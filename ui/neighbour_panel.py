"""Neighbours of generated spectra: found at once, or by a job where the sets are large."""

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from spectra_core.evaluation.sampling import most_asked
from spectra_core.evaluation.similarity.memorisation import memorisation
from spectra_core.evaluation.similarity.neighbours import neighbours
from spectra_core.spectra import SpectraSet
from ui import cache, judged, needed, state
from ui.comparison import Compared


@dataclass(frozen=True, eq=False)
class Found:
    """What was found out about neighbours.

    Parameters
    ----------
    table, floor
        As from `neighbours`, of the generated and of the held-out spectra; None without held-out ones.
    memorisation
        As from `memorisation`; None where it cannot be told.
    n_copies
        Of how many generated spectra there is an equal training spectrum.
    n_generated
        How many generated spectra were searched for copies.
    note
        Which part of large sets was asked, for the page; "" where all were.
    """

    table: pd.DataFrame
    floor: pd.DataFrame | None
    memorisation: pd.DataFrame | None
    n_copies: int
    n_generated: int
    note: str = ""


def find(found: Compared, metric: str, window: float | None) -> Found | None:
    """Return neighbours of the generated spectra; None, with an offer to find them, while a job is needed."""
    if found.is_sample:
        return _from_a_job(found, metric, window)
    sets = found.sets
    table = cache.table(neighbours, sets, metric=metric, window=window)
    judged_share = None
    if found.has_held_out and len(sets["training"]) >= len(sets["held-out"]):
        judged_share = cache.table(memorisation, sets, metric=metric)
    floor = None
    if judged_share is not None:
        floor = cache.table(neighbours, sets, metric=metric, role="held-out")
    return Found(table, floor, judged_share, int(table["exact_copy"].sum()), len(table))


def spectrum(found: Compared, role: str, row: int) -> SpectraSet:
    """Return one spectrum by its row in the whole set of its role."""
    source = needed.require_generated() if role == "generated" else needed.require_experimental()
    return source.take([found.all_rows[role][row]])


def _from_a_job(found: Compared, metric: str, window: float | None) -> Found | None:
    arguments = {
        "set": state.chosen("set"),
        "generated": state.chosen("generated"),
        "model": found.model,
        "metric": metric,
        "window": window,
        "seed": 0,
    }
    result = judged.finished_or_offered(
        "neighbours", arguments, button="Find the neighbours", title="Find neighbours of generated spectra"
    )
    if result is None:
        n_asked = min(most_asked(len(found.all_rows["training"])), len(found.all_rows["generated"]))
        st.caption(
            f"The sets are large: a random part of {n_asked} generated spectra looks for neighbours among all "
            "experimental ones, in the background."
        )
        return None
    asked = [f"{n} of {result.document['n_spectra'][role]} {role}" for role, n in result.document["n_asked"].items()]
    return Found(
        result.tables["neighbours"],
        result.tables.get("floor"),
        result.tables.get("memorisation"),
        result.document["n_copies"],
        result.document["n_spectra"]["generated"],
        f"A random part looked for neighbours among all experimental spectra: {', '.join(asked)} spectra. "
        "Exact copies were searched among all.",
    )
