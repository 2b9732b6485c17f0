"""What I understood: the guess about uploaded files, its reasons, and every way to change it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from spectra_core.datasets import Point, Recipe, Understanding
from spectra_core.datasets.columns import ROLE_WORDS
from spectra_core.datasets.questions import UndecidedError, listed
from spectra_core.datasets.table import text_points
from spectra_core.errors import ConfigError, ReadError, SpectraCoreError
from spectra_core.figures.imports import import_preview
from spectra_core.figures.theme import thousands
from ui import cache, state, tables
from ui import import_questions as questions
from ui.figures import show_figure
from ui.text import counted, sentence

_BOX = "import_files_box"
"""Of 512 MB Streamlit says 1 GB."""
_UNCHANGED = "as it is"
_OF_COLUMNS = ("column ", "target ")
_CONVERSIONS = {
    "convert_axis": ("Axis in", ("nm", "cm-1", "eV")),
    "convert_signal": ("Signal as", ("Absorbance", "Transmittance")),
    "convert_targets": ("Targets in", ("mol/L", "mmol/L", "µmol/L", "g/L", "mg/L", "µg/L")),
}


def upload(draft: state.ImportDraft | None) -> None:
    """Take files; their bytes go to the store at once, since the widget forgets them on a page switch."""
    whole_folder = st.toggle("A whole folder", key="import_folder", persist_state="session")
    with st.container(key=_BOX, gap="xsmall"):
        files = st.file_uploader(
            "Files with spectra, axis or targets",
            accept_multiple_files="directory" if whole_folder else True,
            key=f"import_files_{state.import_round()}_{whole_folder}",
            help="CSV and other text, Excel, JCAMP-DX, SPC, instrument exports, MATLAB, NumPy, Parquet, HDF5, or a "
            "zip. Files that belong together, such as spectra and concentrations, are given together.",
        )
        st.caption("At most 512 MB a file.")
    before = draft if draft is not None else state.ImportDraft()
    new = [one for one in files or [] if one.file_id not in before.seen]
    if not new:
        return
    kept = tuple(state.store().save_upload(one.name, one.getvalue()) for one in new)
    seen = (*before.seen, *(one.file_id for one in new))
    state.set_import_draft(replace(before, uploads=(*before.uploads, *kept), seen=seen))
    st.rerun()


def show(draft: state.ImportDraft) -> None:
    """Show what was understood of the files in hand, and let the person change, save or drop it."""
    recipe = Recipe.from_json(draft.recipe)
    try:
        found = cache.understanding(state.home(), draft.uploads, draft.recipe)
    except SpectraCoreError as error:
        st.error(sentence(error), icon=":material/error:")
        _ways_out(error, draft, recipe)
        _offer_way_back(draft)
        return
    for problem in found.open_questions:
        questions.ask(problem, draft, recipe)
    left, right = st.columns([2, 3], gap="large")
    with left:
        st.subheader("What I understood")
        names = [name for name, _ in found.sources]
        st.caption(f"Files in hand: {sentence(listed(names, 10))}")
        # Beside what was understood, where one looks for it: what can be changed may reach far down.
        _finish(found, draft)
        _points(found, draft, recipe)
    with right:
        _preview(found)
        _remarks(found, draft, recipe)
    _columns(found, draft, recipe)
    _more_decisions(found, draft, recipe)


def _points(found: Understanding, draft: state.ImportDraft, recipe: Recipe) -> None:
    _draw_points([point for point in found.points if not point.key.startswith(_OF_COLUMNS)], draft, recipe)


def _draw_points(points: Iterable[Point], draft: state.ImportDraft, recipe: Recipe) -> None:
    for point in points:
        changes = questions.point(point, draft)
        if changes is not None:
            questions.decide(draft, recipe, changes)


def _ways_out(error: SpectraCoreError, draft: state.ImportDraft, recipe: Recipe) -> None:
    """Show what the files were taken for, or how text may be written, so that a person can say otherwise."""
    if isinstance(error, UndecidedError):
        st.subheader("What I understood")
        st.caption("Say what each table holds, or add the file that is missing above.")
        _draw_points(error.points, draft, recipe)
        return
    with st.expander("How the text is written", icon=":material/tune:"):
        _draw_points(text_points(recipe), draft, recipe)


def _preview(found: Understanding) -> None:
    prepared = found.prepared
    n_used, n_all = int(prepared.rows.sum()), len(prepared.rows)
    words = f"{thousands(n_used)} spectra" if n_used == n_all else f"{thousands(n_used)} of {thousands(n_all)} spectra"
    n_targets = len(found.target_info)
    n_positions = thousands(len(prepared.positions))
    st.subheader(f"{words}, {n_positions} channels, {counted(n_targets, 'target')}")
    sample = found.sample()
    figure = import_preview(
        sample,
        axis_label=_label(prepared.axis_quantity, prepared.axis_unit),
        signal_label=_label(prepared.signal_quantity, prepared.signal_unit),
    )
    show_figure(figure, key="import_preview")
    drawn = sample["spectrum"].nunique()
    n_channels = sample["position"].nunique()
    if drawn < n_all or n_channels < len(prepared.positions):
        channels = (
            "" if n_channels == len(prepared.positions) else f" and {thousands(n_channels)} of {n_positions} channels"
        )
        st.caption(f"{drawn} of {thousands(n_all)} spectra{channels} are drawn.")
    table = found.preview().rename(columns={"id": "Id", "used": "Used"})
    st.dataframe(table, hide_index=True, key="import_table")


def _label(quantity: str, unit: str) -> str:
    return f"{quantity}, {unit}" if unit else quantity


def _remarks(found: Understanding, draft: state.ImportDraft, recipe: Recipe) -> None:
    remarks = [problem for problem in found.problems if not problem.blocking]
    for problem in remarks:
        st.info(sentence(problem.text), icon=":material/info:")
        questions.choices(problem, draft, recipe)
    if found.table.notes:
        with st.expander(f"{counted(len(found.table.notes), 'note')} from reading"):
            for note in found.table.notes[:100]:
                st.markdown(f"- {sentence(note)}")


def _columns(found: Understanding, draft: state.ImportDraft, recipe: Recipe) -> None:
    """Show the role of every column beside the spectra, and what is known of every target."""
    if not found.roles:
        st.caption(
            "No columns stand beside the spectra, so there are no targets yet. Give the file with targets as well."
        )
        return
    st.subheader("Columns beside the spectra")
    reasons = {point.key: point.reason for point in found.points}
    targets = {
        one.column.name: target
        for one, target in zip([r for r in found.roles if r.role == "target"], found.target_info, strict=True)
    }
    if any(target.charge is not None for target in targets.values()):
        st.caption("Charges that a name does not state are the usual ones in water: please check them.")
    rows = []
    for one in found.roles:
        target = targets.get(one.column.name)
        why = reasons.get(f"target {one.column.name}", "") if target is not None else ""
        rows.append(
            {
                "column": one.column.name,
                "role": ROLE_WORDS[one.role],
                "name": target.name if target else "",
                "unit": target.unit if target else "",
                "charge": target.charge if target else None,
                "molar mass": target.molar_mass if target else None,
                "reason": "; ".join(filter(None, [one.reason, why])),
            }
        )
    table = pd.DataFrame(rows).astype({"charge": "Int64", "molar mass": "Float64"})
    edited = st.data_editor(
        table,
        hide_index=True,
        placeholder=tables.NONE,
        disabled=["column", "reason"],
        key=questions.widget_key(draft, "columns"),
        column_config={
            "column": "Column",
            "name": "Name",
            "unit": "Unit",
            "role": st.column_config.SelectboxColumn("Role", options=list(ROLE_WORDS.values()), required=True),
            "charge": st.column_config.NumberColumn("Charge", min_value=-8, max_value=8, step=1, format="%+d"),
            "molar mass": st.column_config.NumberColumn("Molar mass, g/mol", min_value=0.0),
            "reason": st.column_config.TextColumn("Why", width="large"),
        },
    )
    changes = _edits(table, edited)
    if changes:
        questions.decide(draft, recipe, changes)


def _edits(before: pd.DataFrame, after: pd.DataFrame) -> dict[str, Any]:
    """Return the decisions that lie between two states of the table of columns."""
    roles: dict[str, str] = {}
    targets: dict[str, dict[str, Any]] = {}
    keys = {words: key for key, words in ROLE_WORDS.items()}
    for old, new in zip(before.to_dict("records"), after.to_dict("records"), strict=True):
        name = str(old["column"])
        if new["role"] != old["role"]:
            roles[name] = keys[str(new["role"])]
        facts = {"name": "name", "unit": "unit", "charge": "charge", "molar mass": "molar_mass"}
        changed = {to: _value(new[of]) for of, to in facts.items() if _value(new[of]) != _value(old[of])}
        if changed and old["role"] == ROLE_WORDS["target"]:
            known = {to: _value(old[of]) for of, to in facts.items()}
            targets[name] = {**known, **changed}
    return {key: value for key, value in (("columns", roles), ("targets", targets)) if value}


def _value(value: Any) -> Any:
    return None if pd.isna(value) else value


def _more_decisions(found: Understanding, draft: state.ImportDraft, recipe: Recipe) -> None:
    with (
        st.expander("Convert, leave out, name", icon=":material/tune:"),
        st.form(questions.widget_key(draft, "more"), border=False),
    ):
        columns = st.columns(3)
        changes: dict[str, Any] = {}
        for place, (key, (title, goals)) in zip(columns, _CONVERSIONS.items(), strict=True):
            now = getattr(recipe, key) or _UNCHANGED
            options = [_UNCHANGED, *goals]
            picked = place.selectbox(title, options, options.index(now) if now in options else 0)
            changes[key] = None if picked == _UNCHANGED else picked
        ranges = st.text_input(
            "Leave out channels, as ranges",
            "; ".join(f"{low:g} to {high:g}" for low, high in recipe.leave_out_channels),
            placeholder="190 to 200; 350 to 360",
        )
        out = st.text_input(
            "Leave out spectra, by id",
            "; ".join(_id_of(one, found.ids) for one in recipe.leave_out_spectra),
            placeholder="A3; A17",
            help="Ids as in the table above, parted by semicolons. #12 is the twelfth spectrum of the files.",
        )
        grid = st.text_input(
            "Resample onto an even grid",
            "" if recipe.grid is None else "{:g} to {:g} by {:g}".format(*recipe.grid),
            placeholder="400 to 700 by 2",
            help="First and last position and step, in the unit of the file; linear interpolation.",
        )
        name = st.text_input("Name of the set", recipe.name or "", placeholder=found.name)
        if not st.form_submit_button("Apply"):
            return
        try:
            changes |= {
                "leave_out_channels": tuple(_ranges(ranges)),
                "leave_out_spectra": tuple(map(_left_out, filter(None, map(str.strip, out.split(";"))))),
                "grid": _grid(grid),
                "name": name.strip() or None,
            }
        except ConfigError as error:
            st.error(sentence(error), icon=":material/error:")
            return
    questions.decide(draft, recipe, changes)


def _ranges(text: str) -> Iterable[tuple[float, float]]:
    for piece in filter(str.strip, text.split(";")):
        ends = piece.split("to")
        try:
            low, high = float(ends[0]), float(ends[-1])
        except ValueError as error:
            raise ConfigError(
                "A range of channels is written as '190 to 200'; several are parted by semicolons."
            ) from error
        yield low, high


def _id_of(one: int | str, ids: Sequence[str]) -> str:
    """Return how a person writes a spectrum that is left out: by its id where that is its own."""
    if isinstance(one, str):
        return one
    name = ids[one - 1] if 1 <= one <= len(ids) else ""
    return name if name and ids.count(name) == 1 else f"#{one}"


def _left_out(text: str) -> int | str:
    return int(text[1:]) if text[:1] == "#" and text[1:].isdigit() else text


def _grid(text: str) -> tuple[float, float, float] | None:
    if not text.strip():
        return None
    ends, _, step = text.partition("by")
    first, _, last = ends.partition("to")
    try:
        return float(first), float(last), float(step)
    except ValueError as error:
        raise ConfigError("A grid is written as '400 to 700 by 2': first and last position, and the step.") from error


def _finish(found: Understanding, draft: state.ImportDraft) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        ready = not found.open_questions
        if st.button("Save and use", type="primary", icon=":material/check:", disabled=not ready, key="import_save"):
            _save(found)
        st.download_button(
            "Save the recipe",
            found.recipe_used().to_json(),
            "import_recipe.json",
            "application/json",
            icon=":material/download:",
            help="Reads the next file of this kind the same way, here and on the command line.",
            key="import_recipe",
            on_click="ignore",
        )
        _offer_recipe(draft)
        _offer_way_back(draft)
    if not ready:
        st.caption("Decide the open questions above first.")
    assumed = [f"{point.title}: {point.value}" for point in found.assumed if not point.key.startswith(_OF_COLUMNS)]
    assumed += _assumed_columns(found)
    if assumed:
        st.caption(f"Assumed, since nobody said otherwise: {sentence('; '.join(assumed))}.")


def _assumed_columns(found: Understanding) -> list[str]:
    """Say in few words what the columns were taken for that nobody decided about."""
    said = []
    for role, words in ROLE_WORDS.items():
        names = [one.column.name for one in found.roles if one.role == role and not one.decided]
        said += [f"{words}: {listed(names)}"] if names else []
    return said


def _save(found: Understanding) -> None:
    try:
        spectra = found.build()
    except ReadError as error:
        st.error(sentence(error), icon=":material/error:")
        return
    fingerprint = state.keep_set(spectra)
    state.end_import()
    state.notify(
        f"{counted(len(spectra), 'spectrum is', 'spectra are')} kept and in hand. Explore says whether they are fit "
        "for a calibration, Advice what would help it."
    )
    state.choose_experimental(fingerprint)


def _offer_recipe(draft: state.ImportDraft) -> None:
    with st.popover("Use a recipe", icon=":material/receipt_long:"):
        file = st.file_uploader(
            "Recipe of an earlier import", key=questions.widget_key(draft, "recipe"), max_upload_size=1
        )
        if file is None:
            return
        try:
            recipe = Recipe.from_json(file.getvalue().decode("utf-8", errors="replace"))
        except ConfigError as error:
            st.error(sentence(error), icon=":material/error:")
            return
        questions.decide(draft, Recipe(), vars(recipe))


def _offer_way_back(draft: state.ImportDraft) -> None:
    if Recipe.from_json(draft.recipe) != Recipe() and st.button("Undo all decisions", key="import_undo"):
        state.set_import_draft(replace(draft, recipe="{}"))
        st.rerun()
    if st.button("Other files", key="import_drop"):
        state.end_import()
        st.rerun()
