"""What a background job found out about the sets in hand: shown when it is there, offered when it is not."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from spectra_core.evaluation.physics.checks import mixture_residual
from spectra_core.evaluation.sampling import MOST_JUDGED, sampled_rows
from spectra_core.figures import physics as figures
from spectra_core.spectra import SpectraSet
from ui import cache, comparison, job_panel, needed, state, studies, tables
from ui.figures import show_figure
from ui.text import percent, plain, significant

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spectra_core.evaluation.similarity.metrics import Metric
    from spectra_core.store import StoredResult

_SIDES = {"higher": "higher is better", "lower": "lower is better", "one": "1 is right", "half": "one half is right"}
_READINGS = {
    "predicted": ("Teacher (PLS)", "read by the teacher"),
    "pure_components": ("Pure components (CLS)", "read by pure components"),
}
QUESTIONS = {
    "fidelity": "Are they like experimental spectra?",
    "coverage": "Is the whole range there?",
    "copies": "Are they new?",
    "noise": "Do they carry the noise?",
    "distribution": "Could both be draws of one distribution?",
}
"""What the metrics ask, in the order of the page."""


def finished_or_offered(
    task: str, arguments: dict[str, Any], *, button: str, title: str, takes: Callable[[], str] | None = None
) -> "StoredResult | None":
    """Return the newest result of a task with just these arguments; else offer to start it, or show how far it is.

    Parameters
    ----------
    task
        Name of the task and of the kind of its results.
    arguments
        All arguments, as the task writes them into its document.
    button, title
        What the button says, and what the job is called.
    takes
        Says how long it takes; asked for only beside the button.
    """
    for result in studies.kept_results(task):
        if result.document["arguments"] == arguments:
            return result
    begun = [job for job in state.jobs().records() if job.task == task and job.arguments == arguments]
    if begun and begun[-1].state != "finished":
        job_panel.show(begun[-1].id)
    if begun and begun[-1].is_active:
        return None
    if st.button(button, type="primary", icon=":material/play_arrow:", key=f"start_{task}"):
        state.start_job(task, arguments, title)
    if takes is not None:
        st.caption(f"Takes {takes()} beside what this computer does now, and goes on when this page is closed.")
    return None


def metric_cards(judgement: pd.DataFrame, metrics: "dict[str, Metric]", unit: str) -> None:
    """Show every metric: value, floor, which way is good, a sentence, and on demand what it cannot see.

    Parameters
    ----------
    judgement
        As from `judgement`.
    metrics
        The registry of metrics.
    unit
        Unit of the signal, for distances.
    """
    rows = judgement.set_index("metric")
    for question, words in QUESTIONS.items():
        names = [name for name in rows.index if metrics[name].question == question]
        if not names:
            continue
        st.markdown(f"**{words}**")
        columns = st.columns(4)
        for place, name in enumerate(names):
            metric, row = metrics[name], rows.loc[name]
            with columns[place % 4]:
                st.metric(
                    metric.title,
                    said(row["value"], metric.unit, unit),
                    help=f"Cannot see: {metric.cannot_see} Sizes compared: {row['n_per_set']} spectra each, "
                    f"{row['n_repeats']} halvings.",
                )
                verdict = str(row["verdict"]).capitalize()
                floor = said(row["floor"], metric.unit, unit).replace(" ", "\u00a0")  # no line ends between 99 and %
                st.caption(f"**{verdict}** (real against real: {floor}; {_SIDES[metric.better]}). {metric.sentence}")


def as_judged(
    found: comparison.Compared, generated: SpectraSet, *, noise_given_back: bool
) -> tuple[dict[str, SpectraSet], "NDArray[np.int64]"]:
    """Return the training and generated spectra that a judgement looks at, and the rows of these in `generated`."""
    seen = found.all_rows["training"]
    places = sampled_rows(len(seen), "training", MOST_JUDGED)
    rows = sampled_rows(len(generated), "generated", MOST_JUDGED)
    training = comparison.part(needed.require_experimental(), [seen[place] for place in places])
    shown = comparison.part(generated, rows)
    return {
        "training": training,
        "generated": cache.shared(comparison.noise_given_back, shown, training) if noise_given_back else shown,
    }, rows


@st.fragment
def show_offenders(
    offenders: pd.DataFrame, n_judged: int, sets: dict[str, SpectraSet], rows: "NDArray[np.int64]"
) -> None:
    """List spectra that break a limit, and draw the chosen one on its nearest mixture.

    Parameters
    ----------
    offenders
        As from `offenders`.
    n_judged
        Of so many.
    sets, rows
        As from `as_judged`.
    """
    if offenders.empty:
        st.write("No generated spectrum breaks a limit.")
        return
    st.write(f"{len(offenders)} of {n_judged} generated spectra break a limit. Select one to see it.")
    event = st.dataframe(
        offenders.head(500),
        hide_index=True,
        key="offenders",
        on_select="rerun",
        selection_mode="single-row",
        column_config=tables.columns(offenders),
    )
    picked = event["selection"]["rows"]
    chosen = offenders.iloc[picked[0] if picked and picked[0] < len(offenders) else 0]
    st.caption(f"Generated spectrum {plain(chosen['id'])} breaks: {chosen['breaks']}.")
    training = sets["training"]
    figure = cache.drawn(
        figures.spectrum_and_mixture,
        cache.table(mixture_residual, sets, "generated", int(np.searchsorted(rows, chosen["sample"]))),
        role="generated",
        axis_label=training.axis.label,
        signal_label=training.meta.signal_label,
        reverse=comparison.pick_direction(training),
    )
    show_figure(figure, key="offender")


@st.fragment
def show_honesty(honesty: pd.DataFrame, labels: dict[str, str]) -> None:
    """Draw what is read from spectra against their labels, target by target.

    Parameters
    ----------
    honesty
        As from `label_honesty`.
    labels
        Axis title with unit per target.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        target = st.selectbox(
            "Target", list(labels), format_func=labels.__getitem__, key="honesty_target", persist_state="session"
        )
        reading: str = st.segmented_control(
            "Read by",
            list(_READINGS),
            default="predicted",
            required=True,
            format_func=lambda name: _READINGS[name][0],
            key="honesty_reading",
            persist_state="session",
        )
    figure = cache.drawn(
        figures.labels_and_readings,
        honesty,
        target=target,
        label=labels[target],
        reading=reading,
        reading_label=_READINGS[reading][1],
    )
    show_figure(figure, key="label_honesty")


