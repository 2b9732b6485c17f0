"""Kept calibrations on a page: which one, what it holds, and how it is designed."""

from collections.abc import Mapping, Sequence
from functools import partial

import pandas as pd
import streamlit as st

from spectra_core.calibration import (
    Calibration,
    coefficient_table,
    diagnostics,
    figures_of_merit,
    interval_calibration,
    read,
    regression_vectors,
)
from spectra_core.calibration.reading import on_axis_of
from spectra_core.choices import Choice
from spectra_core.datasets.formulas import table_csv
from spectra_core.errors import ConfigError, SpectraCoreError
from spectra_core.evaluation.errors.verdicts import EXPLAINED
from spectra_core.preprocessing import PREPROCESSINGS
from spectra_core.regressors import REGRESSORS, Stack
from spectra_core.regressors.choice import build_regressor, regressor_title, steps_of, with_steps
from spectra_core.regressors.preprocessed import Preprocessed
from spectra_core.report import kept_calibration_report
from spectra_core.report.page import as_html
from spectra_core.spectra import SpectraSet
from spectra_core.store import Store
from ui import advice_panel, cache, deleting, state, targets, widgets
from ui.text import counted, plain, sentence, significant

_MOST_NAMED = 8
SAME = "The same"
"""What stands for a target that has no regressor of its own."""


def pick(*, of_it: bool = False) -> tuple[str, Calibration] | None:
    """Let the visitor choose a kept calibration, those on the set in hand first; None where there is none.

    With `of_it` one on other data is shown only when asked for.
    """
    records = state.store().calibrations()
    if not records:
        return None
    in_hand = state.chosen("set")
    by_id = {one.id: one for one in sorted(records, key=lambda one: (one.data != in_hand, -one.sequence))}
    ids = list(by_id)
    strange = of_it and by_id[ids[0]].data != in_hand
    if strange:
        st.info("No calibration of the data set in hand yet.", icon=":material/info:")
    called = {key: f"{one.name} · {one.created[:16].replace('T', ' ')} UTC" for key, one in by_id.items()}
    state.say_if_link_is_dead("calibration", called.values(), "a calibration")
    state.set_widget_for("calibration", f"{in_hand} {records[-1].id}", None if strange else ids[0])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        picked = st.selectbox(
            "Calibration",
            ids,
            index=None if strange else 0,
            format_func=called.__getitem__,
            key="calibration",
            bind="query-params",
            placeholder="Look at a calibration of other data",
        )
        if picked is None:
            return None
        deleting.offer_delete("calibrations", picked, by_id[picked].name, stays="Its data set stays.")
    found = cache.shared(Store.load_calibration, state.store(), picked)
    st.caption(
        f"{counted(len(found.train), 'spectrum', 'spectra')} of “{plain(found.data['name'])}”, "
        f"{counted(found.n_folds, 'fold')}, seed {found.seed}."
        + (f" Trained with “{plain(found.data['generated_name'])}” too." if "generated" in found.data else "")
    )
    return picked, found


def take_file() -> None:
    """Take a calibration file from another machine."""
    uploaded = st.file_uploader("A calibration from a file", type=["zip"], key="calibration_file")
    if uploaded is not None and st.button("Keep it", icon=":material/upload:", key="keep_calibration"):
        try:
            state.store().import_calibration(uploaded.getvalue())
        except SpectraCoreError as error:
            st.error(sentence(error), icon=":material/error:")
        else:
            state.notify("The calibration is kept.")
            st.rerun()


def design(spectra: SpectraSet) -> dict[str, Choice]:
    """Let the visitor choose targets and the regressor of each; empty while the choices do not fit together."""
    called = targets.names(spectra.target_info)
    chosen = st.multiselect(
        "Targets",
        list(called),
        default=list(called),
        format_func=called.__getitem__,
        key="calibrate_targets",
        persist_state="session",
    )
    advised = advice_panel.advised(spectra)
    # Advice is another default for every choice below, so that these are chosen anew.
    mark, first = ("", Choice("gaussian_process")) if advised is None else (f"_{advised[0][:8]}", advised[1])
    name = widgets.pick_member("Regressor", REGRESSORS, key=f"calibrate_regressor{mark}", default=first.name)
    if advised is not None:
        st.caption(f"The newest advice on these spectra puts {plain(regressor_title(first))} first.")
    with st.expander("Parameters", icon=":material/tune:"):
        presets = first.options if name == first.name else None
        options = widgets.pick_options(REGRESSORS[name], key=f"calibrate_{name}{mark}", n_columns=1, presets=presets)
    with st.expander("Preprocessing of the spectra", icon=":material/filter_alt:"):
        steps = _pick_steps(steps_of(first), mark)
    own: dict[str, str] = {}
    with st.expander("Another regressor for some targets", icon=":material/alt_route:"):
        for target in chosen:
            own[target] = st.selectbox(
                plain(called[target]),
                [SAME, *REGRESSORS],
                format_func=lambda one: one if one == SAME else REGRESSORS[one].title,
                key=f"calibrate_own_{target}",
                persist_state="session",
            )
    found = {
        target: with_steps(Choice(name, options) if own[target] == SAME else Choice(own[target]), steps)
        for target in chosen
    }
    try:
        for choice in found.values():
            build_regressor(choice)
    except ConfigError as error:
        st.error(sentence(error), icon=":material/error:")
        return {}
    return found


