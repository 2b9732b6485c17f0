"""Which units wait, which are out, and what is known already."""

from collections.abc import Mapping, Sequence

from spectra_core.cluster.packing import packed, unpacked
from spectra_core.contracts import Arrays, Memo
from spectra_core.experiment.units import Unit


class _AbsentError(Exception):
    """The memo keeps nothing under this key."""


class Desk:
    """The units of an experiment and the memo their results go to.

    A model that several units share is made by the first of them, which sends it back with its own result; the others
    wait for it rather than make it again.

    Parameters
    ----------
    memo
        Keeps what comes back.
    """

    def __init__(self, units: Sequence[Unit], memo: Memo) -> None:
        self._units = units
        self._memo = memo
        self._known: dict[str, bool] = {}
        self._out: set[int] = set()
        self._waiting = [number for number, unit in enumerate(units) if not self.has(unit.key)]

    @property
    def is_done(self) -> bool:
        """Whether every unit is done."""
        return not self._waiting and not self._out

    @property
    def has_waiting(self) -> bool:
        """Whether any unit is still to be handed out."""
        return bool(self._waiting)

    def finished(self) -> list[int]:
        """Return the units that were done before."""
        waiting = set(self._waiting)
        return [number for number in range(len(self._units)) if number not in waiting]

    def has(self, key: str) -> bool:
        """Whether the result of this key is known."""
        if key not in self._known:
            self._known[key] = self._looked_up(key) is not None
        return self._known[key]

    def next(self) -> int | None:
        """Hand out the first unit that waits for no model another one is making."""
        made = {key for number in self._out for key in self._makes(number)}
        for place, number in enumerate(self._waiting):
            if made.isdisjoint(self._makes(number)):
                del self._waiting[place]
                self._out.add(number)
                return number
        return None

    def known(self, number: int) -> dict[str, bytes]:
        """Return the shared models of a unit that exist already, packed."""
        found = {key: self._looked_up(key) for key in self._units[number].shared if self.has(key)}
        return {key: packed(arrays) for key, arrays in found.items() if arrays is not None}

    def keep(self, number: int, content: Mapping[str, bytes]) -> None:
        """Keep what came back of a unit."""
        for key, raw in content.items():
            arrays = unpacked(raw)
            self._memo.arrays(key, lambda arrays=arrays: arrays)  # type: ignore[misc]  # bound now, called at once
            self._known[key] = True
        self._out.discard(number)

    def take_back(self, number: int) -> None:
        """Let a unit that was handed out wait again, in its old place."""
        self._out.discard(number)
        self._waiting = sorted({*self._waiting, number})

    def _makes(self, number: int) -> set[str]:
        unit = self._units[number]
        return {key for key in (unit.key, *unit.shared) if not self.has(key)}

    def _looked_up(self, key: str) -> Arrays | None:
        def absent() -> Arrays:
            raise _AbsentError

        try:
            return self._memo.arrays(key, absent)
        except _AbsentError:
            return None
