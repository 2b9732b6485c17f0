"""Which sets are compared with which."""

from collections.abc import Mapping
from itertools import islice

from spectra_core.errors import SpectraError
from spectra_core.spectra import SpectraSet, require_same_axis

ROLES = ("training", "held-out", "generated", "oracle")


def require_comparable(sets: Mapping[str, SpectraSet]) -> None:
    """Refuse unknown roles, an empty mapping, and sets whose axis or quantity differs.

    Raises
    ------
    SpectraError
        Naming what differs.
    """
    unknown = [role for role in sets if role not in ROLES]
    if unknown or not sets:
        raise SpectraError(
            f"Sets are compared by role; expected some of {', '.join(ROLES)}, got {', '.join(sets) or 'none'}."
        )
    first = next(iter(sets.values()))
    for other in islice(sets.values(), 1, None):
        require_same_axis(first, other)


def comparisons(sets: Mapping[str, SpectraSet]) -> list[tuple[str, str]]:
    """Return the pairs (role, reference) that can be compared, the most asked-for first.

    Raises
    ------
    SpectraError
        When fewer than two roles are there.
    """
    wanted = [
        ("generated", "training"),
        ("generated", "held-out"),
        ("held-out", "training"),
        ("oracle", "training"),
    ]
    pairs = [pair for pair in wanted if pair[0] in sets and pair[1] in sets]
    if not pairs:
        raise SpectraError(
            f"A comparison needs two sets, such as training and generated spectra; got {', '.join(sets) or 'none'}."
        )
    return pairs