def _pick_steps(first: Sequence[Choice], mark: str) -> Sequence[Choice]:
    presets = {step.name: step.options for step in first}
    picked = st.multiselect(
        "Steps, in this order",
        list(PREPROCESSINGS),
        default=list(presets),
        format_func=lambda step: PREPROCESSINGS[step].title,
        key=f"calibrate_steps{mark}",
        persist_state="session",
    )
    steps = []
    for step in picked:
        member, key = PREPROCESSINGS[step], f"calibrate_{step}{mark}"
        if member.caution:
            st.warning(f"{member.title}: {member.caution}", icon=":material/warning:")
        steps.append(Choice(step, widgets.pick_options(member, key=key, n_columns=1, presets=presets.get(step))))
    return steps


def merit(where: Store, key: str) -> pd.DataFrame:
    """Return the figures of merit of a kept calibration."""
    return figures_of_merit(cache.shared(Store.load_calibration, where, key))


def verdict(merit: pd.DataFrame, called: Mapping[str, str]) -> str:
    """Say how far readings of left-out spectra err, the best told target first, and which targets are guessed."""
    told = merit[merit["q2"] >= EXPLAINED].sort_values("q2", ascending=False, kind="stable")
    rest = [plain(called[name]) for name in merit.loc[~merit["target"].isin(told["target"]), "target"]]
    if told.empty:
        return "**These spectra tell no target:** on left-out ones the readings err as guessing the mean does."
    errors = [
        f"{plain(called[row['target']])} by {significant(row['rmsecv'])} {plain(row['unit'])}".rstrip()
        for row in told.to_dict("records")
    ]
    more = f" and {len(errors) - _MOST_NAMED} more" if len(errors) > _MOST_NAMED else ""
    guessed = f" Not told, and hardly better than a guess: {', '.join(rest)}." if rest else ""
    return f"**On left-out spectra readings err** (RMSECV): {', '.join(errors[:_MOST_NAMED])}{more}.{guessed}"


def vectors(where: Store, key: str) -> pd.DataFrame:
    """Return the regression vectors of a kept calibration."""
    return regression_vectors(cache.shared(Store.load_calibration, where, key))


def curve(where: Store, key: str) -> pd.DataFrame:
    """Return how its intervals keep their promise in cross-validation."""
    return interval_calibration(cache.shared(Store.load_calibration, where, key))


def on_axis(where: Store, key: str, spectra: SpectraSet, way: str) -> SpectraSet:
    """Return unknown spectra on the axis of a kept calibration."""
    return on_axis_of(cache.shared(Store.load_calibration, where, key), spectra, way)


def readings(where: Store, key: str, spectra: SpectraSet, level: float) -> pd.DataFrame:
    """Return what a kept calibration reads from spectra on its axis."""
    return read(cache.shared(Store.load_calibration, where, key), spectra, level)


def distances(where: Store, key: str, spectra: SpectraSet) -> pd.DataFrame:
    """Return how far spectra lie from those of a kept calibration."""
    return diagnostics(cache.shared(Store.load_calibration, where, key), spectra)


def made_of(where: Store, key: str) -> pd.DataFrame:
    """Return `Stack.made_of_` of every stack in a kept calibration; empty where it holds none."""
    models = [part.model for part in cache.shared(Store.load_calibration, where, key).parts]
    inner = [model.regressor if isinstance(model, Preprocessed) else model for model in models]
    tables = [model.made_of_ for model in inner if isinstance(model, Stack)]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def offer_files(key: str, calibration: Calibration) -> None:
    """Offer the calibration as a file, and its coefficients where it has some."""
    where = state.store()  # asked now: a download is made outside the session
    with st.container(horizontal=True):
        st.download_button(
            "Calibration (ZIP)",
            partial(where.export_calibration, key),
            f"calibration-{key[:8]}.zip",  # Streamlit tells large files of one name apart by a part of each
            "application/zip",
            icon=":material/download:",
            on_click="ignore",
        )
        st.download_button(
            "Report (HTML)",
            lambda: as_html(kept_calibration_report(key, where)).encode(),
            "calibration.html",
            "text/html",
            icon=":material/article:",
            help="How far it errs, for what range it holds, its model card and how to make it again, in one file.",
            on_click="ignore",
        )
        try:
            table = coefficient_table(calibration)
        except ConfigError:
            return
        st.download_button(
            "Coefficients (CSV)",
            table_csv(table),
            "coefficients.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
