"""What a person should know of a set before it is kept, though nothing is wrong with the file."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spectra_core.datasets.columns import Role, target_of
from spectra_core.datasets.ions import AMOUNT_UNITS, MASS_UNITS, concentration_unit, named_target
from spectra_core.datasets.numbers import parse_number
from spectra_core.datasets.preparing.base import Prepared
from spectra_core.datasets.questions import Problem, choice, listed
from spectra_core.datasets.readers.cell_formats import NEVER_COMPUTED
from spectra_core.datasets.recipe import Recipe
from spectra_core.spectra.text import counted

USUAL_FOLDS = 8
FEW_SPECTRA = 3 * USUAL_FOLDS
_MOSTLY, _PARTLY = 0.8, 0.7
_OWN_UNIT = ("ph", "brix", "bx")
"""Quantities that are called after their unit, or have none."""
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d|(?:\d+ days?, )?\d+:\d\d")
"""A date or a duration: what a spreadsheet makes of a number that is shown as one."""
_AMOUNT = re.compile(
    r"\d+\s*[/\u2044]\s*\d+|\d*\s*[\xbc-\xbe\u2150-\u215e]"
    r"|[-+]?\d[\d.,]*(?:[eE][-+]?\d+)?\s*(?:(?:±|\+/?-)\s*\d.*|\(\d[\d.,]*\).*|([^\W\d]\S*|%))"
)


def remarks(roles: Sequence[Role], prepared: Prepared, groups: Sequence[str] | None, recipe: Recipe) -> list[Problem]:
    """Return sentences on targets that tell little, on few spectra and on units that are not known."""
    kept = np.flatnonzero(prepared.rows)
    targets = [one for one in roles if one.role == "target" and one.column.numbers is not None]
    found = _on_targets(targets, kept, recipe) if targets else [
        _remark("no targets", "There are no targets: spectra can be looked at, generated and compared, not calibrated.")
    ]  # fmt: skip
    return [*found, *_on_amounts_in_text(roles), *_on_number(kept, groups), *_on_axis(prepared)]


def on_formulas(roles: Sequence[Role]) -> list[Problem]:
    """Ask about columns whose values are missing because nobody computed their formulas."""
    found: dict[str, Problem] = {}
    for one in roles:
        column = one.column
        n_lacking = sum(cell == NEVER_COMPUTED for cell in column.text or tuple(column.odd.values()))
        if not one.decided and (n_lacking or NEVER_COMPUTED in column.name):
            where = f" of {counted(n_lacking, 'spectrum', 'spectra')}" if n_lacking else ""
            text = (
                f"The formulas in {column.name!r}{where} were never computed, so that the file lacks their values. "
                "Open the workbook in a spreadsheet program, save it, and give it again."
            )
            way = choice(f"Do not use {column.name}", columns={column.name: "ignored"})
            found[column.name] = Problem("formulas", text, (way,))
    return list(found.values())


def on_unit_columns(roles: Sequence[Role]) -> list[Problem]:
    """Ask about a column of units that differ from row to row: targets beside it are not in one unit."""
    targets = [one.column.name for one in roles if one.role == "target"]
    found = []
    for one in roles:
        cells = {cell.strip() for cell in one.column.text or () if cell.strip()}
        units = {concentration_unit(cell) for cell in cells}
        if one.decided or not targets or len(units) < 2 or None in units:
            continue
        name = one.column.name
        text = f"{name!r} holds different units ({listed(sorted(cells))}), so that a target may not be in one unit. "
        text += "Write all of its values in one unit, or say what the column is."
        ways = [choice(f"Do not use {target}", columns={target: "ignored", name: "ignored"}) for target in targets[:8]]
        ways.append(choice("It says nothing of the targets", columns={name: "ignored"}))
        found.append(Problem("unit column", text, tuple(ways)))
    return found


def _on_targets(targets: Sequence[Role], kept: NDArray[np.intp], recipe: Recipe) -> list[Problem]:
    negative, constant, unitless = [], [], []
    for one in targets:
        target, _ = target_of(one.column, recipe)
        values = np.asarray(one.column.numbers, dtype=np.float64)[kept]
        values = values[np.isfinite(values)]
        concentration = target.unit in {*AMOUNT_UNITS, *MASS_UNITS} or target.molar_mass is not None
        if concentration and (values < 0).any():
            negative.append(f"{target.name} ({int((values < 0).sum())})")
        if len(values) > 1 and (values == values[0]).all():
            constant.append(f"{target.name} ({values[0]:g})")
        if not target.unit and target.name.lower().strip("°") not in _OWN_UNIT:
            unitless.append(target.name)
    found = []
    if negative:
        text = f"Some concentrations are negative: {listed(negative)}. Correct them in the file, or leave them out."
        found.append(_remark("negative targets", text))
    if constant:
        text = f"The same value in every spectrum: {listed(constant)}. Nothing can be calibrated on such a target."
        found.append(_remark("constant targets", text))
    if unitless:
        text = (
            f"No unit is known of {listed(unitless)}. Errors are then told without one; write it into the table below."
        )
        found.append(_remark("missing units", text))
    return found


def _on_amounts_in_text(roles: Sequence[Role]) -> list[Problem]:
    """Name columns of amounts that are no targets, because their cells are no single numbers in one unit."""
    found = []
    for one in roles:
        cells = [cell for cell in one.column.text or () if cell.strip()]
        named = named_target(one.column.name)
        n_amounts, odd = sum(map(_is_amount, cells)), cells
        if named.formula or named.unit:
            n_amounts += sum(_MOMENT.match(cell) is not None for cell in cells)
            odd = [cell for cell in cells if parse_number(cell) is None] or cells
        is_partly = one.role == "ignored" and not one.decided and len(odd) <= _PARTLY * len(cells)
        if one.role != "target" and cells and (is_partly or n_amounts >= _MOSTLY * len(cells)):
            found.append(f"{one.column.name} ('{odd[0]}')")
    if not found:
        return []
    text = f"Not used as targets, since their cells are no single numbers in one unit: {listed(found)}. Write them so."
    return [_remark("amounts in text", text)]


def _is_amount(cell: str) -> bool:
    """Whether a cell is a number with its uncertainty or with a unit, or a fraction.

    >>> [_is_amount(cell) for cell in ("0.10 ± 0.01", "0,1 +/- 0.01", "5 mM", "2 nm", "01-May", "12b", "0.1 (0.01)")]
    [True, True, True, False, False, False, True]
    >>> [_is_amount(cell) for cell in ("1/10", "3 ½", "10/", "A/10")]
    [True, True, False, False]
    """
    match = _AMOUNT.fullmatch(cell.strip())
    return match is not None and (match[1] is None or concentration_unit(match[1]) is not None)


def _on_number(kept: NDArray[np.intp], groups: Sequence[str] | None) -> list[Problem]:
    n_independent = len(kept) if groups is None else len({groups[row] for row in kept})
    if len(kept) < 2:
        return []  # said elsewhere
    if n_independent == 1:
        text = f"All {len(kept)} spectra are one group, so no part can be held out to test on."
        return [_remark("one group", text)]
    if n_independent >= FEW_SPECTRA:
        return []
    said = counted(n_independent, "spectrum", "spectra") if groups is None else f"{n_independent} independent spectra"
    if n_independent < USUAL_FOLDS:
        text = f"With {said}, the usual {USUAL_FOLDS} folds are too many: choose at most {n_independent}."
        text += " Networks learn little from so few, and errors are uncertain."
    else:
        text = f"With {said}, each of {USUAL_FOLDS} folds tests on about {round(n_independent / USUAL_FOLDS)}: "
        text += "errors are uncertain, and networks learn little."
    return [_remark("few spectra", text)]


def _on_axis(prepared: Prepared) -> list[Problem]:
    if prepared.axis_unit or prepared.axis_quantity == "Channel":
        return []
    return [_remark("axis without a unit", "No unit of the axis is known. Choose one beside Axis.")]


def _remark(kind: str, text: str) -> Problem:
    return Problem(kind, text, (), False)