def said(value: float, kind: str, unit: str) -> str:
    r"""Say a metric's value as a person would.

    >>> said(0.934, "share", ""), said(0.01234, "signal", "AU"), said(float("nan"), "", "")
    ('93\xa0%', '0.012 AU', 'not defined')
    """
    if kind == "share":
        return percent(value)
    has_unit = kind == "signal" and not math.isnan(value)
    return f"{significant(value)} {unit if has_unit else ''}".rstrip()


def offenders(table: pd.DataFrame, offences: pd.DataFrame, checks: dict[str, str], role: str) -> pd.DataFrame:
    """List the spectra of a role that break a limit, those that break most first.

    Parameters
    ----------
    table, offences
        As from `physics` and `physics_offences`, rows alike.
    checks
        Title of every check that applies.

    Returns
    -------
    DataFrame, one row per offender
        ``sample``, ``id``, ``breaks`` (titles of the limits it breaks) and the measured columns of `physics`.
    """
    broken = (offences["role"] == role) & (offences["n_offences"] > 0)
    order = offences[broken].sort_values("n_offences", ascending=False, kind="stable").index
    found = table.loc[order].drop(columns="role")
    found = found.dropna(axis="columns", how="all") if len(found) else found
    marks = offences.loc[order, list(checks)].to_numpy(dtype=bool)
    titles = np.array(list(checks.values()), dtype=object)
    breaks = ["; ".join(titles[row]) for row in marks]
    found.insert(2, "breaks", breaks)
    return found.reset_index(drop=True)
