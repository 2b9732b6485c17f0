"""Spectra with their axis, targets and origin, held together, locked and fingerprinted."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from spectra_core.errors import SpectraError

Origin = Literal["measured", "simulated", "generated"]


@dataclass(frozen=True, eq=False)
class SpectralAxis:
    """The position of every channel.

    Parameters
    ----------
    positions : (n_channels,), in `unit`
        Strictly monotonic channel positions, in either direction.
    quantity
        What the positions measure: "Wavelength", "Wavenumber", "Raman shift".
    unit
        Unit of the positions; empty for a dimensionless axis.
    """

    positions: NDArray[np.float64]
    quantity: str = "Wavelength"
    unit: str = "nm"

    def __post_init__(self) -> None:
        positions = _locked(np.asarray(self.positions, dtype=np.float64), f"{self.quantity} axis", ndim=1)
        if len(positions) == 0:
            raise SpectraError("The axis has no channels. Give at least one position.")
        steps = np.diff(positions)
        if not ((steps > 0).all() or (steps < 0).all()):
            rising = np.sign(positions[-1] - positions[0]) or 1.0
            at = int(np.argmax(steps * rising <= 0))
            raise SpectraError(
                f"{self.quantity} axis must rise or fall from channel to channel, but channel {at + 2} is at "
                f"{positions[at + 1]:g} after {positions[at]:g}. "
                "Sort axis and spectra together, and remove repeated channels, before building the set."
            )
        object.__setattr__(self, "positions", positions)

    def __len__(self) -> int:
        return len(self.positions)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, SpectralAxis)
            and (self.quantity, self.unit) == (other.quantity, other.unit)
            and np.array_equal(self.positions, other.positions)
        )

    def __hash__(self) -> int:
        return hash((self.positions.tobytes(), self.quantity, self.unit))

    @property
    def label(self) -> str:
        """Title of the axis with its unit.

        >>> SpectralAxis(np.arange(3.0)).label
        'Wavelength, nm'
        """
        return _with_unit(self.quantity, self.unit)

    def name_of(self, channel: int) -> str:
        """Name one channel by its position.

        >>> SpectralAxis(np.array([190.0, 191.0])).name_of(1)
        '191 nm'
        """
        return f"{self.positions[channel]:.10g} {self.unit}".rstrip()


@dataclass(frozen=True)
class Target:
    """A quantity known for every spectrum, usually the concentration of one component.

    Parameters
    ----------
    name
        As the person writes it; any text, unique in a set.
    unit
        Unit of the values, such as "mol/L"; empty where it is not known.
    charge
        Charge number of the ion; None where it is not known or does not apply.
    molar_mass
        In g/mol; None where it is not known.
    """

    name: str
    unit: str = ""
    charge: int | None = None
    molar_mass: float | None = None

    @property
    def label(self) -> str:
        """Name with unit.

        >>> Target("Cu2+", "mol/L").label
        'Cu2+, mol/L'
        """
        return _with_unit(self.name, self.unit)


@dataclass(frozen=True)
class SetMeta:
    """What a set is and where it comes from.

    Parameters
    ----------
    name
        What people call the set. Not part of the fingerprint: renaming changes no content.
    origin
        "measured", "simulated" or "generated".
    quantity, unit
        What `signal` measures. Clipping, saturation and Beer-Lambert checks apply to "Absorbance" only.
    provenance
        How the set was made, as JSON values: file and recipe, simulator settings, or model, sampler and seed.
    """

    name: str = "Unnamed set"
    origin: Origin = "measured"
    quantity: str = "Absorbance"
    unit: str = ""
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.origin not in get_args(Origin):
            raise SpectraError(f"The origin of a set is one of {', '.join(get_args(Origin))}; got {self.origin!r}.")
        try:
            # In one order, whatever order it came in: sets of one fingerprint must lead to the same numbers.
            copied = json.loads(json.dumps(dict(self.provenance), allow_nan=False, sort_keys=True))
        except (TypeError, ValueError) as error:
            raise SpectraError(
                f"Provenance must hold JSON values only (text, numbers, lists, mappings): {error}."
            ) from error
        object.__setattr__(self, "provenance", MappingProxyType(copied))

    @property
    def signal_label(self) -> str:
        """Title of the signal axis with its unit."""
        return _with_unit(self.quantity, self.unit)

    @property
    def is_absorbance(self) -> bool:
        """Whether Beer-Lambert checks apply."""
        return self.quantity == "Absorbance"


@dataclass(frozen=True)
class Frame:
    """What spectra must share to be used together: axis, signal quantity and unit, targets.

    Models keep the frame of their training set, so that they can refuse spectra that do not fit.
    """

    axis: SpectralAxis
    quantity: str
    unit: str
    target_info: tuple[Target, ...]

    @property
    def target_names(self) -> tuple[str, ...]:
        """Names of the targets in column order."""
        return tuple(target.name for target in self.target_info)

    def require_spectra(self, spectra: "SpectraSet") -> None:
        """Refuse spectra on another axis or of another quantity; targets may differ.

        Raises
        ------
        SpectraError
            Naming what differs.
        """
        _require_same_signal(self, spectra.frame)


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
        self._signal = _checked_signal(signal, axis, samples)
        n_spectra = len(self._signal)
        table = pd.DataFrame(index=range(n_spectra)) if targets is None else targets
        self._target_info = _checked_target_info(table, target_info)
        self._target_values = _checked_targets(table, n_spectra)
        self._samples = _checked_samples(samples, n_spectra)

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

    def relabelled(self, targets: pd.DataFrame) -> "SpectraSet":
        """Return the same spectra with other values for the same targets."""
        require_same_targets(self.target_names, tuple(targets.columns))
        return SpectraSet(
            self._axis,
            self._signal,
            targets,
            target_info=self._target_info,
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

        Spectra share a group when they share the sample column ``group``, or when they are exact duplicates.
        """
        numbers = _group_numbers([row.tobytes() for row in self._signal])
        if "group" in self._samples:
            numbers = _merged(numbers, _group_numbers(list(self._samples["group"])))
        return numbers


