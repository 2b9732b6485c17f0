"""Which spectra and channels are left out? Summaries, rows a file ends within or hides, and what a person chose."""

from collections.abc import Sequence

import numpy as np

from spectra_core.datasets.columns import summary_rows
from spectra_core.datasets.preparing.base import Prepared
from spectra_core.datasets.questions import Problem, choice, listed
from spectra_core.datasets.recipe import Recipe
from spectra_core.datasets.table import ImportTable
from spectra_core.spectra.text import counted


def leave_out_spectra(result: Prepared, table: ImportTable, ids: tuple[str, ...], recipe: Recipe) -> None:
    """Mask summaries, rows that a file ends within, and spectra left out by choice."""
    summary = summary_rows(ids)
    if summary:
        names = listed([f"{ids[row]!r} ({table.places[row]})" for row in summary])
        leave = recipe.summary_rows != "keep"
        result.rows[summary] = not leave
        options = (
            choice("Leave them out", summary_rows="leave out"),
            choice("Keep them as spectra", summary_rows="keep"),
        )
        result.problems.append(
            Problem(
                "summary rows",
                f"{counted(len(summary), 'row looks like a summary and is', 'rows look like summaries and are')} "
                f"{'left out' if leave else 'kept'}: {names}.",
                options,
                False,
                tuple(summary),
            )
        )
    if table.cut:
        leave = recipe.cut_rows != "keep"
        result.rows[list(table.cut)] = not leave
        names = listed([table.places[row] for row in table.cut])
        result.problems.append(
            Problem(
                "cut rows",
                f"The file ends within a row, which is {'left out' if leave else 'kept'}: {names}.",
                (choice("Leave it out", cut_rows="leave out"), choice("Keep it", cut_rows="keep")),
                False,
                table.cut,
            )
        )
    if table.hidden:
        result.problems.append(_hidden(result, table, ids, recipe))
    chosen, unknown = _chosen_rows(recipe.leave_out_spectra, ids)
    if unknown:
        names = listed([str(one) for one in unknown])
        text = f"No spectrum is called {names}, so there is none to leave out. Give an id as the files write it."
        known = tuple(one for one in recipe.leave_out_spectra if one not in unknown)
        result.problems.append(Problem("unknown ids", text, (choice("Go on without", leave_out_spectra=known),)))
    if chosen:
        result.rows[chosen] = False
        result.problems.append(
            Problem(
                "left out",
                f"{counted(len(chosen), 'spectrum is', 'spectra are')} left out as chosen: "
                f"{listed([ids[row] for row in chosen])}.",
                (choice("Use all", leave_out_spectra=()),),
                False,
                tuple(chosen),
            )
        )


def _hidden(result: Prepared, table: ImportTable, ids: tuple[str, ...], recipe: Recipe) -> Problem:
    """Ask about spectra that their file hides: a filter may have been meant to leave them out, or not."""
    if recipe.hidden_rows == "leave out":
        result.rows[list(table.hidden)] = False
    done = {"leave out": "They are left out.", "keep": "They are kept."}
    names = listed([f"{ids[row]} ({table.places[row]})" for row in table.hidden])
    said = counted(len(table.hidden), "spectrum is", "spectra are")
    text = f"{said} hidden in the file, by hand, by a filter or as excluded: {names}. "
    text += done.get(recipe.hidden_rows or "", "Say whether they are to be used.")
    ways = choice("Leave them out", hidden_rows="leave out"), choice("Use them", hidden_rows="keep")
    return Problem("hidden rows", text, ways, recipe.hidden_rows is None, table.hidden)


def leave_out_channels(result: Prepared, recipe: Recipe) -> None:
    """Drop the channels in the ranges that were left out by choice."""
    if not recipe.leave_out_channels:
        return
    keep = np.ones(len(result.positions), dtype=bool)
    for low, high in recipe.leave_out_channels:
        keep &= ~((result.positions >= min(low, high)) & (result.positions <= max(low, high)))
    n_out = int((~keep).sum())
    if keep.any():
        result.order, result.positions = result.order[keep], result.positions[keep]
    result.problems.append(
        Problem(
            "left out",
            f"{counted(n_out, 'channel is', 'channels are')} left out as chosen.",
            (choice("Use all", leave_out_channels=()),),
            False,
        )
    )


def _chosen_rows(chosen: Sequence[int | str], ids: Sequence[str]) -> tuple[list[int], list[int | str]]:
    """Return the rows that ids (all of them, where one repeats) and numbers name, and what names none."""
    where: dict[str, list[int]] = {}
    for row, name in enumerate(ids):
        where.setdefault(name, []).append(row)
    rows: set[int] = set()
    unknown: list[int | str] = []
    for one in chosen:
        found = where.get(one, []) if isinstance(one, str) else [one - 1] if 1 <= one <= len(ids) else []
        rows.update(found)
        unknown += [] if found else [one]
    return sorted(rows), unknown
