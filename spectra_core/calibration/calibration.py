"""A calibration to use: fitted on all spectra, with what cross-validation said of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.calibration.applicability import Applicability
from spectra_core.calibration.conformal import OutOfFold
from spectra_core.choices import Choice
from spectra_core.contracts import SILENT, Reporter, derived_seed
from spectra_core.errors import ConfigError, SpectraError
from spectra_core.options import MOST_SEED
from spectra_core.regressors.base import Regressor
from spectra_core.regressors.choice import build_regressor, regressor_title, steps_of, with_steps
from spectra_core.regressors.inner_folds import inner_folds, measured_rows, n_parentless
from spectra_core.regressors.stack import BEYOND
from spectra_core.regressors.state import require_calibration_set
from spectra_core.spectra import SpectraSet, require_targets, stack
from spectra_core.training.versions import versions

Floats = NDArray[np.float64]

MOST_FOLDS = 1000
"""The model of every fold is kept."""
_MOST_FOR_SPREADS = 200
"""Spectra that tell how far predictions spread, at even steps."""


@dataclass(frozen=True, eq=False)
class FittedPart:
    """The targets that one choice of regressor predicts.

    Parameters
    ----------
    choice
        Regressor and preprocessing.
    targets
        Names, in the order of the calibration.
    model
        Fitted on all rows.
    folds
        Fitted on all rows but those of each fold.
    """

    choice: Choice
    targets: tuple[str, ...]
    model: Regressor
    folds: tuple[Regressor, ...]


@dataclass(frozen=True, eq=False)
class Calibration:
    """Regressors fitted on all calibration spectra, and all that is needed to read their numbers.

    Parameters
    ----------
    parts
        One for every choice of regressor.
    train
        Measured calibration spectra, with the calibrated targets only.
    fold : (n_spectra,)
        Number of the fold each was left out with.
    held_out, fitted : (n_spectra, n_targets)
        What was predicted by the model that had not seen it, and by the one that had; in the targets' units.
    applicability
        Which spectra the calibration applies to.
    data
        ``fingerprint`` and ``name`` of the set it was made from, and of generated spectra that were added.
    seed, versions
        What makes it again.
    """

    parts: tuple[FittedPart, ...]
    train: SpectraSet
    fold: NDArray[np.int64]
    held_out: Floats
    fitted: Floats
    applicability: Applicability
    data: Mapping[str, str]
    seed: int
    versions: Mapping[str, str]

    @property
    def n_folds(self) -> int:
        """Folds of the cross-validation."""
        return len(self.parts[0].folds)

    @property
    def title(self) -> str:
        """What a list calls it."""
        return "; ".join(dict.fromkeys(regressor_title(part.choice) for part in self.parts))

    @cached_property
    def limits(self) -> Floats:
        """Least and most that is read of every target, (2, n_targets)."""
        low, high = self.train.target_values.min(axis=0), self.train.target_values.max(axis=0)
        return np.stack([low - BEYOND * (high - low), high + BEYOND * (high - low)])

    @cached_property
    def errors(self) -> tuple[OutOfFold, ...]:
        """What cross-validation says of the errors, per target."""
        predicted, labels = self.clipped(self.held_out), self.train.target_values
        return tuple(
            OutOfFold.of(y, p, self.fold, self.train.groups, s)
            for y, p, s in zip(labels.T, predicted.T, self.spreads.T, strict=True)
        )

    @cached_property
    def spreads(self) -> Floats:
        """Standard deviation of what every fold's model reads from some calibration spectra, (n_folds, n_targets)."""
        n = len(self.train)
        some = np.linspace(0, n - 1, min(n, _MOST_FOR_SPREADS)).round().astype(int)
        return np.asarray(self.of_folds(self.train.take(some)).std(axis=1))

    def of_folds(self, spectra: SpectraSet) -> Floats:
        """Return what the models of the folds read, clipped, (n_folds, n_spectra, n_targets)."""
        names = self.train.target_names
        out = np.empty((self.n_folds, len(spectra), len(names)))
        for part in self.parts:
            columns = [names.index(name) for name in part.targets]
            for number, model in enumerate(part.folds):
                out[number][:, columns] = model.predict(spectra).to_numpy()
        return self.clipped(out)

    def clipped(self, values: Floats) -> Floats:
        """Return values (..., n_targets) within `limits`."""
        return np.clip(values, *self.limits)

    def predictions(self) -> pd.DataFrame:
        """Return what cross-validation and fit predicted.

        Returns
        -------
        DataFrame, one row per (spectrum, target)
            Columns ``id``, ``target``, ``fold``, ``reference``, ``held_out``, ``fitted`` in the target's unit.
        """
        names = self.train.target_names
        return pd.DataFrame(
            {
                "id": np.repeat(self.train.samples["id"].to_numpy(), len(names)),
                "target": np.tile(names, len(self.train)),
                "fold": np.repeat(self.fold, len(names)),
                "reference": self.train.target_values.ravel(),
                "held_out": self.held_out.ravel(),
                "fitted": self.fitted.ravel(),
            }
        )

    def read(self, spectra: SpectraSet, level: float = 0.9, axis: str = "refuse") -> pd.DataFrame:
        """Read unknown spectra; see `spectra_core.calibration.read`."""
        from spectra_core.calibration.reading import read

        return read(self, spectra, level, axis=axis)


