"""Understand files: what was guessed and why, what is open, and the set that comes of it."""

import json
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from spectra_core.datasets.building import built_axis, built_samples, built_signal, built_targets
from spectra_core.datasets.columns import Role, charge_points, column_roles, role_points, target_of
from spectra_core.datasets.computed import on_computed
from spectra_core.datasets.conversions import converted_signal
from spectra_core.datasets.document import Document
from spectra_core.datasets.files import Files, contents_of, files_of
from spectra_core.datasets.groups import group_points, group_values
from spectra_core.datasets.ids import filled_ids, on_blank_ids
from spectra_core.datasets.joining import joined
from spectra_core.datasets.kinds import on_kinds, on_nameless
from spectra_core.datasets.own import own_part, own_recipe, own_set, own_table
from spectra_core.datasets.parts import Grid, Part
from spectra_core.datasets.preparing import Prepared, prepared
from spectra_core.datasets.preparing.beyond_limits import within_limits
from spectra_core.datasets.questions import Point, Problem, UndecidedError, listed
from spectra_core.datasets.recipe import Recipe
from spectra_core.datasets.remarks import on_formulas, on_unit_columns, remarks
from spectra_core.datasets.resampling import even_grid
from spectra_core.datasets.sandbox import Sources, parse_files
from spectra_core.datasets.table import ImportTable, assemble, ways_out
from spectra_core.errors import ReadError, SpectraError
from spectra_core.spectra import SetMeta, SpectraSet, Target

_WARNED = frozenset({"equal targets", "summary rows", "cut rows"})
"""Kinds of problems that block nothing, but change or may spoil what is built: a script is warned of them."""


class DataWarning(UserWarning):
    """Something about data that were read which a person should know."""


