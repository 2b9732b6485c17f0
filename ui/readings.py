"""Unknown spectra on a page: where they come from, their axis, their readings, reference values that come later."""

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from spectra_core.calibration import Calibration, ExternalValidation, nearest, validate
from spectra_core.datasets.references import read_references
from spectra_core.datasets.writers.tables import TABLE_FORMS, table_file
from spectra_core.errors import SpectraCoreError, SpectraError
from spectra_core.figures import calibration as figures
from spectra_core.figures.names import typeset
from spectra_core.spectra import SpectraSet
from spectra_core.store import Store
from ui import cache, calibrations, state, tables
from ui.exports import figure_with_exports, table_export
from ui.figures import show_figure
from ui.text import counted, percent, plain, sentence, significant

AXIS_WORDS: dict[str, str] = {
    "refuse": "Refuse them",
    "interpolate": "Interpolate onto the channels of the calibration",
    "cut": "Cut to the channels of the calibration",
}
"""What can be done to spectra on other channels."""
_FLAGS_ON_A_LINE = 50
"""Characters of flags that stand beside each other in their column; longer ones take rows of two or three lines."""
_MOST_SHOWN = 2000
_MOST_NAMED = 5


def take() -> SpectraSet | None:
    """Let the visitor bring a file of unknown spectra, or choose a kept set; None while there is none."""
    source = st.segmented_control(
        "Unknown spectra",
        ["From a file", "A kept set"],
        default="From a file",
        key="unknown_source",
        persist_state="session",
    )
    if source == "A kept set":
        records = state.records("set")
        picked = st.selectbox(
            "Set",
            list(records),
            index=None,
            format_func=lambda key: records[key].name,
            key="unknown_set",
            placeholder="Choose a set",
            persist_state="session",
        )
        return None if picked is None else cache.shared(Store.load_set, state.store(), picked)
    uploaded = st.file_uploader(
        "Files with unknown spectra",
        accept_multiple_files=True,
        key=f"unknown_files_{state.unknown_round()}",
        max_upload_size=512,
    )
    st.caption("At most 512 MB a file.")
    if uploaded and st.button("Take these spectra", type="primary", icon=":material/upload:", key="take_unknown"):
        try:
            with st.spinner("Reading the files"):
                state.take_unknown([(one.name, one.getvalue()) for one in uploaded])
        except SpectraCoreError as error:
            st.error(sentence(error), icon=":material/error:")
            st.caption("A file with questions is imported on the page Data set; choose it here as a kept set.")
            st.page_link("pages/data/dataset.py", label="Data set", icon=":material/arrow_forward:")
        else:
            st.rerun()  # which writes into the address where they are kept
    spectra = state.unknown()
    if spectra is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(
                f"{counted(len(spectra), 'spectrum', 'spectra')} of “{plain(spectra.meta.name)}”; kept until forgotten."
            )
            st.button("Forget them", icon=":material/delete:", key="forget_unknown", on_click=state.forget_unknown)
    return spectra


def on_axis(key: str, spectra: SpectraSet) -> SpectraSet | None:
    """Return the spectra on the axis of a kept calibration, asking where it is another; None while that is open."""
    try:
        return cache.shared(calibrations.on_axis, state.store(), key, spectra, "refuse")
    except SpectraError as error:
        st.warning(sentence(error), icon=":material/warning:")
    possible = {"refuse": spectra}
    for way in ("interpolate", "cut"):
        try:
            possible[way] = cache.shared(calibrations.on_axis, state.store(), key, spectra, way)
        except SpectraError:
            continue
    if len(possible) == 1:
        return None
    way = st.radio(
        "These spectra have other channels. What shall be done?",
        list(possible),
        format_func=AXIS_WORDS.__getitem__,
        key="unknown_axis",
    )
    return None if way == "refuse" else possible[way]


def verdict(table: pd.DataFrame, n_spectra: int) -> str:
    """Say how many spectra were read, and against which of them something speaks."""
    read = f"**{counted(n_spectra, 'spectrum is', 'spectra are')} read**"
    flagged = table[table["flags"] != ""].groupby("id", sort=False)["flags"]
    reasons = {str(name): list(dict.fromkeys("; ".join(flags).split("; "))) for name, flags in flagged}
    if not reasons:
        return f"{read}, and nothing speaks against any value."
    said = [f"{plain(name)} ({', '.join(why)})" for name, why in list(reasons.items())[:_MOST_NAMED]]
    more = f" and {len(reasons) - _MOST_NAMED} more" if len(reasons) > _MOST_NAMED else ""
    said_of = "; ".join(said).replace("T2", "T\N{SUPERSCRIPT TWO}")
    return f"{read}; something speaks against values of {len(reasons)}: {said_of}{more}."


