"""Progress of a job: stage, bar, time left, live curves, log; buttons to cancel and to resume."""

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from spectra_core.errors import StoreError
from spectra_core.figures.theme import thousands
from spectra_core.figures.training import LIVE_PARTS
from ui import state
from ui.text import percent, sentence

if TYPE_CHECKING:
    from spectra_core.jobs import JobRecord

STATES: dict[str, tuple[str, str]] = {
    "queued": ("Waiting", ":material/schedule:"),
    "running": ("Running", ":material/hourglass_top:"),
    "finished": ("Finished", ":material/check_circle:"),
    "failed": ("Failed", ":material/error:"),
    "cancelled": ("Cancelled", ":material/cancel:"),
    "paused": ("Paused", ":material/pause_circle:"),
    "interrupted": ("Interrupted", ":material/power_off:"),
}
"""How a person says the state of a job, and its icon."""
_PROGRESS_COLUMNS = ("attempt", "seconds", "stage", "done", "total")
_MOST_POINTS = 500
"""Points per curve: more than a chart has pixels for."""


def show(job_id: str) -> None:
    """Show one job; while it waits or runs, the panel refreshes itself, and the page runs again when it ends."""
    record = _found(job_id)
    if record is None:
        st.caption("This job is no longer in the list.")
        return
    st.fragment(_panel, run_every=1 if record.is_active else None)(job_id, was_active=record.is_active)


def latest(task: str) -> None:
    """Show the job of a task that was started last, if it did not finish; one that ended only beside its own data."""
    about = (None, state.chosen("set"))
    records = [
        record
        for record in state.jobs().records()
        if record.task == task and (record.is_active or record.arguments.get("set") in about)
    ]
    if records and records[-1].state != "finished":
        show(records[-1].id)


def duration(seconds: float) -> str:
    """Say a duration as a person would.

    >>> duration(0.4), duration(44), duration(61), duration(9000)
    ('1 second', '44 seconds', '1 minute', '2 h 30 min')
    """
    if seconds < 60:
        whole = max(1, round(seconds))
        return f"{whole} second{'' if whole == 1 else 's'}"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} minute{'' if minutes == 1 else 's'}"
    return f"{minutes // 60} h {minutes % 60} min"


def progress_text(record: "JobRecord") -> str:
    """Say what a job is doing, how far it is, and how long it will take."""
    if record.state == "queued":
        return f"Waits for its turn, place {record.position} in the queue"
    if not record.seconds_running:  # nothing was heard of its process yet, which may be loading on a busy computer
        return "Starting: it loads what it needs, which takes longer where the computer is busy"
    steps = f", {thousands(record.done)} of {thousands(record.total)}" if record.total else ""
    left = "" if record.seconds_left is None else f"; about {duration(record.seconds_left)} left"
    return f"{record.stage}{steps}; running for {duration(record.seconds_running)}{left}"


