"""What a stack is made of, and how each part predicts spectra that it has not seen."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.contracts import Reporter
from spectra_core.errors import SpectraError
from spectra_core.preprocessing import Standardiser
from spectra_core.preprocessing.derivative import SavitzkyGolay
from spectra_core.regressors.base import Regressor
from spectra_core.regressors.gaussian_process import GaussianProcess
from spectra_core.regressors.inner_folds import inner_groups, measured_rows
from spectra_core.regressors.mlp_ensemble import MLPEnsemble
from spectra_core.regressors.pls import PLS
from spectra_core.regressors.preprocessed import Preprocessed
from spectra_core.regressors.ridge import Ridge
from spectra_core.spectra import Frame, SpectralAxis, SpectraSet
from spectra_core.spectra.spectra_set import GENERATED
from spectra_core.splits import Split
from spectra_core.training.signal_basis import signal_basis

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Candidate:
    """One regressor of a stack.

    Parameters
    ----------
    title
        Name in tables.
    exact
        Solved without optimiser steps; None for the ensemble of networks.
    derivative
        Whether it sees the first derivative of the spectra.
    """

    title: str
    exact: GaussianProcess | Ridge | PLS | None
    derivative: bool = False

    def fresh(self, networks: MLPEnsemble) -> Regressor:
        """Return a regressor to be fitted."""
        member: Any = replace(networks if self.exact is None else self.exact)
        return Preprocessed(member, [SavitzkyGolay()]) if self.derivative else member

    def possible(self, frame: Frame) -> bool:
        """Whether spectra on this axis can be treated so."""
        try:
            return not self.derivative or bool(SavitzkyGolay().from_arrays({}, frame))
        except SpectraError:
            return False


CANDIDATES = (
    *(
        Candidate(member.title + (", first derivative" if derivative else ""), member, derivative)
        for derivative in (False, True)
        for member in (GaussianProcess(), Ridge(), PLS(scale_channels=False))
    ),
    Candidate(MLPEnsemble.title, None),
)
"""Seven, since choosing among forty was worse: the least of many errors out of fold is mostly luck. Ridge sees scaled
channels, PLS the channels as they are, so that both are there."""


def with_copies(train: SpectraSet, n_copies: int, rng: np.random.Generator) -> SpectraSet:
    """Return the spectra with noisy copies of every measured one, marked as generated and in the group of the original.

    The noise of a copy is as large as what the principal components above the noise leave of the measured spectra.
    """
    measured = np.flatnonzero(measured_rows(train))
    noise = signal_basis(train.signal[measured]).noise
    rows = np.concatenate([np.arange(len(train)), np.repeat(measured, n_copies)])
    signal = train.signal[rows].astype(np.float64)
    signal[len(train) :] += noise * rng.standard_normal((len(rows) - len(train), train.n_channels))
    marks = np.where(measured_rows(train), "", "yes")[rows]
    marks[len(train) :] = "yes"
    return _same_rows(train.take(rows), signal.astype(train.signal.dtype), inner_groups(train)[rows], marks)


def out_of_fold(
    spectra: SpectraSet, splits: Sequence[Split], networks: MLPEnsemble, seed: int, reporter: Reporter
) -> Floats:
    """Return what every candidate predicts for rows that are left out.

    Parameters
    ----------
    spectra
        From `with_copies`.
    splits
        From `inner_folds`.

    Returns
    -------
    (n_candidates, n_spectra, n_targets)
        NaN in rows that are in no test part, and of candidates that these spectra do not allow.
    """
    found = np.full((len(CANDIDATES), len(spectra), spectra.n_targets), np.nan)
    views = {False: spectra}
    if any(one.derivative and one.possible(spectra.frame) for one in CANDIDATES):
        views[True] = SavitzkyGolay().fit(spectra).transform(spectra)
    for number, candidate in enumerate(CANDIDATES):
        if candidate.derivative not in views:
            continue
        seen = views[candidate.derivative]
        regressor: Any = networks
        if candidate.exact is not None:
            seen, regressor = _rotated(seen, candidate.exact)
        for split in splits:
            fitted = replace(regressor).fit(seen.take(split.train), seed=seed)
            found[number, split.test] = fitted.predict(seen.take(split.test)).to_numpy()
        reporter.progress("Predicting left-out spectra", number + 1, len(CANDIDATES) + 1)
    return found


def _rotated(spectra: SpectraSet, exact: GaussianProcess | Ridge | PLS) -> tuple[SpectraSet, Regressor]:
    """Return few spectra of many channels in an orthonormal basis of the measured ones, with the regressor for them.

    These regressors do not change under rotation; folds of fewer columns are done sooner. Where channels are scaled
    it is by all spectra; no label is looked at. Copies lose the noise outside the basis, which no original has.
    """
    scaled = isinstance(exact, Ridge)
    regressor = replace(exact, scale_channels=False) if isinstance(exact, Ridge) else exact
    measured = measured_rows(spectra)
    signal = np.asarray(spectra.signal, dtype=np.float64)
    scaling = Standardiser.fit(signal[measured])
    columns = (scaling if scaled else scaling.centring).transform(signal)
    if measured.sum() < spectra.n_channels:
        basis, _ = np.linalg.qr(columns[measured].T)
        columns = columns @ basis
    marks = np.where(measured, "", "yes")
    return _same_rows(spectra, columns, inner_groups(spectra), marks), regressor


def _same_rows(
    spectra: SpectraSet, signal: NDArray[np.floating[Any]], groups: NDArray[np.int64], marks: NDArray[np.str_]
) -> SpectraSet:
    """Return the targets of `spectra` with another signal, and groups and generated rows as given."""
    whole = signal.shape[1] == spectra.n_channels
    return SpectraSet(
        spectra.axis if whole else SpectralAxis(np.arange(1.0, signal.shape[1] + 1.0)),
        signal,
        spectra.targets,
        target_info=spectra.target_info,
        samples=pd.DataFrame({"group": groups.astype(str), GENERATED: marks}),
        meta=spectra.meta,
    )