def calibrate(
    spectra: SpectraSet,
    *,
    regressor: str | Choice | Mapping[str, str | Choice] = "gaussian_process",
    preprocessing: Sequence[Choice] = (),
    targets: Sequence[str] | None = None,
    generated: SpectraSet | None = None,
    n_folds: int = 10,
    seed: int = 0,
    reporter: Reporter = SILENT,
) -> Calibration:
    """Fit a calibration on all spectra, and cross-validate it with groups kept together.

    Parameters
    ----------
    spectra
        Measured spectra with targets.
    regressor
        A name or choice from `REGRESSORS`, with or without preprocessing; or one per target, by its name.
    preprocessing
        Steps from `PREPROCESSINGS` before regressors that name none of their own.
    targets
        Names of those to calibrate; all by default.
    generated
        Spectra that train too, never tested, as do rows of `spectra` that are marked as generated. In a fold they stay
        out where their parent does. Those without a parent came of a generator that may have known every measured
        spectrum: cross-validation then promises too much, which `reporter` is told.
    n_folds
        At most; fewer where there are fewer groups.
    seed
        Decides folds and trainings.

    Raises
    ------
    ConfigError, SpectraError
        When a choice is unknown, or nothing can be learned from the spectra.
    """
    require_targets(spectra)
    if not 0 <= seed <= MOST_SEED:
        raise ConfigError(f"A seed is a whole number from 0 to {MOST_SEED}, got {seed}.")
    chosen = _choices(spectra.target_names if targets is None else targets, regressor, preprocessing)
    train, whole = _rows(spectra.with_targets(list(chosen)), generated and generated.with_targets(list(chosen)))
    require_calibration_set(train)
    warning = parentless_warning(train, whole.take(range(len(train), len(whole)))) if len(whole) > len(train) else ""
    if warning:
        reporter.message(warning)
    splits = inner_folds(whole, n_folds, derived_seed(seed, "calibration folds"))
    if len(splits) > MOST_FOLDS:
        raise ConfigError(f"A calibration keeps the models of at most {MOST_FOLDS} folds, got {n_folds}. Use fewer.")
    fold = np.empty(len(train), dtype=np.int64)
    for number, split in enumerate(splits):
        fold[split.test] = number
    together: dict[str, tuple[Choice, list[str]]] = {}
    for name, choice in chosen.items():
        together.setdefault(repr(choice.to_json()), (choice, []))[1].append(name)
    told = _WholeProgress(reporter, len(together) * (len(splits) + 1))
    parts = []
    for choice, names in together.values():
        rows, fit_seed = whole.with_targets(names), derived_seed(seed, "calibration")
        folds = [
            told.fit(choice, rows.take(split.train), derived_seed(fit_seed, "fold", number))
            for number, split in enumerate(splits)
        ]
        parts.append(FittedPart(choice, tuple(names), told.fit(choice, rows, fit_seed), tuple(folds)))
    held_out, fitted = np.empty((2, len(train), train.n_targets))
    for part in parts:
        columns = np.array([train.target_names.index(name) for name in part.targets])
        fitted[:, columns] = part.model.predict(train).to_numpy()
        for number, model in enumerate(part.folds):
            rows_out = np.flatnonzero(fold == number)
            held_out[np.ix_(rows_out, columns)] = model.predict(train.take(rows_out)).to_numpy()
    data = {"fingerprint": spectra.fingerprint, "name": spectra.meta.name}
    if generated is not None:
        data |= {"generated": generated.fingerprint, "generated_name": generated.meta.name}
    usual = Applicability.fit(train.signal, fold, train.groups)
    return Calibration(tuple(parts), train, fold, held_out, fitted, usual, data, seed, versions())