def stack(sets: Sequence[SpectraSet], meta: SetMeta | None = None) -> SpectraSet:
    """Return the spectra of all sets, in order, as one set; `meta` is that of the first by default.

    Raises
    ------
    SpectraError
        When axes, quantities or targets differ.
    """
    if not sets:
        raise SpectraError("Nothing to stack: give at least one set.")
    first = sets[0]
    for other in sets[1:]:
        require_same_axis(first, other)
        require_same_targets(first.target_names, other.target_names)
    samples = pd.concat([one.samples for one in sets], ignore_index=True).fillna("")
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
    _require_same_signal(one.frame, other.frame)


def require_same_targets(expected: Sequence[str], got: Sequence[str]) -> None:
    """Refuse targets whose names or order differ from what is expected."""
    if tuple(expected) != tuple(got):
        raise SpectraError(
            f"Expected the targets {', '.join(expected) or 'none'}, got {', '.join(map(str, got)) or 'none'}. "
            "Choose the same targets in the same order."
        )


def require_targets(spectra: SpectraSet) -> None:
    """Refuse a set without targets, where a calibration needs them."""
    if spectra.n_targets == 0:
        raise SpectraError(
            f"The set {spectra.meta.name!r} has no targets, and a calibration needs at least one. "
            "Choose the columns that hold concentrations, or load them from a second file."
        )


def _require_same_signal(one: Frame, other: Frame) -> None:
    if one.axis != other.axis:
        raise SpectraError(
            f"Expected spectra on one axis, got {_describe_axis(one.axis)} and {_describe_axis(other.axis)}. "
            "Resample one onto the axis of the other first."
        )
    if (one.quantity, one.unit) != (other.quantity, other.unit):
        raise SpectraError(
            f"Expected spectra of one quantity, got {_with_unit(one.quantity, one.unit)} and "
            f"{_with_unit(other.quantity, other.unit)}. Convert one of them first."
        )


def _describe_axis(axis: SpectralAxis) -> str:
    return f"{len(axis)} channels from {axis.positions[0]:g} to {axis.positions[-1]:g} {axis.unit}".rstrip()


