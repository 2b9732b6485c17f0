"""What concentration sets are made of."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from spectra_core.conditions.salts import salt_basis
from spectra_core.errors import SpectraError
from spectra_core.spectra import SetMeta, SpectralAxis, SpectraSet

TEN_SALTS = {
    "Zn(NO3)2": {"Zn": 1, "NO3": 2},
    "ZnSO4": {"Zn": 1, "SO4": 1},
    "Cu(NO3)2": {"Cu": 1, "NO3": 2},
    "CuSO4": {"Cu": 1, "SO4": 1},
    "LiNO3": {"Li": 1, "NO3": 1},
    "Fe(NO3)3": {"Fe": 1, "NO3": 3},
    "NiSO4": {"Ni": 1, "SO4": 1},
    "Ni(NO3)2": {"Ni": 1, "NO3": 2},
    "(NH4)2SO4": {"NH4": 2, "SO4": 1},
    "NH4NO3": {"NH4": 1, "NO3": 1},
}
IONS = ("Zn", "Cu", "Li", "Fe", "Ni", "NH4", "SO4", "NO3")
CHARGES = np.array([2, 2, 1, 3, 2, 1, -2, -1])


def spectra_with(targets: pd.DataFrame, **provenance) -> SpectraSet:
    signal = np.ones((len(targets), 2))
    return SpectraSet(SpectralAxis(np.arange(2.0)), signal, targets, meta=SetMeta(provenance=provenance))


def grid() -> pd.DataFrame:
    """Return a 4 x 4 x 4 grid of copper, nickel and chromium nitrates."""
    steps = np.linspace(0.0, 5.0, 4)
    table = pd.DataFrame([(a, b, c) for a in steps for b in steps for c in steps], columns=["Cu", "Ni", "Cr"])
    return table.assign(NO3=2 * table["Cu"] + 2 * table["Ni"] + 3 * table["Cr"])


@pytest.fixture(scope="module")
def ten_salts() -> pd.DataFrame:
    """400 solutions of two to five of ten salts, 8 ions; amounts up to 0.5 mol/L."""
    rng = np.random.default_rng(0)
    amounts = rng.uniform(0.01, 0.5, (400, 10))
    for row in amounts:
        row[rng.permutation(10)[rng.integers(2, 6) :]] = 0.0
    stoichiometry = np.array([[ions.get(name, 0) for name in IONS] for ions in TEN_SALTS.values()], float)
    return pd.DataFrame(amounts @ stoichiometry, columns=list(IONS))


def test_known_salts_are_used_with_their_own_ranges(mixtures):
    basis = salt_basis(mixtures)
    assert basis.found_from == "provenance"
    assert basis.names == ("CuSO4", "Ni(NO3)2", "NiSO4")
    data = mixtures.targets
    expected = np.column_stack([data["Cu2+"], data["NO3-"] / 2, data["SO4 2-"] - data["Cu2+"]])
    assert_allclose(basis.lower, expected.min(axis=0), atol=1e-12)
    assert_allclose(basis.upper, expected.max(axis=0), atol=1e-12)
    assert "CuSO4" in basis.explanation


def test_nitrate_is_found_as_the_counter_ion():
    basis = salt_basis(spectra_with(grid()))
    assert basis.found_from == "linear dependence"
    assert basis.names == ("Cu", "Ni", "Cr")
    assert basis.relations == ("NO3 = 2 Cu + 2 Ni + 3 Cr",)
    assert_array_equal(basis.matrix[:, 3], [2, 2, 3])
    assert_array_equal(basis.offset, 0.0)
    assert_array_equal(basis.lower, [0, 0, 0])
    assert_array_equal(basis.upper, [5, 5, 5])


@pytest.mark.parametrize("order", [["NO3", "Cr", "Ni", "Cu"], ["Cu", "NO3", "Ni", "Cr"]])
def test_order_of_the_targets_does_not_decide_which_one_depends(order):
    basis = salt_basis(spectra_with(grid()[order]))
    assert set(basis.names) == {"Cu", "Ni", "Cr"}
    assert_allclose(basis.matrix[:, order.index("NO3")], [{"Cu": 2, "Ni": 2, "Cr": 3}[name] for name in basis.names])


def test_rounded_labels_still_show_their_relation():
    noisy = grid() + np.random.default_rng(0).uniform(-5e-4, 5e-4, (64, 4))
    basis = salt_basis(spectra_with(noisy))
    assert basis.names == ("Cu", "Ni", "Cr")
    assert_allclose(basis.matrix[:, 3], [2, 2, 3], atol=1e-3)


def test_relations_looser_than_rounding_are_not_claimed():
    loose = grid()
    loose["NO3"] += np.random.default_rng(0).normal(0, 0.02 * loose["NO3"].std(), len(loose))
    basis = salt_basis(spectra_with(loose))
    assert basis.found_from == "none"
    assert basis.relations == ()


def test_two_counter_ions_leave_a_difference(ten_salts):
    """Eight ions of rank seven: no ion is a sum of others, but one follows from the charge balance."""
    basis = salt_basis(spectra_with(ten_salts))
    assert basis.found_from == "linear dependence"
    assert basis.n_salts == 7
    amounts = np.random.default_rng(1).uniform(basis.lower, basis.upper, (50, 7))
    assert_allclose(basis.targets_of(amounts) @ CHARGES, 0.0, atol=1e-9)


def test_ten_salts_of_eight_ions_get_ranges_and_a_warning(ten_salts):
    basis = salt_basis(spectra_with(ten_salts, salts=TEN_SALTS))
    assert basis.found_from == "provenance"
    assert basis.n_salts == 10
    assert "do not tell their amounts apart" in basis.explanation
    assert (basis.lower >= 0).all()
    # No salt can be in a solution at more than what its scarcest ion allows.
    for salt, upper in zip(basis.names, basis.upper, strict=True):
        most = min(ten_salts[ion].max() / number for ion, number in TEN_SALTS[salt].items())
        assert 0 < upper <= most * (1 + 1e-9)
    # LiNO3 and Fe(NO3)3 alone hold their cations, so their ranges are exact.
    assert basis.upper[basis.names.index("LiNO3")] == pytest.approx(ten_salts["Li"].max())
    assert basis.upper[basis.names.index("Fe(NO3)3")] == pytest.approx(ten_salts["Fe"].max())


def test_salts_that_do_not_make_the_labels_are_not_believed():
    wrong = {"Cu(NO3)2": {"Cu": 1, "NO3": 2}, "Ni(NO3)2": {"Ni": 1, "NO3": 2}, "Cr(NO3)2": {"Cr": 1, "NO3": 2}}
    basis = salt_basis(spectra_with(grid(), salts=wrong))
    assert basis.found_from == "linear dependence"
    assert basis.relations == ("NO3 = 2 Cu + 2 Ni + 3 Cr",)


@pytest.mark.parametrize(
    "salts", [{}, {"Cu(NO3)2": {"Cu": 1}}, {"Cu(NO3)2": "CuN2O6"}, ["Cu(NO3)2"], {"x": {"Cu": "one"}}, None]
)
def test_salts_that_say_too_little_fall_back_to_the_data(salts):
    assert salt_basis(spectra_with(grid(), salts=salts)).found_from == "linear dependence"


def test_salts_of_other_sets_are_left_out():
    salts = {
        "Cu(NO3)2": {"Cu": 1, "NO3": 2},
        "Ni(NO3)2": {"Ni": 1, "NO3": 2},
        "Cr(NO3)3": {"Cr": 1, "NO3": 3},
        "NaCl": {"Na": 1, "Cl": 1},
    }
    assert salt_basis(spectra_with(grid(), salts=salts)).names == ("Cr(NO3)3", "Cu(NO3)2", "Ni(NO3)2")


def test_salts_work_without_their_counter_ion_among_the_targets():
    salts = {"Cu(NO3)2": {"Cu": 1, "NO3": 2}, "Ni(NO3)2": {"Ni": 1, "NO3": 2}, "Cr(NO3)3": {"Cr": 1, "NO3": 3}}
    basis = salt_basis(spectra_with(grid()[["Cu", "Ni", "Cr"]], salts=salts))
    assert basis.found_from == "provenance"
    # Salts by name (Cr, Cu, Ni); targets as given (Cu, Ni, Cr).
    assert_array_equal(basis.matrix, [[0, 0, 1], [1, 0, 0], [0, 1, 0]])


def test_independent_targets_say_why_nothing_keeps_balance():
    basis = salt_basis(spectra_with(grid()[["Cu", "Ni", "Cr"]]))
    assert basis.found_from == "none"
    assert "counter-ions are not among the targets" in basis.explanation
    assert basis.explanation.count(". ") == 0


def test_fractions_that_add_up_to_one_need_an_offset():
    fractions = np.random.default_rng(0).dirichlet([2, 2, 2], 100)
    basis = salt_basis(spectra_with(pd.DataFrame(fractions, columns=["a", "b", "c"])))
    assert basis.n_salts == 2
    dependent = next(name for name in "abc" if name not in basis.names)
    assert basis.relations == (f"{dependent} = 1 - {basis.names[0]} - {basis.names[1]}",)


@pytest.mark.parametrize("constant", [0.0, 2e-4, 7.5])
def test_a_target_that_never_varies_follows_as_a_constant(constant):
    basis = salt_basis(spectra_with(grid().assign(Li=constant)))
    assert basis.names == ("Cu", "Ni", "Cr")
    sets = basis.targets_of(np.array([[1.0, 2.0, 3.0], [0.0, 1.0, 0.0]]))
    assert_allclose(sets[:, 4], constant, atol=1e-9)
    assert f"Li = {constant:.4g}" in basis.relations


def test_one_target_is_its_own_basis():
    basis = salt_basis(spectra_with(pd.DataFrame({"nitrate": [0.0, 1.0, 4.0]})))
    assert basis.found_from == "none"
    assert (basis.lower[0], basis.upper[0]) == (0.0, 4.0)


def test_a_set_without_targets_is_refused():
    with pytest.raises(SpectraError, match="has no targets"):
        salt_basis(SpectraSet(SpectralAxis(np.arange(2.0)), np.ones((3, 2))))
