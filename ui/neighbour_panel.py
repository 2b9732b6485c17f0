"""Neighbours of generated spectra: found at once, or by a job where the sets are large."""

from typing import Any

import streamlit as st

from spectra_core.evaluation.sampling import most_asked
from spectra_core.evaluation.similarity.memorisation import memorisation
from spectra_core.evaluation.similarity.neighbours import neighbours
from spectra_core.spectra import SpectraSet
from spectra_core.store import StoredResult
from spectra_core.store.results import unkept_result
from spectra_core.training.versions import versions
from ui import cache, judged, needed, state
from ui.comparison import Compared


def find(found: Compared, metric: str, window: float | None) -> StoredResult | None:
    """Return what the job that finds neighbours keeps; None, with an offer to find them, while that job is needed."""
    arguments = {
        "set": state.chosen("set"),
        "generated": state.chosen("generated"),
        "model": found.model,
        "metric": metric,
        "window": window,
        "seed": 0,
    }
    if found.is_sample:
        return _from_a_job(found, arguments)
    sets = found.sets
    tables = {"neighbours": cache.table(neighbours, sets, metric=metric, window=window)}
    if found.has_held_out and len(sets["training"]) >= len(sets["held-out"]):
        tables["floor"] = cache.table(neighbours, sets, metric=metric, role="held-out")
        tables["memorisation"] = cache.table(memorisation, sets, metric=metric)
    n_spectra = {role: len(spectra) for role, spectra in sets.items()}
    document = {
        "arguments": arguments,
        "n_spectra": n_spectra,
        "n_asked": {role: n for role, n in n_spectra.items() if role != "training"},
        "n_copies": int(tables["neighbours"]["exact_copy"].sum()),
        "versions": versions(),
    }
    return unkept_result("neighbours", f"Neighbours of {sets['generated'].meta.name}", document, tables)


def spectrum(found: Compared, role: str, row: int) -> SpectraSet:
    """Return one spectrum by its row in the whole set of its role."""
    source = needed.require_generated() if role == "generated" else needed.require_experimental()
    return source.take([found.all_rows[role][row]])


def _from_a_job(found: Compared, arguments: dict[str, Any]) -> StoredResult | None:
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
    st.caption(
        f"A random part looked for neighbours among all experimental spectra: {', '.join(asked)} spectra. "
        "Exact copies were searched among all."
    )
    return result
