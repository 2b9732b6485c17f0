import pandas as pd
import streamlit as st

from spectra_core.datasets.formulas import table_csv
from ui import cluster_panel, deleting, job_panel, state

st.write(
    "Long work runs beside the app: it goes on when a page is left or the browser is closed, and is found again here."
)

records = state.jobs().records()
active = [record for record in records if record.is_active]
ended = [record for record in reversed(records) if not record.is_active]

for record in active:
    job_panel.show(record.id)
if not active:
    st.info(
        "Nothing is running. Training, judging, maps and experiments are started on their own pages.",
        icon=":material/done_all:",
    )
order = "workspaces take turns" if state.is_class() else "the others wait for their turn in the order they were started"
st.caption(f"At most {state.jobs().limit} at a time; {order}.")

cluster_panel.show()

if ended:
    st.subheader("Ended")
    table = pd.DataFrame(
        {
            "Work": [record.title for record in ended],
            "Outcome": [job_panel.STATES[record.state][0] for record in ended],
            "Started (UTC)": pd.to_datetime(pd.Series([record.created or None for record in ended]), utc=True),
            "Took": [job_panel.duration(record.seconds_running) for record in ended],
            "Why": [record.error for record in ended],
        }
    )
    st.dataframe(
        table,
        hide_index=True,
        alt=f"{len(ended)} ended jobs, the latest first.",
        column_config={"Started (UTC)": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm", timezone="UTC")},
    )
    st.download_button(
        "Jobs (CSV)", table_csv(table), "jobs.csv", "text/csv", icon=":material/download:", on_click="ignore"
    )
    titles = {record.id: f"{record.title} ({job_panel.STATES[record.state][0].lower()})" for record in ended}
    picked = st.selectbox("Look at one", list(titles), index=None, format_func=titles.__getitem__, key="ended_job")
    if picked is not None:
        job_panel.show(picked)
        if st.button("Remove from the list", icon=":material/delete:", help="What it made stays in the store."):
            state.jobs().delete(picked)
            st.rerun()

damaged = state.store().damaged()
if damaged:
    st.subheader("Set aside as damaged")
    st.warning(
        "The files of these entries are not what was kept, so they were set aside; everything else is listed as usual.",
        icon=":material/healing:",
    )
    st.dataframe(
        pd.DataFrame(
            {
                "Kind": [deleting.KINDS.get(entry.kind, entry.kind.rstrip("s").capitalize()) for entry in damaged],
                "Name": [entry.name or entry.key[:12] for entry in damaged],
                "Reason": [entry.reason for entry in damaged],
            }
        ),
        hide_index=True,
        alt=f"{len(damaged)} damaged entries.",
    )

with st.expander("How to read this", icon=":material/menu_book:"):
    st.markdown(
        """
- **Waiting** jobs start by themselves, one after the other. **Cancel** and **Pause** stop a job within two seconds;
  what it had finished is kept, so that **Resume** goes on from there and gives the same result to the last bit.
- **Interrupted** means that the process ended without a word, because the computer was restarted for instance.
- **Failed** says why. Where it asks for a change, start the work again with that change rather than resume it.
- **Cluster**: where this app was started with the address of a Dask scheduler (`SPECTRA_SCHEDULER`), experiments run on
  its workers, with the same results to the last bit. A worker that is lost is replaced by another, once.
- The time left is estimated from the pace of the present stage.
"""
    )
