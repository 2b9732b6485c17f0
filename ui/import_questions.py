"""Questions about files in hand: what is asked, how each answer would read them, and the answers that need a number."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from spectra_core.datasets import Point, Problem, Recipe
from spectra_core.datasets.preparing import AXIS_CHOICES
from spectra_core.errors import SpectraCoreError
from ui import cache, state
from ui.text import counted, plain, sentence

_SHOWN_SPECTRA, _SHOWN_CHANNELS = 3, 4


def decide(draft: state.ImportDraft, recipe: Recipe, changes: Mapping[str, Any]) -> None:
    """Add decisions to the recipe and run again."""
    state.set_import_draft(replace(draft, recipe=recipe.but(**changes).to_json()))
    st.rerun()


def widget_key(draft: state.ImportDraft, *names: str) -> str:
    """Return a widget key that changes with every decision, so that widgets show the guess that follows from it."""
    return hashlib.sha1("\0".join([draft.recipe, *draft.uploads, *names]).encode(), usedforsecurity=False).hexdigest()


def ask(problem: Problem, draft: state.ImportDraft, recipe: Recipe) -> None:
    """Show a question with its answers."""
    with st.container(border=True):
        st.markdown(f":material/help: **Please decide.** {sentence(problem.text)}")
        if problem.readings:
            _readings(problem, draft, recipe)
        else:
            choices(problem, draft, recipe)
        titles = [one.removeprefix("no channel ") for one in problem.asks if one.startswith("no channel ")]
        if titles:
            _no_channels(titles, draft, recipe)
        if "axis ends" in problem.asks:
            _axis_ends(draft, recipe)
        limits = [one.removeprefix("limit of ") for one in problem.asks if one.startswith("limit of ")]
        if limits:
            _limits(limits, draft, recipe)


def choices(problem: Problem, draft: state.ImportDraft, recipe: Recipe) -> None:
    """Show the answers to a problem as buttons."""
    with st.container(horizontal=True):
        for number, one in enumerate(problem.choices):
            if st.button(plain(one.label), key=widget_key(draft, problem.kind, problem.text, str(number))):
                decide(draft, recipe, one.changes)


def point(found: Point, draft: state.ImportDraft) -> Mapping[str, Any] | None:
    """Draw one point; return the decisions of another choice."""
    reason = "your decision" if found.decided else found.reason
    if not found.choices:
        st.markdown(f"**{plain(found.title)}**  \n{sentence(found.value)} — {sentence(reason)}")
        return None
    others = [one for one in found.choices if one.label != found.value]
    labels = [found.value, *(one.label for one in others)]
    chosen = st.selectbox(
        plain(found.title),
        range(len(labels)),
        format_func=labels.__getitem__,
        key=widget_key(draft, "point", found.key),
    )
    st.caption(sentence(reason))
    return others[chosen - 1].changes if chosen else None


def _readings(problem: Problem, draft: state.ImportDraft, recipe: Recipe) -> None:
    """Show the first spectra as each answer reads them, side by side, each under its button."""
    for number, (place, one) in enumerate(zip(st.columns(len(problem.choices)), problem.choices, strict=True)):
        with place:
            key = widget_key(draft, problem.kind, problem.text, str(number))
            if st.button(plain(one.label), key=key, width="stretch"):
                decide(draft, recipe, one.changes)
            try:
                read = cache.understanding(state.home(), draft.uploads, recipe.but(**one.changes).to_json())
            except SpectraCoreError as error:
                st.caption(sentence(error))
                continue
            n_spectra, n_channels = int(read.prepared.rows.sum()), read.table.signal.shape[1]
            st.caption(
                f"{counted(n_spectra, 'spectrum', 'spectra')}, {counted(n_channels, 'channel')}, beginning with:"
            )
            shown = read.preview(_SHOWN_SPECTRA, _SHOWN_CHANNELS, used=True).drop(columns="used")
            shown = shown.rename(columns={"id": "Id"})
            st.dataframe(shown, hide_index=True, key=f"reading_{key}")


def _no_channels(titles: list[str], draft: state.ImportDraft, recipe: Recipe) -> None:
    """Take the columns of numbers that are targets, where names cannot tell them from channels."""
    with st.form(widget_key(draft, "no channels"), border=False):
        named = st.multiselect("Columns that are no channels, such as targets", titles)
        if st.form_submit_button("Take them for targets") and named:
            decide(draft, recipe, {"columns": dict.fromkeys(named, "target")})


def _axis_ends(draft: state.ImportDraft, recipe: Recipe) -> None:
    """Take first and last position of channels that lie evenly."""
    with st.form(widget_key(draft, "axis ends"), enter_to_submit=False, border=False):
        first, last, unit = st.columns(3)
        low = first.number_input("First position", value=None, key=widget_key(draft, "axis first"))
        high = last.number_input("Last position", value=None, key=widget_key(draft, "axis last"))
        number = unit.selectbox(
            "Axis of the channels", range(len(AXIS_CHOICES)), format_func=lambda at: AXIS_CHOICES[at].label
        )
        if not st.form_submit_button("Use these positions"):
            return
    if low is None or high is None or low == high:
        st.error("Give a first and a last position that differ.", icon=":material/error:")
        return
    decide(draft, recipe, {"axis_first": low, "axis_last": high, **AXIS_CHOICES[number].changes})


def _limits(names: list[str], draft: state.ImportDraft, recipe: Recipe) -> None:
    """Take the limits that cells such as "LOD" do not name, and what is to stand for them."""
    with st.form(widget_key(draft, "limits"), enter_to_submit=False, border=False):
        places = st.columns(min(len(names), 4))
        given = {
            name: places[number % len(places)].number_input(f"Limit of {plain(name)}", value=None, format="%g")
            for number, name in enumerate(names)
        }
        with st.container(horizontal=True):
            half = st.form_submit_button("Half the limit")
            whole = st.form_submit_button("The limit")
    if not half and not whole:
        return
    if any(value is None for value in given.values()):
        st.error("Give a limit for each of them.", icon=":material/error:")
        return
    decide(draft, recipe, {"limits": given, "censored": "half" if half else "limit"})
