"""Spectra with their axis, targets and origin, held together, locked and fingerprinted."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from spectra_core.errors import SpectraError
from spectra_core.spectra.checks import (
    checked_samples,
    checked_signal,
    checked_target_info,
    checked_targets,
    require_same_targets,
    require_same_units,
)
from spectra_core.spectra.frame import Frame, SetMeta, SpectralAxis, Target


class SpectraSet:
    """Spectra on one axis, with the targets of each, locked against change.

    Parameters
    ----------
    axis
        Position of every channel.
    signal : (n_spectra, n_channels), in `meta.unit`
        One spectrum a row. Float32 stays float32; everything else becomes float64.
    targets : (n_spectra, n_targets)
        One named column per target; None for spectra without known targets.
    target_info
        Unit, charge and molar mass per target, in column order; by default names alone.
    samples : one row per spectrum
        Text per spectrum: column ``id`` (by default "1", "2", ...), and where known ``group`` (replicates and
        same-mixture spectra share one) and ``parent`` (the spectrum a generated one was made from).
    meta
        Name, origin and quantity of the set.

    Raises
    ------
    SpectraError
        When shapes do not fit, a value is not finite, or two targets share a name. Nothing is repaired.
    """

    def __init__(
        self,
        axis: SpectralAxis,
        signal: ArrayLike,
        targets: pd.DataFrame | None = None,
        *,
        target_info: Sequence[Target] | None = None,
        samples: pd.DataFrame | None = None,
        meta: SetMeta | None = None,
    ) -> None:
        self._axis = axis
        self._meta = meta if meta is not None else SetMeta()
        self._signal = checked_signal(signal, axis, samples)
        n_spectra = len(self._signal)
        table = pd.DataFrame(index=range(n_spectra)) if targets is None else targets
        self._target_info = checked_target_info(table, target_info)
        self._target_values = checked_targets(table, n_spectra)
        self._samples = checked_samples(samples, n_spectra)

    @property
    def axis(self) -> SpectralAxis:
        """Position of every channel."""
        return self._axis

    @property
    def signal(self) -> NDArray[np.floating[Any]]:
        """The spectra, (n_spectra, n_channels), read-only."""
        return self._signal

    @property
    def target_values(self) -> NDArray[np.float64]:
        """The targets, (n_spectra, n_targets), read-only, in the units of `target_info`."""
        return self._target_values

    @property
    def targets(self) -> pd.DataFrame:
        """The targets as a new table, one named column each."""
        return pd.DataFrame(self._target_values.copy(), columns=list(self.target_names))

    @property
    def target_info(self) -> tuple[Target, ...]:
        """Unit, charge and molar mass of every target."""
        return self._target_info

    @property
    def target_names(self) -> tuple[str, ...]:
        """Names of the targets in column order."""
        return tuple(target.name for target in self._target_info)

    @property
    def samples(self) -> pd.DataFrame:
        """Text per spectrum (``id``, where known ``group`` and ``parent``), as a new table."""
        return self._samples.copy()

    @property
    def meta(self) -> SetMeta:
        """Name, origin and quantity."""
        return self._meta

    @property
    def frame(self) -> Frame:
        """Axis, quantity, unit and targets, without the values."""
        return Frame(self._axis, self._meta.quantity, self._meta.unit, self._target_info)

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return len(self._axis)

    @property
    def n_targets(self) -> int:
        """Number of targets."""
        return len(self._target_info)

    def __len__(self) -> int:
        return len(self._signal)

    def __repr__(self) -> str:
        return (
            f"<SpectraSet {self._meta.name!r}: {len(self)} {self._meta.origin} spectra, "
            f"{self.n_channels} channels, {self.n_targets} targets>"
        )

    @cached_property
    def fingerprint(self) -> str:
        """Sha256 of the content: axis, signal, targets, units, samples and meta without its name."""
        digest = hashlib.sha256()
        header = {
            "axis": [self._axis.quantity, self._axis.unit],
            "signal": [list(self._signal.shape), str(self._signal.dtype)],
            "targets": [asdict(target) for target in self._target_info],
            "samples": self._samples.to_dict(orient="list"),
            "meta": {
                "origin": self._meta.origin,
                "quantity": self._meta.quantity,
                "unit": self._meta.unit,
                "provenance": dict(self._meta.provenance),
            },
        }
        digest.update(json.dumps(header, sort_keys=True).encode())
        for values in (self._axis.positions, self._signal, self._target_values):
            digest.update(np.ascontiguousarray(values).data)
        return digest.hexdigest()

    def take(self, rows: ArrayLike) -> "SpectraSet":
        """Return the spectra at `rows` (indices or a mask), in that order, repeats allowed."""
        chosen = np.arange(len(self))[np.asarray(rows)]
        return SpectraSet(
            self._axis,
            self._signal[chosen],
            self.targets.iloc[chosen].reset_index(drop=True),
            target_info=self._target_info,
            samples=self._samples.iloc[chosen].reset_index(drop=True),
            meta=self._meta,
        )

    def with_targets(self, names: Sequence[str]) -> "SpectraSet":
        """Return the same spectra with the targets `names` only, in that order."""
        known = {target.name: target for target in self._target_info}
        missing = [name for name in names if name not in known]
        if missing:
            raise SpectraError(
                f"The set has no target {', '.join(map(repr, missing))}. Its targets are: {', '.join(known) or 'none'}."
            )
        return SpectraSet(
            self._axis,
            self._signal,
            self.targets[list(names)],
            target_info=[known[name] for name in names],
            samples=self._samples,
            meta=self._meta,
        )

    def with_meta(self, **changes: Any) -> "SpectraSet":
        """Return the same spectra with fields of `meta` changed."""
        return SpectraSet(
            self._axis,
            self._signal,
            self.targets,
            target_info=self._target_info,
            samples=self._samples,
            meta=replace(self._meta, **{"provenance": dict(self._meta.provenance), **changes}),
        )

    @cached_property
    def constant_channels(self) -> NDArray[np.bool_]:
        """Mask (n_channels,) of channels whose value is the same in every spectrum."""
        constant: NDArray[np.bool_] = self._signal.min(axis=0) == self._signal.max(axis=0)
        return constant

    @cached_property
    def groups(self) -> NDArray[np.int64]:
        """Group number per spectrum, (n_spectra,): spectra that a split must keep together.

        Spectra share a group when they share the sample column ``group``, unless it is empty, or when they are exact
        duplicates.
        """
        numbers = _group_numbers([row.tobytes() for row in self._signal])
        if "group" in self._samples:
            # A spectrum without a group is alone; all that have none are not one sample.
            keys = [name or row for row, name in enumerate(self._samples["group"])]
            numbers = _merged(numbers, _group_numbers(keys))
        return numbers


def without(spectra: SpectraSet, rows: Sequence[int]) -> SpectraSet:
    """Return the set without some of its spectra; where it came from, and their ids, are kept in its history.

    Raises
    ------
    SpectraError
        When none would be left.
    """
    out = set(rows)
    kept = [row for row in range(len(spectra)) if row not in out]
    if not kept:
        raise SpectraError("No spectrum would be left. Leave out fewer.")
    ids = [str(spectra._samples["id"].iloc[row]) for row in sorted(out)]
    left_out = {"from": spectra.fingerprint, "ids": ids}
    history = [*spectra.meta.provenance.get("left_out_later", []), left_out]
    rest = spectra.take(kept)
    return rest.with_meta(
        name=f"{spectra.meta.name}, {len(ids)} left out",
        provenance={**spectra.meta.provenance, "left_out_later": history},
    )


GENERATED = "generated"
"""Sample column that marks generated spectra among others."""


def stack(sets: Sequence[SpectraSet], meta: SetMeta | None = None) -> SpectraSet:
    """Return the spectra of all sets, in order, as one set; `meta` is that of the first by default.

    Where generated spectra join others, the sample column ``generated`` says "yes" for them: what is learned of the
    population must be judged by the others.

    Raises
    ------
    SpectraError
        When axes, quantities, targets or their units differ.
    """
    if not sets:
        raise SpectraError("Nothing to stack: give at least one set.")
    first = sets[0]
    for other in sets[1:]:
        require_same_axis(first, other)
        require_same_targets(first.target_names, other.target_names)
        require_same_units(first.target_info, other.target_info, f"the set {other.meta.name!r}")
    tables = [one.samples for one in sets]
    origins = [one.meta.origin for one in sets]
    if "generated" in origins and set(origins) != {"generated"}:
        tables = [
            table.assign(**{GENERATED: "yes"}) if origin == "generated" else table
            for table, origin in zip(tables, origins, strict=True)
        ]
    samples = pd.concat(tables, ignore_index=True).fillna("")
    return SpectraSet(
        first.axis,
        np.concatenate([one.signal for one in sets]),
        pd.concat([one.targets for one in sets], ignore_index=True),
        target_info=first.target_info,
        samples=samples,
        meta=meta if meta is not None else first.meta,
    )


def require_same_axis(one: SpectraSet, other: SpectraSet) -> None:
    """Refuse two sets whose channels or signal quantity differ.

    Raises
    ------
    SpectraError
        Naming what differs.
    """
    one.frame.require_same_signal(other.frame)


def require_targets(spectra: SpectraSet) -> None:
    """Refuse a set without targets, where a calibration needs them."""
    if spectra.n_targets == 0:
        raise SpectraError(
            f"The set {spectra.meta.name!r} has no targets, and a calibration needs at least one. "
            "Choose the columns that hold concentrations, or load them from a second file."
        )


def _group_numbers(keys: Sequence[Any]) -> NDArray[np.int64]:
    """Number equal keys alike, in order of first appearance."""
    numbers: dict[Any, int] = {}
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)


def _merged(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    """Join two groupings: rows linked by either, directly or through others, share a group."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n_one, n_other = int(one.max()) + 1, int(other.max()) + 1
    links = coo_array((np.ones(len(one)), (one, other + n_one)), shape=(n_one + n_other, n_one + n_other))
    _, component = connected_components(links, directed=False)
    return _group_numbers(component[one].tolist())
