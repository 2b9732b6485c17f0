"""Which physics a choice names for a set, and what is to be said of it."""

from collections.abc import Mapping
from typing import Any

from spectra_core.choices import Choice, build
from spectra_core.errors import SpectraError
from spectra_core.generators.physics import PHYSICS, Physics
from spectra_core.spectra import Frame, SpectraSet


def chosen_physics(choice: Any, frame: Frame) -> tuple[Physics, tuple[str, ...]]:
    """Return the physics that a choice names, for a set with this axis and these targets, and what is to be said of it.

    Parameters
    ----------
    choice
        As `PhysicsResidual.physics`.

    Raises
    ------
    SpectraError
        When it does not fit; the sentence says why, and which ones do.
    """
    if choice is None:
        choice = "salt_simulator" if PHYSICS["salt_simulator"]().obstacle(frame) is None else "pure_components"
    physics = build(PHYSICS, Choice.from_json(choice), "physics")
    if reason := physics.obstacle(frame):
        others = [
            f"{one.title} ({name})"
            for name, one in PHYSICS.items()
            if not isinstance(physics, one) and (name == "beer_lambert" or one().obstacle(frame) is None)
        ]
        raise SpectraError(
            f"The physics {physics.title!r} does not fit this set: {reason}. "
            + (f"These can be used: {', '.join(others)}." if others else "No other physics fits either.")
        )
    said = f"Physics: {physics.title}."
    if physics.data_only:
        said += " It is fitted to the training spectra, so it holds no knowledge beyond them."
    return physics, (said, *physics.notes(frame))


def knows_the_truth(spectra: SpectraSet, choice: Any) -> bool:
    """Whether `spectra` were simulated with the constants that a choice of physics uses."""
    made_by = spectra.meta.provenance.get("simulator")
    if not isinstance(made_by, Mapping):
        return False
    chosen = Choice("salt_simulator") if choice is None else Choice.from_json(choice)
    crude = not chosen.options.get("speciation", True)
    same = made_by.get("perturbation_seed") == chosen.options.get("perturbation_seed")
    return chosen.name == "salt_simulator" and same and not crude
