"""The workers of a cluster as the dispatcher sees them: new, being prepared, ready, refused or lost."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from spectra_core.training.versions import versions


@dataclass(eq=False)
class Member:
    """One worker process.

    Parameters
    ----------
    address
        Where it listens.
    n_slots
        Units it works on at a time: its threads.
    last_seen, heard
        Its last sign of life by the scheduler's clock, and when that changed by ours.
    asked
        When the data were sent to it.
    """

    address: str
    n_slots: int
    last_seen: float
    heard: float
    state: Literal["new", "preparing", "ready", "refused"] = "new"
    running: set[str] = field(default_factory=set)

    asked: float = 0.0

    def prepare(self) -> None:
        """Note that the data were sent to it."""
        self.state, self.asked = "preparing", time.monotonic()

    @property
    def has_room(self) -> bool:
        """Whether it can take another unit."""
        return len(self.running) < self.n_slots


@dataclass(frozen=True, eq=False)
class Attempt:
    """One unit, by its number, on one worker: a future of Dask's."""

    number: int
    member: Member
    future: Any


class Crew:
    """All workers that the scheduler lists.

    Parameters
    ----------
    silence
        Seconds without a sign of life after which a listed worker counts as lost.
    patience
        Seconds a worker may take to load the package and the data.
    """

    def __init__(self, silence: float, patience: float) -> None:
        self._silence, self._patience = silence, patience
        self._members: dict[str, Member] = {}
        self._lost: list[Member] = []
        self._own = versions()
        self.reasons: list[str] = []
        """Why workers were refused."""

    def see(self, workers: Mapping[str, Mapping[str, Any]]) -> None:
        """Take note of the scheduler's list, by address."""
        now = time.monotonic()
        for address, facts in workers.items():
            # Clocks of different computers are not compared: what counts is that the time stamp moves.
            member = self._members.get(address)
            if member is None:
                self._members[address] = Member(address, int(facts["nthreads"]), facts["last_seen"], now)
            elif member.last_seen != facts["last_seen"]:
                member.last_seen, member.heard = facts["last_seen"], now
        for address in [address for address in self._members if address not in workers]:
            self._lost.append(self._members.pop(address))

    def lost(self) -> list[Member]:
        """Return, once each, the workers that are listed no more; and those that are silent."""
        gone, self._lost = self._lost, []
        return gone + [member for member in self._members.values() if self._is_silent(member)]

    def with_room(self) -> list[Member]:
        """Return the workers that can take work, those with least to do first."""
        free = [one for one in self._members.values() if one.has_room and not self._is_silent(one)]
        return sorted(free, key=lambda one: len(one.running) / one.n_slots)

    @property
    def usable(self) -> bool:
        """Whether any worker is or may become ready."""
        return any(
            one.state != "refused" and not self._is_silent(one) and not self._is_late(one)
            for one in self._members.values()
        )

    def prepared(self, member: Member, answer: Any, message: Callable[[str], None]) -> None:
        """Handle what a worker said to the data sent to it: its versions, or an error."""
        if isinstance(answer, OSError | TimeoutError):
            member.state = "new"  # the network, not the worker: tried again while it is listed
            return
        member.heard = time.monotonic()  # loading the package may have kept it from saying so to the scheduler
        reason = self._reason_against(answer)
        if reason:
            member.state = "refused"
            self.reasons.append(f"{member.address} {reason}")
            message(f"The worker {member.address} is left out: it {reason}")
            return
        member.state = "ready"
        message(f"The worker {member.address} has the data; it works on {member.n_slots} at a time.")

    def _reason_against(self, answer: Any) -> str:
        if not isinstance(answer, Mapping):
            return f"cannot load latent-spectra ({type(answer).__name__}: {answer}). Install the same version there."
        for package, version in self._own.items():
            if answer.get(package) != version:
                return (
                    f"has {package} {answer.get(package)}, here it is {version}, so that its numbers could differ. "
                    "Install the same versions there."
                )
        return ""

    def _is_silent(self, member: Member) -> bool:
        return time.monotonic() - member.heard > self._silence

    def _is_late(self, member: Member) -> bool:
        return member.state == "preparing" and time.monotonic() - member.asked > self._patience
