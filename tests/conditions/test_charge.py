"""Whether solutions are neutral."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from spectra_core.conditions.charge import charge_obstacle, charge_residual, charge_total
from spectra_core.errors import SpectraError
from spectra_core.spectra import Target


def salts(unit: str = "mol/L") -> list[Target]:
    return [Target("Fe3+", unit, charge=3), Target("SO4 2-", unit, charge=-2), Target("sucrose", "g/L", charge=0)]


SETS = pd.DataFrame({"Fe3+": [2.0, 1.0, 0.0], "SO4 2-": [3.0, 0.0, 1.0], "sucrose": [5.0, 5.0, 5.0]})


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("mol/L", 1), ("M", 1), ("mmol/L", 1e-3), ("mM", 1e-3), ("µM", 1e-6), ("mol L-1", 1), ("mmol·L⁻¹", 1e-3),
     ("mol/m³", 1e-3), ("umol / l", 1e-6), ("mol/dm3", 1)],
)  # fmt: skip
def test_residual_is_the_sum_of_charges_in_mol_per_litre(unit, factor):
    # Fe2(SO4)3 is neutral; 1 Fe3+ alone leaves +3, 1 sulfate alone -2; a molecule does not count.
    assert_allclose(charge_residual(SETS, salts(unit)), np.array([0.0, 3.0, -2.0]) * factor, rtol=1e-12)


def test_mixtures_of_salts_are_neutral(mixtures):
    residual = charge_residual(mixtures.targets, mixtures.target_info)
    assert_allclose(residual, 0.0, atol=1e-12)


def test_mixed_units_are_refused():
    mixed = [Target("Fe3+", "mmol/L", charge=3), Target("SO4 2-", "mol/L", charge=-2)]
    with pytest.raises(SpectraError, match="in one unit, but the ions come in 'mmol/L', 'mol/L'"):
        charge_residual(SETS, mixed)
    assert "different units" in str(charge_obstacle(mixed))


@pytest.mark.parametrize(
    ("target_info", "reason"),
    [
        ([Target("Cu", "mM"), Target("NO3", "mM", charge=-1)], "the charge of Cu is not known"),
        ([Target("Cu", "mM", charge=2), Target("Ni", "mM", charge=2)], r"counter-ions \(anions\) are not among"),
        ([Target("NO3", "mM", charge=-1)], r"counter-ions \(cations\) are not among"),
        ([Target("sucrose", "mM", charge=0)], "no target carries a charge"),
        ([Target("Cu", "g/L", charge=2), Target("NO3", "g/L", charge=-1)], "'g/L' is not an amount of substance"),
        ([Target("Cu", charge=2), Target("NO3", charge=-1)], "their unit is not known"),
    ],
)
def test_what_cannot_be_checked_is_explained(target_info, reason):
    sets = pd.DataFrame({target.name: [1.0, 2.0] for target in target_info})
    assert charge_residual(sets, target_info) is None
    obstacle = charge_obstacle(target_info)
    assert obstacle is not None
    assert pd.Series([obstacle]).str.contains(reason).all()
    assert obstacle.endswith(".")


def test_complete_ions_have_no_obstacle():
    assert charge_obstacle(salts()) is None


def test_a_missing_column_is_named():
    with pytest.raises(SpectraError, match="no column 'SO4 2-'"):
        charge_residual(SETS[["Fe3+", "sucrose"]], salts())


def test_total_counts_charges_of_both_signs():
    assert_allclose(charge_total(SETS, salts("mM")), [12e-3, 3e-3, 2e-3], rtol=1e-12)
