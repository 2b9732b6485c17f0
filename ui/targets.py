"""What targets are called on pages: ions as chemists write them. Files keep the names as they were given."""

from collections.abc import Iterable

from spectra_core.figures.names import ion_labels
from spectra_core.spectra import Target


def names(info: Iterable[Target]) -> dict[str, str]:
    """Return what targets are called, by name.

    >>> names([Target("SO4", "mol/L", charge=-2), Target("glucose", "g/L", charge=0)])
    {'SO4': 'SO₄²⁻', 'glucose': 'glucose'}
    """
    listed = list(info)
    return ion_labels([one.name for one in listed], [one.charge for one in listed])


def labels(info: Iterable[Target]) -> dict[str, str]:
    """Return what targets are called, with their units, by name.

    >>> labels([Target("Cu2+", "mol/L")])
    {'Cu2+': 'Cu²⁺, mol/L'}
    """
    listed = list(info)
    units = {one.name: one.unit for one in listed}
    return {name: f"{called}, {units[name]}" if units[name] else called for name, called in names(listed).items()}