@dataclass(eq=False)
class Understanding:
    """What files hold under a recipe.

    Parameters
    ----------
    parts
        What the readers found.
    recipe
        What a person decided.
    sources
        Name and sha256 per file.
    """

    parts: Sequence[Part]
    recipe: Recipe
    sources: Sources
    points: list[Point] = field(init=False)
    problems: list[Problem] = field(init=False)
    table: ImportTable = field(init=False)
    roles: list[Role] = field(init=False)
    prepared: Prepared = field(init=False)
    decided: Recipe = field(init=False)
    document: Document | None = field(init=False)

    def __post_init__(self) -> None:
        own = own_part(self.parts)
        self.decided = self.recipe
        self.document = None if own is None else own[1]
        if own is not None:
            self.table, targets = own_table(*own), list[Grid]()
            self.recipe = own_recipe(own[1], self.recipe)
            said = Point(
                "format", "Format", own[0].facts["format"], f"a set of {own[1].origin} spectra, exported before"
            )
            points, problems = [said], list[Problem]()
        else:
            try:
                self.table, targets, points, problems = assemble(self.parts, self.recipe)
            except ReadError as error:
                raise UndecidedError(str(error), ways_out(self.parts, self.recipe)) from error
        columns, more_points, more_problems = joined(self.table, targets, self.recipe)
        self.roles = column_roles(columns, self.recipe)
        self.table, self.roles, limit_points, beyond = within_limits(self.table, self.roles, self.ids, self.recipe)
        self.prepared = prepared(self.table, self.roles, self.ids, self.recipe, waits=bool(beyond))
        self.points = [*points, *self.prepared.points, *limit_points, *more_points, *role_points(self.roles)]
        self.problems = [*problems, *more_problems, *beyond, *self.prepared.problems]
        if own is None:
            self.problems += [*on_formulas(self.roles), *on_unit_columns(self.roles)]
            self.problems += on_blank_ids(self.roles, self.recipe)
            self.problems += on_kinds(self.ids, self.roles, self.table.signal, self.prepared.rows, self.recipe)
            self.problems += on_nameless(self.table, self.roles, self.prepared.rows, self.recipe)
            self.problems += on_computed(self.roles, self.table.signal)
        if self.table.odd and not any(problem.kind in {"gaps", "censored"} for problem in self.problems):
            cells = listed([repr(cell) for _, _, cell in self.table.odd])
            self.problems.append(Problem("odd cells", f"Some cells hold text instead of numbers: {cells}.", (), False))
        group_said, same = group_points(self.roles, self.ids, self.table.signal, self.recipe)
        self.points += [*group_said, *charge_points(self.roles, self.recipe)]
        if self.recipe.grid is not None:
            self.points.append(_grid_point(self.recipe))
        groups = group_values(self.roles, self.ids, self.recipe)
        self.problems += [*same, *remarks(self.roles, self.prepared, groups, self.recipe)]

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Name of every spectrum in the table: from the column of ids, else its title, else its number."""
        column = next((one.column for one in self.roles if one.role == "id"), None)
        if column is not None:
            return filled_ids(column.cells(), self.recipe)
        if any(self.table.names):
            return tuple(name or place for name, place in zip(self.table.names, self.table.places, strict=True))
        return tuple(str(number) for number in range(1, len(self.table.signal) + 1))

    @property
    def open_questions(self) -> list[Problem]:
        """Problems that must be decided before a set can be built."""
        return [problem for problem in self.problems if problem.blocking]

    @property
    def warnings(self) -> list[str]:
        """Sentences about what a person should know."""
        return [problem.text for problem in self.problems if not problem.blocking] + list(self.table.notes)

    @property
    def assumed(self) -> list[Point]:
        """What was guessed and could be otherwise: worth a look before the set is kept."""
        return [point for point in self.points if point.choices and not point.decided]

    @property
    def target_info(self) -> tuple[Target, ...]:
        """The targets, with unit, charge and molar mass, before any conversion."""
        return tuple(target_of(one.column, self.recipe)[0] for one in self.roles if one.role == "target")

    def preview(self, n_rows: int = 8, n_channels: int = 8, *, used: bool = False) -> pd.DataFrame:
        """Return the first spectra, or the first that are used, as a table: id, other columns, first channels."""
        shown = (np.flatnonzero(self.prepared.rows) if used else np.arange(len(self.ids)))[:n_rows].tolist()
        table: dict[str, Any] = {"id": [self.ids[row] for row in shown], "used": self.prepared.rows[shown].tolist()}
        for one in self.roles:
            if one.role != "id":
                cells = one.column.cells()
                table[one.column.name] = [cells[row] for row in shown]
        for at in range(min(n_channels, len(self.prepared.order))):
            name = f"{self.prepared.positions[at]:.10g} {self.prepared.axis_unit}".rstrip()
            table[name] = self.table.signal[shown, self.prepared.order[at]]
        return pd.DataFrame(table)

    def sample(self, n_spectra: int = 40, n_channels: int = 1000) -> pd.DataFrame:
        """Return some spectra, evenly spread, for a first look.

        Returns
        -------
        DataFrame, one row per (spectrum, position)
            Columns ``spectrum`` [number from 1], ``used``, ``position`` [axis unit], ``signal``.
        """
        n_all = len(self.table.signal)
        rows = np.unique(np.linspace(0, n_all - 1, min(n_spectra, n_all)).astype(int))
        steps = np.unique(
            np.linspace(0, len(self.prepared.order) - 1, min(n_channels, len(self.prepared.order))).astype(int)
        )
        signal = np.asarray(self.table.signal[np.ix_(rows, self.prepared.order[steps])], dtype=np.float64)
        signal[~np.isfinite(signal)] = np.nan
        return pd.DataFrame(
            {
                "spectrum": np.repeat(rows + 1, len(steps)),
                "used": np.repeat(self.prepared.rows[rows], len(steps)),
                "position": np.tile(self.prepared.positions[steps], len(rows)),
                "signal": signal.ravel(),
            }
        )

    def decided_about(self, problem: Problem) -> bool:
        """Whether the recipe holds a decision of the kind that a problem offers."""
        keys = {key for one in problem.choices for key in one.changes}
        return any(getattr(self.decided, key) not in (None, (), {}) for key in keys)

    def with_recipe(self, recipe: Recipe, files: Files | None = None) -> "Understanding":
        """Understand the same files under another recipe; they are parsed again only if the dialect changed."""
        if recipe.dialect == self.decided.dialect:
            return Understanding(self.parts, recipe, self.sources)
        if files is None:
            raise ReadError("To change how the text is read, give the files again.")
        return understand(files, recipe)

    def build(self) -> SpectraSet:
        """Return the set.

        Raises
        ------
        ReadError
            When a question is still open, with its first one.
        """
        if self.open_questions:
            raise ReadError(with_ways(self.open_questions[0]))
        if self.document is not None and self.decided == Recipe():
            return own_set(self.table, self.document)
        rows = np.flatnonzero(self.prepared.rows)
        if rows.size == 0:
            raise ReadError("No spectrum is left: all are left out. Use some of them again.")
        if len(self.prepared.order) == 0:
            raise ReadError("No channel is left: all are left out. Use some of them again.")
        quantity, unit = self.prepared.signal_quantity, self.prepared.signal_unit
        signal = built_signal(self.table, self.prepared, self.ids, rows, self.recipe)
        if self.recipe.convert_signal is not None:
            names = [self.ids[row] for row in rows]
            signal = converted_signal(signal, quantity, unit, self.recipe.convert_signal, names)
            quantity, unit = self.recipe.convert_signal, ""
        targets, info = built_targets(self.roles, self.recipe, rows)
        try:
            return SpectraSet(
                built_axis(self.prepared, self.recipe),
                signal,
                targets,
                target_info=info,
                samples=built_samples(self.roles, self.ids, self.recipe, rows),
                meta=self._meta(quantity, unit),
            )
        except SpectraError as error:
            raise ReadError(str(error)) from error

    def recipe_used(self) -> Recipe:
        """Return the recipe with every guess written down, so that it decides alike for the next file of this kind."""
        columns = {one.column.name: one.role for one in self.roles}
        result = self.prepared
        keep = {
            "axis_quantity": result.axis_quantity,
            "axis_unit": result.axis_unit,
            "signal_quantity": result.signal_quantity,
            "signal_unit": result.signal_unit,
        }
        targets = {
            one.column.name: {
                "name": target.name,
                "unit": target.unit,
                "charge": target.charge,
                "molar_mass": target.molar_mass,
            }
            for one in self.roles
            if one.role == "target"
            for target in [target_of(one.column, self.recipe)[0]]
        }
        return self.recipe.but(columns=columns, targets=targets, **keep)

    def _meta(self, quantity: str, unit: str) -> SetMeta:
        """Return the description of the set; what another origin left behind stays with it."""
        provenance = self._provenance()
        if self.document is None:
            return SetMeta(self.recipe.name or self.name, "measured", quantity, unit, provenance)
        before = self.document.meta()
        provenance = {**before.provenance, "imported": provenance}
        return SetMeta(self.recipe.name or before.name, before.origin, quantity, unit, provenance)

    @property
    def name(self) -> str:
        """What the set is called where nobody says otherwise: after its first file."""
        names = [name for name, _ in self.sources]
        stem = Path(names[0]).name.split(".")[0] or "Imported set"
        return stem if len(names) == 1 else f"{stem} and {len(names) - 1} more"

    def _provenance(self) -> dict[str, Any]:
        left_out = [self.ids[row] for row in np.flatnonzero(~self.prepared.rows)]
        return {
            "files": [{"name": name, "sha256": digest} for name, digest in self.sources],
            "recipe": json.loads(self.recipe_used().to_json()),
            "left_out_spectra": left_out,
            "notes": self.warnings,
        }


def understand(files: Files, recipe: Recipe | None = None) -> Understanding:
    """Say what files hold: guesses with reasons, a preview, problems and questions.

    Parameters
    ----------
    files
        By name, the content or where it lies; or files as an upload hands them over.
    recipe
        What is already decided.

    Raises
    ------
    ReadError
        When a file cannot be read at all, or holds no spectra.
    """
    recipe = recipe if recipe is not None else Recipe()
    contents = contents_of(files)
    if not contents:
        raise ReadError("No file was given. Choose at least one.")
    parts, sources = parse_files(contents, recipe.dialect)
    return Understanding(parts, recipe, sources)


def read(
    source: "str | Path | Files | Iterable[str | Path]",
    recipe: Recipe | None = None,
    targets: Sequence[str] | None = None,
) -> SpectraSet:
    """Read files into a set.

    Parameters
    ----------
    source
        A file, a folder, several files, or contents by name.
    recipe
        Decisions about what the files leave open.
    targets
        Columns to use as targets, and no others.

    Raises
    ------
    ReadError
        In one sentence, when a file cannot be read or leaves a question open.

    Warns
    -----
    DataWarning
        Where spectra may be repeats that would leak into the test folds, or rows were left out.
    """
    understanding = understand(files_of(source), recipe)
    if targets is not None:
        known = [one.column.name for one in understanding.roles]
        unknown = [name for name in targets if name not in known]
        if unknown:
            raise ReadError(
                f"There is no column {unknown[0]!r} to be a target. "
                f"Columns beside the spectra: {', '.join(known) or 'none'}."
            )
        others = {one.column.name: "ignored" for one in understanding.roles if one.role == "target"}
        chosen = {**others, **dict.fromkeys(targets, "target")}
        understanding = understanding.with_recipe(understanding.recipe.but(columns=chosen))
    built = understanding.build()
    for problem in understanding.problems:
        if problem.kind in _WARNED and not understanding.decided_about(problem):
            warnings.warn(with_ways(problem), DataWarning, stacklevel=2)
    return built


def with_ways(problem: Problem) -> str:
    """Return what a problem says, with the entries of a recipe that decide it."""
    ways = "; ".join(f"{one.label}: {_words(one.changes)}" for one in problem.choices)
    if limits := [one.removeprefix("limit of ") for one in problem.asks if one.startswith("limit of ")]:
        given = ", ".join(f'"{name}": ...' for name in limits)
        ways += f'; half the limit, or the limit: {{"limits": {{{given}}}, "censored": "half"}}, or "limit"'
    return problem.text + (f" In the recipe: {ways}." if ways else "")


def _words(changes: Mapping[str, Any]) -> str:
    return json.dumps(dict(changes), ensure_ascii=False, default=int)


def _grid_point(recipe: Recipe) -> Point:
    assert recipe.grid is not None
    goal = even_grid(recipe.grid)
    value = f"{len(goal):,} channels from {goal[0]:.10g} to {goal[-1]:.10g}"
    return Point("grid", "Resampled onto", value, f"{recipe.resample or 'linear'} interpolation", (), True)