def curves(events: pd.DataFrame) -> pd.DataFrame:
    """Return the reported values of the latest stage that reports any.

    Returns
    -------
    DataFrame, one row per report
        ``done`` and one column per value; empty where nothing was reported. At most 500 rows.
    """
    names = [name for name in events.columns if name not in _PROGRESS_COLUMNS]
    reporting = events.dropna(subset=names, how="all") if names else events.iloc[:0]
    if reporting.empty:
        return pd.DataFrame()
    stage = reporting["stage"].iloc[-1]
    table = reporting.loc[reporting["stage"] == stage, ["done", *names]].dropna(axis="columns", how="all")
    thinned: pd.DataFrame = table.iloc[:: max(1, len(table) // _MOST_POINTS)].reset_index(drop=True)
    return thinned


def _found(job_id: str) -> "JobRecord | None":
    try:
        return state.jobs().record(job_id)
    except StoreError:
        return None


def _panel(job_id: str, *, was_active: bool) -> None:
    record = _found(job_id)
    if record is None or record.is_active != was_active:
        st.rerun()  # the whole page: it depends on the outcome, and refreshes itself only while something runs
    words, icon = STATES[record.state]
    with st.container(border=True):
        st.markdown(f"{icon} **{words}**")
        st.text(record.title)
        if record.is_active:
            st.progress(record.share, text=sentence(progress_text(record)))
        elif record.error:
            st.warning(sentence(record.error), icon=icon)
        else:
            st.caption(f"Took {duration(record.seconds_running)}.")
        _show_curves(record)
        _show_parts(record)
        _show_buttons(record)
        if lines := state.jobs().log_tail(record.id, 10):
            with st.expander("Log", icon=":material/notes:"):
                st.text("\n".join(lines))


def _show_curves(record: "JobRecord") -> None:
    if not record.is_active:
        return
    table = curves(state.jobs().events(record.id))
    if len(table) > 1:
        drawn = {name: LIVE_PARTS[name] for name in LIVE_PARTS if name in table}
        names = list(drawn) or [name for name in table.columns if name != "done"]
        labels = {name: drawn[name][0] if drawn else name.replace("_", " ").capitalize() for name in names}
        last = ", ".join(f"{label} {table[name].iloc[-1]:.3g}" for name, label in labels.items())
        x_label = "Epoch" if "train" in record.stage.lower() else "Step"
        y_label = "Loss, standardised units" if drawn else "Value"
        # Vega warns in the console of every chart whose numbers come after it; and Streamlit's short forms are checked
        # on the server every second, and built anew in the browser.
        st.echarts_chart(
            {
                "dataset": {"source": table[["done", *names]].rename(columns=labels)},
                "animation": False,
                "legend": {},
                "tooltip": {"trigger": "axis"},
                "xAxis": {"type": "value", "min": "dataMin", "max": "dataMax", **_named(x_label, 26)},
                "yAxis": {"type": "value", **_named(y_label, 48)},
                "series": [
                    {
                        "type": "line",
                        "name": label,
                        "showSymbol": False,
                        "connectNulls": True,
                        "encode": {"x": "done", "y": label},
                        **({"color": drawn[name][1]} if drawn else {}),
                    }
                    for name, label in labels.items()
                ],
            },
            height=260,
            key=f"curves_{record.id}",
            alt=f"Live curves of {record.stage}; now {last}.",
        )


def _named(label: str, gap: int) -> dict[str, object]:
    """Return a title of an axis, beside the middle of it."""
    return {"name": label, "nameLocation": "middle", "nameGap": gap}


def parts_table(record: "JobRecord") -> pd.DataFrame:
    """Say how far every part of a job is.

    Returns
    -------
    DataFrame, one row per part
        ``Part``, ``Done`` (share), ``Time left`` in words; empty where the job has no parts.
    """
    return pd.DataFrame(
        [
            {"Part": name, "Done": share, "Time left": _left(share, seconds)}
            for name, (share, seconds) in record.parts.items()
        ]
    )


def _left(share: float, seconds: float | None) -> str:
    if share >= 1.0:
        return "done"
    return "" if seconds is None else f"about {duration(seconds)}"


def _show_parts(record: "JobRecord") -> None:
    table = parts_table(record)
    if record.is_active and len(table) > 1:
        st.dataframe(
            table,
            hide_index=True,
            column_config={"Done": st.column_config.ProgressColumn(format="percent", min_value=0.0, max_value=1.0)},
            alt="; ".join(f"{part} {percent(share)}" for part, (share, _) in record.parts.items()),
        )


def _show_buttons(record: "JobRecord") -> None:
    if record.is_active:
        with st.container(horizontal=True):
            st.button(
                "Pause",
                key=f"pause_{record.id}",
                icon=":material/pause_circle:",
                help="Stops it for a while and lets others go first; what is finished is kept.",
                on_click=state.jobs().pause,
                args=(record.id,),
            )
            st.button(
                "Cancel",
                key=f"cancel_{record.id}",
                icon=":material/stop_circle:",
                on_click=state.jobs().cancel,
                args=(record.id,),
            )
    elif record.can_resume:
        st.button(
            "Resume",
            key=f"resume_{record.id}",
            icon=":material/resume:",
            help="Starts it again with the same arguments; finished parts are not repeated.",
            on_click=state.jobs().resume,
            args=(record.id,),
        )
