"""A figure or a table with the buttons that take it home."""

from collections.abc import Mapping
from functools import partial

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from spectra_core.datasets.formulas import table_csv
from spectra_core.report import generator_card, report_of
from spectra_core.report.page import as_html
from spectra_core.store import Store, StoredResult
from ui import state
from ui.figures import show_figure


def figure_with_exports(figure: go.Figure, name: str, table: pd.DataFrame | None = None) -> None:
    """Show a figure, and offer it as a page of its own (HTML) and the numbers in it as a table (CSV).

    Parameters
    ----------
    name
        Of the files, without ending; unique on a page.
    table
        The numbers drawn, where they are worth having.
    """
    show_figure(figure, key=f"figure_{name}")
    with st.container(horizontal=True):
        st.download_button(
            "Figure (HTML)",
            lambda: html_page(figure),
            f"{name}.html",
            "text/html",
            icon=":material/download:",
            key=f"export_figure_{name}",
            on_click="ignore",
        )
        if table is not None:
            table_export(table, name)


def table_export(table: pd.DataFrame, name: str, label: str = "Table (CSV)") -> None:
    """Offer a table as CSV."""
    st.download_button(
        label,
        lambda: table_csv(table),
        f"{name}.csv",
        "text/csv",
        icon=":material/download:",
        key=f"export_table_{name}",
        on_click="ignore",
    )


def offer_tables(tables: Mapping[str, pd.DataFrame | None]) -> None:
    """Offer tables as files, named after what they hold; written only when asked for."""
    with st.container(horizontal=True):
        for name, table in tables.items():
            if table is not None and not table.empty:
                st.download_button(
                    f"{name.replace('_', ' ').capitalize()} (CSV)",
                    partial(table_csv, table),
                    f"{name}.csv",
                    "text/csv",
                    icon=":material/download:",
                    key=f"download_{name}",
                    on_click="ignore",
                )


def report_export(result: StoredResult) -> None:
    """Offer the report of a result: one file that opens offline."""
    st.download_button(
        "Report (HTML)",
        partial(_report, result, state.store()),
        "report.html",
        "text/html",
        icon=":material/article:",
        key=f"report_{result.record.kind}",
        help="Question, verdicts, data, method, figures, limits and how to repeat it, in one file that opens offline.",
        on_click="ignore",
    )


def _report(result: StoredResult, store: Store) -> bytes:
    return as_html(report_of(result, store)).encode()


def capsule_export(result: StoredResult) -> None:
    """Offer a finished experiment as one file that others can compute again, with its data or without."""
    held = result.document["data"]["fingerprint"] in {record.fingerprint for record in state.store().sets()}
    with st.popover("Capsule", icon=":material/inventory_2:"):
        st.write(
            "Experiment, results, versions and checksums in one file. On any computer `latent-spectra verify "
            "experiment.capsule` finds a changed byte, computes a part again and says which figures agree."
        )
        with_data = st.toggle(
            "With the data",
            value=held,
            disabled=not held,
            key=f"capsule_data_{held}",
            help="Without them it holds their fingerprint, and no predictions of single spectra: whoever verifies it "
            "needs the data.",
        )
        st.download_button(
            "Download the capsule",
            partial(_capsule, result, state.store(), with_data=with_data),
            "experiment.capsule",
            "application/zip",
            icon=":material/download:",
            on_click="ignore",
        )


def _capsule(result: StoredResult, store: Store, *, with_data: bool) -> bytes:
    from spectra_core.report.capsule import capsule_of
    from spectra_core.report.finding import data_of
    from spectra_core.report.study import cards_of

    kept = data_of(result, store)
    spectra, licence = (None, "") if kept is None else (kept.spectra, kept.record.licence)
    return capsule_of(result, spectra, with_data=with_data, licence=licence, cards=cards_of(kept, store))


def card_export(model_id: str, name: str) -> None:
    """Offer the card of a kept generator, as a page and as JSON."""
    for form, mime in (("html", "text/html"), ("json", "application/json")):
        st.download_button(
            f"Model card ({form.upper()})",
            partial(_card, state.store(), model_id, form),
            f"{name}.{form}",
            mime,
            icon=":material/badge:",
            key=f"card_{form}",
            help="What it was trained on, for what range, and what it is known to fail at.",
            on_click="ignore",
        )


def _card(store: Store, model_id: str, form: str) -> bytes:
    card = generator_card(store, model_id)
    return as_html(card.report()).encode() if form == "html" else card.to_json()


def html_page(figure: go.Figure) -> bytes:
    """Return the figure as one HTML file that needs no network: it can be zoomed and read as on the page."""
    page: str = figure.to_html(include_plotlyjs=True, full_html=True)
    return page.encode()