def parentless_warning(measured: SpectraSet, generated: SpectraSet) -> str:
    """Say what generated spectra without a parent do to cross-validation; nothing where all have one."""
    n = n_parentless(generated, measured)
    if not n:
        return ""
    return (
        f"{n} of {len(generated)} generated spectra name no calibration spectrum as their parent, so they train in "
        "every fold. Their generator may have known the spectra that are left out: errors and intervals may then "
        "promise too much."
    )


def _rows(spectra: SpectraSet, generated: SpectraSet | None) -> tuple[SpectraSet, SpectraSet]:
    """Return the measured spectra, which are tested, and all that train: those first, generated ones after them."""
    measured = measured_rows(spectra)
    if not measured.any():
        raise SpectraError("All spectra are marked as generated, so none is left to test on. Give measured ones, too.")
    if measured.all() and generated is None:
        return spectra, spectra
    train = spectra.take(measured)
    more = [] if measured.all() else [spectra.take(~measured)]
    if generated is not None:
        more.append(generated)
    # What a set is used as counts here, not where it came from: a file does not say.
    marked = [train.with_meta(origin="measured"), *(one.with_meta(origin="generated") for one in more)]
    return train, stack(marked, meta=spectra.meta)


def _choices(
    targets: Sequence[str], regressor: str | Choice | Mapping[str, str | Choice], preprocessing: Sequence[Choice]
) -> dict[str, Choice]:
    """Return the regressor of every target, by its name."""
    if isinstance(regressor, Mapping):
        missing = [name for name in targets if name not in regressor]
        if missing:
            raise ConfigError(f"No regressor is chosen for the target {missing[0]!r}. Name one, or leave it out.")
        given: dict[str, str | Choice] = {name: regressor[name] for name in targets}
    else:
        given = dict.fromkeys(targets, regressor)
    if not given:
        raise ConfigError("A calibration needs at least one target. Name one.")
    plain = {name: Choice(one) if isinstance(one, str) else one for name, one in given.items()}
    chosen = {name: one if steps_of(one) else with_steps(one, preprocessing) for name, one in plain.items()}
    for choice in chosen.values():
        build_regressor(choice)  # a wrong name is told before anything is fitted
    return chosen


class _WholeProgress:
    """Tells of all fits as of one piece of work; the fit in hand counts by its share."""

    def __init__(self, reporter: Reporter, n_fits: int) -> None:
        self._reporter, self._n_fits, self._done, self._stage = reporter, n_fits, 0, ""

    def fit(self, choice: Choice, train: SpectraSet, seed: int) -> Regressor:
        self._stage = f"Calibrating with {regressor_title(choice)}"
        fitted = build_regressor(choice).fit(train, seed=seed, reporter=self)
        self._done += 1
        self.progress("", 0, 1)
        return fitted

    def progress(self, stage: str, done: int, total: int, values: Any = None) -> None:
        share = min(done / total, 1.0) if total else 0.0
        self._reporter.progress(self._stage, round(100 * (self._done + share)), 100 * self._n_fits)

    def message(self, text: str) -> None:
        self._reporter.message(text)
