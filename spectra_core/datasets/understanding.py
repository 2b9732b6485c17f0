"""Understand files: what was guessed and why, what is open, and the set that comes of it."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.datasets.columns import Role, column_roles, joined, role_points, stems, target_of
from spectra_core.datasets.conversions import AXIS_GOALS, concentration_factor, converted_axis, converted_signal
from spectra_core.datasets.document import Document
from spectra_core.datasets.own import own_part, own_recipe, own_set, own_table
from spectra_core.datasets.parts import Grid, Part
from spectra_core.datasets.preparing import Prepared, prepared
from spectra_core.datasets.questions import Point, Problem, choice, listed
from spectra_core.datasets.recipe import Recipe
from spectra_core.datasets.sandbox import Sources, parse_files
from spectra_core.datasets.table import ImportTable, assemble
from spectra_core.errors import ReadError, SpectraError
from spectra_core.spectra import SetMeta, SpectralAxis, SpectraSet, Target


class UploadedFile(Protocol):
    """A file as Streamlit hands it over."""

    name: str

    def getvalue(self) -> bytes:
        """Return the content."""


Files = Mapping[str, bytes | Path] | Sequence[UploadedFile]


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
            self.table, targets, points, problems = assemble(self.parts, self.recipe)
        columns, more_points, more_problems = joined(self.table, targets, self.recipe)
        self.roles = column_roles(columns, self.recipe)
        self.prepared = prepared(self.table, self.roles, self.ids, self.recipe)
        self.points = [*points, *self.prepared.points, *more_points, *role_points(self.roles)]
        self.problems = [*problems, *more_problems, *self.prepared.problems]
        if self.table.odd and not any(problem.kind == "gaps" for problem in self.problems):
            cells = listed([repr(cell) for _, _, cell in self.table.odd])
            self.problems.append(Problem("odd cells", f"Some cells hold text instead of numbers: {cells}.", (), False))
        self._ask_about_dialect()
        self._offer_groups()
        self._say_charges()

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Name of every spectrum in the table: from the column of ids, else its title, else its number."""
        column = next((one.column for one in self.roles if one.role == "id"), None)
        if column is not None:
            return column.cells()
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
    def target_info(self) -> tuple[Target, ...]:
        """The targets, with unit, charge and molar mass, before any conversion."""
        return tuple(target_of(one.column, self.recipe)[0] for one in self.roles if one.role == "target")

    def preview(self, n_rows: int = 8, n_channels: int = 8) -> pd.DataFrame:
        """Return the first spectra as a table: id, other columns, first channels."""
        shown = min(n_rows, len(self.table.signal))
        table: dict[str, Any] = {"id": list(self.ids[:shown]), "used": self.prepared.rows[:shown].tolist()}
        for one in self.roles:
            if one.role != "id":
                table[one.column.name] = list(one.column.cells()[:shown])
        for at in range(min(n_channels, len(self.prepared.order))):
            name = f"{self.prepared.positions[at]:.10g} {self.prepared.axis_unit}".rstrip()
            table[name] = self.table.signal[:shown, self.prepared.order[at]]
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
            first = self.open_questions[0]
            ways = "; ".join(f"{one.label}: {_words(one.changes)}" for one in first.choices)
            raise ReadError(first.text + (f" In the recipe: {ways}." if ways else ""))
        if self.document is not None and self.decided == Recipe():
            return own_set(self.table, self.document)
        rows = np.flatnonzero(self.prepared.rows)
        if rows.size == 0:
            raise ReadError("No spectrum is left: all are left out. Use some of them again.")
        if len(self.prepared.order) == 0:
            raise ReadError("No channel is left: all are left out. Use some of them again.")
        quantity, unit = self.prepared.signal_quantity, self.prepared.signal_unit
        signal = self._signal(rows)
        if self.recipe.convert_signal is not None:
            signal = converted_signal(signal, quantity, unit, self.recipe.convert_signal)
            quantity, unit = self.recipe.convert_signal, ""
        targets, info = self._targets(rows)
        try:
            return SpectraSet(
                self._axis(),
                signal,
                targets,
                target_info=info,
                samples=self._samples(rows),
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

    def _axis(self) -> SpectralAxis:
        positions, quantity, unit = self.prepared.positions, self.prepared.axis_quantity, self.prepared.axis_unit
        goal = self.recipe.convert_axis
        if goal is not None and goal != unit:
            positions = converted_axis(positions, unit, goal)
            quantity, unit = AXIS_GOALS[goal], goal
        return SpectralAxis(positions, quantity, unit)

    def _signal(self, rows: NDArray[np.intp]) -> NDArray[np.floating[Any]]:
        order, signal = self.prepared.order, self.table.signal
        whole = len(order) == signal.shape[1] and bool((np.diff(order) == 1).all())
        if len(rows) < len(signal):
            signal = signal[rows]
        for kept, alike in self.prepared.averaged.items():
            signal = signal.copy()
            signal[:, kept] = signal[:, alike].mean(axis=1)
        signal = signal if whole else signal[:, order]
        if self.prepared.interpolate:
            signal = _interpolated(signal, self.prepared.positions, [self.ids[row] for row in rows])
        return signal

    def _targets(self, rows: NDArray[np.intp]) -> tuple[pd.DataFrame | None, list[Target] | None]:
        columns = [one.column for one in self.roles if one.role == "target"]
        if not columns:
            return None, None
        values, info = [], []
        for column in columns:
            if column.numbers is None:
                raise ReadError(
                    f"Column {column.name!r} holds text and cannot be a target. Choose another role for it."
                )
            target, _ = target_of(column, self.recipe)
            numbers = np.asarray(column.numbers, dtype=np.float64)[rows]
            goal = self.recipe.convert_targets
            if goal is not None and goal != target.unit:
                numbers = numbers * concentration_factor(target.unit, goal, target.molar_mass, target.name)
                target = Target(target.name, goal, target.charge, target.molar_mass)
            values.append(numbers)
            info.append(target)
        table = pd.DataFrame(np.column_stack(values), columns=[target.name for target in info])
        return table, info

    def _samples(self, rows: NDArray[np.intp]) -> pd.DataFrame:
        samples = {"id": [self.ids[row] for row in rows]}
        groups = self._group_values()
        if groups is not None:
            samples["group"] = [groups[row] for row in rows]
        return pd.DataFrame(samples)

    def _group_values(self) -> Sequence[str] | None:
        """Return the group of every spectrum under the recipe, or as guessed."""
        wanted = self.recipe.groups
        by_name = {one.column.name: one.column for one in self.roles}
        if wanted == "none":
            return None
        if wanted == "equal targets":
            columns = [one.column for one in self.roles if one.role == "target"]
            return (
                [" ".join(cells) for cells in zip(*(column.cells() for column in columns), strict=True)]
                if columns
                else None
            )
        if wanted == "id":
            return self.ids
        if wanted == "id without replicate":
            return stems(self.ids) or self.ids
        if wanted is not None:
            if wanted not in by_name:
                raise ReadError(
                    f"The recipe groups by {wanted!r}, but there is no such column. "
                    f"Columns: {', '.join(by_name) or 'none'}."
                )
            return by_name[wanted].cells()
        grouping = next((one.column for one in self.roles if one.role == "group"), None)
        if grouping is not None:
            return grouping.cells()
        return self.ids if len(set(self.ids)) < len(self.ids) else None

    def _offer_groups(self) -> None:
        options = [choice("none", groups="none")]
        words = self.recipe.groups or "none"
        reason = "no two spectra share an id"
        repeated = len(self.ids) - len(set(self.ids))
        if repeated:
            options.append(choice("equal ids", groups="id"))
            words, reason = self.recipe.groups or "equal ids", f"{repeated} spectra repeat the id of another one"
            seen: set[str] = set()
            names = sorted({name for name in self.ids if name in seen or seen.add(name)})  # type: ignore[func-returns-value]
            self.problems.append(
                Problem(
                    "repeated ids",
                    f"{repeated} spectra repeat an id: {listed(names)}. They are kept together in every split.",
                    tuple(options),
                    False,
                )
            )
        if stems(self.ids) is not None:
            options.append(choice("ids without the replicate mark", groups="id without replicate"))
        targets = [one.column.numbers for one in self.roles if one.role == "target" and one.column.numbers is not None]
        if targets and len(np.unique(np.column_stack(targets), axis=0)) < len(self.ids):
            options.append(choice("equal targets", groups="equal targets"))
        options += [
            choice(one.column.name, groups=one.column.name) for one in self.roles if one.role in {"group", "ignored"}
        ]
        grouping = next((one.column.name for one in self.roles if one.role == "group"), None)
        if grouping and self.recipe.groups is None:
            words, reason = grouping, "the name of the column"
        copies = _exact_copies(self.table.signal)
        if copies:
            pairs = listed([f"{self.ids[two]} = {self.ids[one]}" for one, two in copies], 3)
            self.problems.append(
                Problem(
                    "copies",
                    f"{len(copies)} spectra are exact copies of another one ({pairs}). "
                    "They are kept together in every split.",
                    (choice("Leave out the copies", leave_out_spectra=tuple(two + 1 for _, two in copies)),),
                    False,
                    tuple(two for _, two in copies),
                )
            )
        self.points.append(
            Point("groups", "Groups kept together", words, reason, tuple(options), self.recipe.groups is not None)
        )

    def _say_charges(self) -> None:
        for one in self.roles:
            if one.role != "target":
                continue
            target, reason = target_of(one.column, self.recipe)
            charge = "no charge known" if target.charge is None else f"charge {target.charge:+d}"
            self.points.append(
                Point(
                    f"target {one.column.name}",
                    target.label,
                    charge,
                    reason,
                    (),
                    "charge" in self.recipe.targets.get(one.column.name, {}),
                )
            )

    def _ask_about_dialect(self) -> None:
        if any("ambiguous" in part.facts for part in self.parts) and self.recipe.separator is None:
            self.problems.insert(
                0,
                Problem(
                    "dialect",
                    "Every line reads as two whole numbers, or as one number with a decimal comma. Say which.",
                    (
                        choice("Two numbers", separator=",", decimal="."),
                        choice("One number with a decimal comma", separator=";", decimal=","),
                    ),
                ),
            )

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
        import json

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
    contents = _contents(files)
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
    """
    understanding = understand(_opened(source), recipe)
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
    return understanding.build()


def _opened(source: "str | Path | Files | Iterable[str | Path]") -> Files:
    """Return contents or paths by name; only paths that the caller wrote are opened."""
    if isinstance(source, Mapping):
        return source
    paths = [source] if isinstance(source, str | Path) else list(source)
    if paths and not isinstance(paths[0], str | Path):
        return paths  # type: ignore[return-value]
    files: dict[str, bytes | Path] = {}
    for path in map(Path, paths):  # type: ignore[arg-type]
        try:
            inside = sorted(path.iterdir()) if path.is_dir() else [path]
        except OSError as error:
            raise ReadError(
                f"{path} cannot be opened: {error.strerror}. Check the name and the permissions."
            ) from error
        files |= {one.name: one for one in inside if one == path or (one.is_file() and not one.name.startswith("."))}
    return files


def _contents(files: Files) -> dict[str, bytes | Path]:
    if isinstance(files, Mapping):
        return dict(files)
    contents: dict[str, bytes | Path] = {}
    for one in files:
        name, number = one.name, 2
        while name in contents:
            name, number = f"{one.name} ({number})", number + 1
        contents[name] = one.getvalue()
    return contents


def _exact_copies(signal: NDArray[np.floating[Any]]) -> list[tuple[int, int]]:
    """Return (first, copy) per spectrum that equals an earlier one in every channel, found by content."""
    # Copies have equal sums; only spectra that share one are worth hashing.
    with np.errstate(invalid="ignore", over="ignore"):
        sums = signal.sum(axis=1)
    _, where, counts = np.unique(sums, return_inverse=True, return_counts=True)
    seen: dict[bytes, int] = {}
    copies = []
    for number in np.flatnonzero(counts[where] > 1):
        row = signal[number]
        digest = hashlib.blake2b(np.ascontiguousarray(row).data, digest_size=16).digest()
        if digest in seen:
            copies.append((seen[digest], int(number)))
        else:
            seen[digest] = int(number)
    return copies


def _interpolated(
    signal: NDArray[np.floating[Any]], positions: NDArray[np.float64], ids: list[str]
) -> NDArray[np.floating[Any]]:
    filled = np.array(signal)
    order = np.argsort(positions)
    for number in np.flatnonzero(~np.isfinite(filled).all(axis=1)):
        good = np.isfinite(filled[number])
        if good.sum() < 2:
            raise ReadError(f"Spectrum {ids[number]} has fewer than two values to interpolate from. Leave it out.")
        at = order[good[order]]
        filled[number, ~good] = np.interp(positions[~good], positions[at], filled[number, at])
    return filled


def _words(changes: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} = {value!r}" for key, value in changes.items())
