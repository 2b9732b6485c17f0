"""A walk through latent space: which way, at which concentrations, and the spectrum on the way."""

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from spectra_core.evaluation.latent import traversal
from spectra_core.evaluation.latent.distance import remote_from
from spectra_core.figures.training import information_by_dimension
from spectra_core.figures.traversal import walk_figure
from spectra_core.spectra import SpectraSet
from ui import cache, needed, targets
from ui.comparison import Compared, channel_statistics, pick_direction
from ui.exports import offer_tables
from ui.figures import show_figure
from ui.models import dimensions as learned
from ui.models import encoded
from ui.text import percent, plain, significant

if TYPE_CHECKING:
    from spectra_core.store import StoredModel

_ALONG, _BETWEEN = "Along a latent dimension", "Between two spectra"


def show(found: Compared, model: "StoredModel") -> None:
    """Show which latent dimensions carry information, and what a walk along one or between spectra changes."""
    training = found.sets["training"]
    dimensions = learned(model, needed.require_experimental())
    st.subheader("What does a step in latent space change?")
    st.write("Every step is decoded to a spectrum. Drag the slider, and see where the walk leaves the data.")

    @st.fragment
    def walked() -> None:
        _walk(training, model, dimensions)

    walked()
    st.subheader("Which latent dimensions carry information?")
    n_active, information = int(dimensions["active"].sum()), significant(dimensions["kl"].sum())
    st.write(f"{n_active} of {len(dimensions)} dimensions are active; together they carry {information} nats.")
    show_figure(cache.drawn(information_by_dimension, dimensions), key="information")
    offer_tables({"latent_dimensions": dimensions})


def walk(
    model: "StoredModel",
    training: SpectraSet,
    ends: tuple[int, ...],
    dimension: int | None,
    concentrations: tuple[tuple[str, float], ...] | None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return `evaluation.latent.traversal`: along a dimension, from the row in `ends` if any, else between."""
    conditions = None if concentrations is None else dict(concentrations)
    if dimension is None:
        return traversal.walk_between(model.model, training, ends[0], ends[1], conditions=conditions)
    start = ends[0] if ends else None
    return traversal.walk_along(model.model, training, dimension, start=start, conditions=conditions)


def _walk(training: SpectraSet, model: "StoredModel", dimensions: pd.DataFrame) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        way = st.segmented_control(
            "Walk", [_ALONG, _BETWEEN], default=_ALONG, required=True, key="walk_way", persist_state="session"
        )
        dimension = _pick_dimension(dimensions) if way == _ALONG else None
        ends = _pick_ends(training, both=way == _BETWEEN)
    if ends is None:
        st.caption("Choose two different spectra.")
        return
    concentrations = _pick_concentrations(training, ends) if model.model.needs_conditions else None
    steps, spectra = cache.table(walk, model, training, ends, dimension, concentrations)
    way_label = "Share of the way" if dimension is None else f"Latent dimension {dimension}, units of the prior"
    statistics = channel_statistics({"training": training})
    figure = cache.drawn(
        walk_figure,
        steps,
        spectra,
        way_label=way_label,
        axis_label=training.axis.label,
        signal_label=training.meta.signal_label,
        range_of_data=statistics,
        limit=cache.table(remote_from, encoded(model, training), training.groups),
        reverse=pick_direction(training),
    )
    show_figure(figure, key="walk")
    st.caption(_sentence(steps))
    offer_tables({"walk": steps, "walk_spectra": spectra})


def _pick_dimension(dimensions: pd.DataFrame) -> int:
    """Let the visitor choose a dimension, the most informative first."""
    nats = dimensions.set_index("dimension")["kl"]
    chosen: int = st.selectbox(
        "Dimension",
        list(nats.index),
        format_func=lambda number: f"{number} ({significant(nats[number])} nats)",
        key="walk_dimension",
        persist_state="session",
        width=180,
    )
    return chosen


def _pick_ends(training: SpectraSet, *, both: bool) -> tuple[int, ...] | None:
    """Let the visitor choose one spectrum to start from, or none, or two; None while both are the same."""
    ids = training.samples["id"].astype(str).tolist()
    # By the mean signal: the weakest, a typical one, the strongest.
    order = training.signal.mean(axis=1).argsort(kind="stable")
    if not both:
        start = st.selectbox(
            "Other dimensions as in",
            [None, *range(len(ids))],
            1 + int(order[len(order) // 2]),
            format_func=lambda row: "the average spectrum" if row is None else ids[row],
            key="walk_start",
            width=320,
        )
        return () if start is None else (int(start),)
    ends = [
        int(
            st.selectbox(
                label,
                range(len(ids)),
                int(order[place]),
                format_func=ids.__getitem__,
                key=f"walk_{label.lower()}",
                width=320,
            )
        )
        for label, place in (("From", 0), ("To", -1))
    ]
    return tuple(ends) if ends[0] != ends[1] else None


def _pick_concentrations(training: SpectraSet, ends: tuple[int, ...]) -> tuple[tuple[str, float], ...] | None:
    """Let the visitor fix concentrations for a conditional generator; None lets them follow the walk."""
    own = "of the two spectra, changing on the way" if len(ends) == 2 else "of that spectrum"
    if not st.toggle(
        "Choose the concentrations",
        key="walk_fixed",
        persist_state="session",
        help=f"Otherwise the spectrum is asked for at the concentrations {own if ends else 'of the average solution'}.",
    ):
        return None
    chosen = []
    with st.container(horizontal=True):
        labels = targets.labels(training.target_info)
        for info, values in zip(training.target_info, training.target_values.T, strict=True):
            value = st.number_input(
                plain(labels[info.name]),
                value=float(f"{values.mean():.3g}"),
                step=float(f"{(values.max() - values.min()) / 20 or 1.0:.1g}"),
                format="%.4g",
                key=f"walk_target_{info.name}",
                width=150,
                help=f"In the training set {values.min():.3g} to {values.max():.3g}.",
            )
            chosen.append((info.name, float(value)))
    return tuple(chosen)


def _sentence(steps: pd.DataFrame) -> str:
    """Say where a walk leaves the data."""
    left = steps["remote"] | steps["outside_range"]
    if not left.any():
        return "The walk stays among the training spectra all the way."
    if left.all():
        return "No step of this walk lies among the training spectra."
    inside = steps.loc[~left, "at"]
    gaps = ", with gaps in between" if left[steps["at"].between(inside.min(), inside.max())].any() else ""
    worst = steps.iloc[int(steps["channels_outside"].to_numpy().argmax())]
    said = [f"{at:.2g}".replace("-", "\N{MINUS SIGN}") for at in (inside.min(), inside.max(), worst["at"])]
    return (
        f"The walk is among the training spectra from {said[0]} to {said[1]}{gaps}. "
        f"At {said[2]}, {percent(worst['channels_outside'])} of the channels are beyond every training "
        "spectrum."
    )