def show(table: pd.DataFrame, called: Mapping[str, str]) -> None:
    """Show readings as a table and offer them as files."""
    st.markdown(verdict(table, len(table) // len(called)))
    shown = table.head(_MOST_SHOWN)
    flags = shown["flags"].str.replace("T2", "T\N{SUPERSCRIPT TWO}")
    shown = shown.assign(target=shown["target"].map(called), flags=flags)
    headings = tables.columns(shown) | {"flags": st.column_config.Column("Flags", width="large")}
    n_lines = min(3, 1 + int(flags.str.len().max()) // _FLAGS_ON_A_LINE)
    st.dataframe(
        shown,
        hide_index=True,
        row_height=None if n_lines == 1 else 15 + 20 * n_lines,
        placeholder=tables.NONE,
        column_config=headings,
        key="readings",
    )
    if len(table) > _MOST_SHOWN:
        st.caption(f"The first {_MOST_SHOWN} rows are shown; the files hold all {len(table)}.")
    with st.container(horizontal=True):
        for ending in TABLE_FORMS:
            name = f"readings{ending}"
            st.download_button(
                f"Readings ({'Parquet' if ending == '.parquet' else ending[1:].upper()})",
                partial(table_file, table, name),
                name,
                icon=":material/download:",
                key=f"readings{ending}",
                on_click="ignore",
            )


def show_one(calibration: Calibration, spectra: SpectraSet, table: pd.DataFrame, measured: pd.DataFrame) -> None:
    """Show one spectrum beside the calibration spectra nearest to it, and how far it lies from them (`diagnostics`)."""
    flagged = set(table.loc[table["flags"] != "", "id"])
    names = tables.names_of(list(measured["id"]))
    order = sorted(range(len(names)), key=lambda row: measured["id"][row] not in flagged)
    row = st.selectbox(
        "Spectrum", order, format_func=names.__getitem__, key="unknown_one", help="Flagged ones come first."
    )
    facts = measured.iloc[row]
    for column, (label, value, limit) in zip(
        st.columns(3),
        (
            ("Hotelling T²", facts["t2"], facts["t2_limit"]),
            ("Q residual", facts["q"], facts["q_limit"]),
            ("Channels out of range", int(facts["n_channels_out"]), 0),
        ),
        strict=True,
    ):
        said, most = (str(number) if isinstance(number, int) else significant(number, 3) for number in (value, limit))
        column.metric(label, said, f"limit {most}", delta_color="off", delta_arrow="off")
    train = calibration.train
    known = nearest(calibration, spectra.take([row]), 3)[0]
    lines = {"position": train.axis.positions, f"{names[row]} (unknown)": spectra.signal[row]}
    lines |= {f"{train.samples['id'].iloc[at]} (calibration)": train.signal[at] for at in known}
    figure = cache.drawn(
        figures.beside_nearest, pd.DataFrame(lines), axis_label=train.axis.label, signal_label=train.meta.signal_label
    )
    figure_with_exports(figure, "beside_nearest", measured)


def check(calibration: Calibration, spectra: SpectraSet, labels: Mapping[str, str]) -> None:
    """Take reference values that came later, and show what they say about the calibration."""
    uploaded = st.file_uploader(
        "Reference values",
        key="references",
        help="A table with a column of ids and one per target, in the calibration's units. Rows are matched by id.",
    )
    if uploaded is None:
        return
    try:
        given = read_references({uploaded.name: uploaded.getvalue()}, calibration.train.target_info)
        found = validate(calibration, spectra, given)
    except SpectraCoreError as error:
        st.error(sentence(error), icon=":material/error:")
        return
    show_validation(found, labels)


def show_validation(found: ExternalValidation, labels: Mapping[str, str]) -> None:
    """Show errors, coverage and drift against reference values."""
    if found.unmatched:
        some = ", ".join(plain(one) for one in found.unmatched[:10])
        st.info(f"{len(found.unmatched)} reference values belong to no spectrum: {some}.", icon=":material/info:")
    st.dataframe(
        tables.worded(found.errors),
        hide_index=True,
        placeholder=tables.NONE,
        column_config=tables.columns(found.errors),
        key="external_errors",
    )
    for _, row in found.errors[found.errors["drift_p"] < 0.01].iterrows():
        st.warning(
            f"Errors of {plain(labels[row['target']])} drift by {row['drift']:.3g} per 100 spectra in measuring order "
            f"(chance without a drift: {significant(row['drift_p'])}). Measure a control sample, or calibrate anew.",
            icon=":material/trending_up:",
        )
    wide = found.coverage.pivot_table(index="target", columns="level", values="covered", sort=False).map(percent)
    wide.columns = [f"Within {percent(float(level))}" for level in wide.columns]
    st.dataframe(wide.rename(index=typeset).rename_axis(index="Target"), key="external_coverage")
    target = st.selectbox("Target", list(found.errors["target"]), format_func=labels.__getitem__, key="external_target")
    rows = found.residuals[found.residuals["target"] == target]
    drift = float(np.nan_to_num(found.errors.set_index("target").loc[target, "drift"]))
    show_figure(
        cache.drawn(figures.errors_in_order, rows, target_label=labels[target], drift=drift), key="errors_in_order"
    )
    table_export(found.residuals, "external_validation")