def _with_unit(name: str, unit: str) -> str:
    return f"{name}, {unit}" if unit else name


def _locked(values: NDArray[Any], what: str, *, ndim: int) -> NDArray[Any]:
    """Return a contiguous read-only copy, refusing wrong dimensions and values that are not finite."""
    if values.ndim != ndim:
        raise SpectraError(f"{what} must have {ndim} dimension(s), got an array of shape {values.shape}.")
    locked = np.array(values, order="C", copy=True)
    if not np.isfinite(locked).all():
        at = tuple(int(index) + 1 for index in np.argwhere(~np.isfinite(locked))[0])
        raise SpectraError(f"{what} must be finite, but the value at position {at} is not.")
    locked.setflags(write=False)
    return locked


def _checked_signal(signal: ArrayLike, axis: SpectralAxis, samples: pd.DataFrame | None) -> NDArray[np.floating[Any]]:
    try:
        values = np.asarray(signal)
        values = values if values.dtype in (np.float32, np.float64) else values.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise SpectraError(f"Spectra must be numbers: {error}.") from error
    if values.ndim != 2:
        raise SpectraError(f"Spectra must be a table with one spectrum a row, got an array of shape {values.shape}.")
    n_spectra, n_channels = values.shape
    if n_channels != len(axis):
        raise SpectraError(
            f"The axis has {len(axis)} channels but the spectra have {n_channels}. "
            "Spectra are rows: transpose the table if it holds them in columns."
        )
    if n_spectra == 0:
        raise SpectraError("The set holds no spectra. Give at least one.")
    bad = ~np.isfinite(values)
    if bad.any():
        row, channel = (int(index) for index in np.argwhere(bad)[0])
        name = f" ({samples['id'].iloc[row]})" if samples is not None and "id" in samples else ""
        raise SpectraError(
            f"Every value must be a finite number, but {int(bad.sum())} are not; the first is in spectrum "
            f"{row + 1}{name} at {axis.name_of(channel)}. Exclude those spectra or channels, or correct the file."
        )
    return _locked(values, "Spectra", ndim=2)


def _checked_target_info(table: pd.DataFrame, target_info: Sequence[Target] | None) -> tuple[Target, ...]:
    names = [str(name) for name in table.columns]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise SpectraError(
            f"Two targets share the name {repeated[0]!r}. Rename one of them, so that results can be told apart."
        )
    if any(not name.strip() for name in names):
        raise SpectraError("A target has an empty name. Name every target column.")
    if target_info is None:
        return tuple(Target(name) for name in names)
    require_same_targets([target.name for target in target_info], names)
    return tuple(target_info)


def _checked_targets(table: pd.DataFrame, n_spectra: int) -> NDArray[np.float64]:
    if len(table) != n_spectra:
        raise SpectraError(
            f"There are {n_spectra} spectra but {len(table)} rows of targets. Give one row of targets per spectrum."
        )
    values = np.empty((n_spectra, table.shape[1]))
    for column, name in enumerate(table.columns):
        try:
            values[:, column] = table.iloc[:, column].to_numpy(dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise SpectraError(f"Target {name!r} must hold numbers: {error}.") from error
        bad = ~np.isfinite(values[:, column])
        if bad.any():
            raise SpectraError(
                f"Target {name!r} is not a finite number in {int(bad.sum())} spectra, "
                f"first in spectrum {int(np.argmax(bad)) + 1}. Exclude those spectra or complete the values."
            )
    values.setflags(write=False)
    return values


def _checked_samples(samples: pd.DataFrame | None, n_spectra: int) -> pd.DataFrame:
    if samples is None:
        return pd.DataFrame({"id": [str(number) for number in range(1, n_spectra + 1)]})
    if len(samples) != n_spectra:
        raise SpectraError(
            f"There are {n_spectra} spectra but {len(samples)} rows of sample names. Give one row per spectrum."
        )
    text = pd.DataFrame({str(name): [str(value) for value in samples[name]] for name in samples.columns})
    if "id" not in text:
        text.insert(0, "id", [str(number) for number in range(1, n_spectra + 1)])
    return text


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
