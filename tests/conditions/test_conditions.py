"""Contract of every way of choosing concentration sets, and the formula of each."""

import json

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from scipy import stats

from spectra_core.conditions import CONDITIONS
from spectra_core.conditions.as_measured import Design
from spectra_core.conditions.hull import hull_distance
from spectra_core.conditions.independent_uniform import IndependentUniform
from spectra_core.conditions.measured import ConvexMixtures, Resampled
from spectra_core.conditions.salt_box import LatinHypercube, SaltBox, Sobol
from spectra_core.contracts import configuration
from spectra_core.datasets.simulator import PRESETS, simulate
from spectra_core.errors import ConfigError, SpectraError
from spectra_core.spectra import SpectralAxis, SpectraSet
from tests.conftest import relabelled

WITHIN_BALANCE = sorted(set(CONDITIONS) - {"independent_uniform"})


def spectra_with(targets: pd.DataFrame | None, n_spectra: int = 1) -> SpectraSet:
    n_spectra = n_spectra if targets is None else len(targets)
    return SpectraSet(SpectralAxis(np.arange(2.0)), np.ones((n_spectra, 2)), targets)


def charge(sets: pd.DataFrame) -> np.ndarray:
    return (2 * sets["Cu2+"] + 2 * sets["Ni2+"] - 2 * sets["SO4 2-"] - sets["NO3-"]).to_numpy()


@pytest.mark.parametrize("name", CONDITIONS)
class TestEveryConditionSampler:
    def test_returns_one_set_a_row_with_the_targets_of_the_data(self, name, mixtures):
        sets = CONDITIONS[name]().draw(mixtures, 13, np.random.default_rng(0))
        assert tuple(sets.columns) == mixtures.target_names
        assert list(sets.index) == list(range(13))
        assert np.isfinite(sets.to_numpy()).all()
        assert (sets >= 0).all(axis=None)

    def test_is_decided_by_the_generator_it_is_given(self, name, mixtures):
        one = CONDITIONS[name]().draw(mixtures, 9, np.random.default_rng(1))
        two = CONDITIONS[name]().draw(mixtures, 9, np.random.default_rng(1))
        assert_frame_equal(one, two, check_exact=True)

    def test_draws_other_sets_the_second_time(self, name, mixtures):
        rng = np.random.default_rng(1)
        method = CONDITIONS[name]()
        assert not method.draw(mixtures, 9, rng).equals(method.draw(mixtures, 9, rng))

    def test_never_reads_the_signal(self, name, mixtures):
        other = SpectraSet(
            mixtures.axis,
            np.zeros_like(mixtures.signal),
            mixtures.targets,
            target_info=mixtures.target_info,
            meta=mixtures.meta,
        )
        one = CONDITIONS[name]().draw(mixtures, 9, np.random.default_rng(1))
        assert_frame_equal(one, CONDITIONS[name]().draw(other, 9, np.random.default_rng(1)), check_exact=True)

    def test_refuses_a_set_without_targets(self, name):
        with pytest.raises(SpectraError, match="has no targets"):
            CONDITIONS[name]().draw(spectra_with(None), 3, np.random.default_rng(0))

    def test_refuses_to_draw_nothing(self, name, mixtures):
        with pytest.raises(ConfigError, match="must be at least 1, got 0"):
            CONDITIONS[name]().draw(mixtures, 0, np.random.default_rng(0))

    @pytest.mark.parametrize("n_sets", [1, 2, 3, 100, 129])
    def test_gives_any_number_of_sets_without_a_warning(self, name, mixtures, n_sets):
        assert len(CONDITIONS[name]().draw(mixtures, n_sets, np.random.default_rng(0))) == n_sets

    def test_explains_itself_in_one_sentence(self, name):
        explanation = CONDITIONS[name].explanation
        assert explanation.count(". ") == 0
        assert explanation.endswith(".")

    def test_is_made_again_from_its_configuration(self, name):
        method = CONDITIONS[name]()
        assert CONDITIONS[name](**json.loads(json.dumps(configuration(method)))) == method

    def test_is_refused_exactly_where_it_needs_salts_and_there_are_none(self, name):
        rng = np.random.default_rng(0)
        unrelated = spectra_with(pd.DataFrame(rng.random((50, 2)), columns=["nitrite", "nitrate"]))
        if CONDITIONS[name].needs_salts:
            with pytest.raises(SpectraError, match="counter-ions are not among the targets"):
                CONDITIONS[name]().draw(unrelated, 5, rng)
        else:
            assert len(CONDITIONS[name]().draw(unrelated, 5, rng)) == 5


@pytest.mark.parametrize("name", CONDITIONS)
def test_salts_of_which_no_solution_needs_any_are_none(name):
    """Of three ions, some salts that are known tell nothing: what holds copper is explained by its sulfate alone."""
    mixtures = simulate(PRESETS["beer_lambert"], n_spectra=40, seed=0).with_targets(["Cu2+", "Ni2+", "NO3-"])
    sets = CONDITIONS[name]().draw(mixtures, 30, np.random.default_rng(0))
    assert np.isfinite(sets.to_numpy()).all()
    assert (sets.to_numpy() >= 0).all()


@pytest.mark.parametrize("name", CONDITIONS)
def test_targets_of_any_size_are_drawn_or_refused(name, mixtures):
    """Squares of 1e-200 are 0, and differences of 1e308 infinite."""
    tiny = relabelled(mixtures.with_meta(provenance={}), 1e-200 * mixtures.targets)
    sets = CONDITIONS[name]().draw(tiny, 30, np.random.default_rng(0))
    usual = CONDITIONS[name]().draw(mixtures.with_meta(provenance={}), 30, np.random.default_rng(0))
    assert_allclose(sets / 1e-200, usual, rtol=1e-6, atol=1e-9)
    huge = mixtures.targets.copy()
    huge.iloc[::2, 0], huge.iloc[1::2, 0] = 1e308, -1e308
    with pytest.raises(SpectraError, match="beyond 1e\\+100 cannot be computed with"):
        CONDITIONS[name]().draw(relabelled(mixtures, huge), 3, np.random.default_rng(0))


@pytest.mark.parametrize("name", WITHIN_BALANCE)
@pytest.mark.parametrize("known_salts", [True, False])
def test_keeps_charge_balance(name, known_salts, mixtures):
    train = mixtures if known_salts else mixtures.with_meta(provenance={})
    sets = CONDITIONS[name]().draw(train, 200, np.random.default_rng(0))
    assert_allclose(charge(sets), 0.0, atol=1e-12)  # rounding of sums below 1 mol/L


def test_independent_uniform_breaks_charge_balance_and_says_so(mixtures):
    sets = IndependentUniform().draw(mixtures, 2000, np.random.default_rng(0))
    assert np.abs(charge(sets)).mean() > 0.1
    assert "breaks charge balance" in IndependentUniform.explanation
    for name in mixtures.target_names:
        low, high = mixtures.targets[name].min(), mixtures.targets[name].max()
        assert stats.kstest(sets[name], stats.uniform(low, high - low).cdf).pvalue > 1e-4
    assert np.abs(np.corrcoef(sets, rowvar=False) - np.eye(4)).max() < 0.1


def test_resampled_sets_are_those_of_the_data_equally_often(mixtures):
    sets = Resampled().draw(mixtures, 6000, np.random.default_rng(0))
    where = (sets.to_numpy()[:, None, :] == mixtures.target_values).all(axis=2)
    assert (where.sum(axis=1) == 1).all()
    assert stats.chisquare(where.sum(axis=0)).pvalue > 1e-4


class TestConvexMixtures:
    def test_lie_in_the_hull_of_the_data(self, mixtures):
        sets = ConvexMixtures().draw(mixtures, 50, np.random.default_rng(0))
        assert hull_distance(mixtures.targets, sets)["inside"].all()

    def test_proportions_are_dirichlet(self):
        # Two parents at 0 and 1: a mixture of different ones is Beta(a, a), of equal ones 0 or 1.
        train = spectra_with(pd.DataFrame({"c": [0.0, 1.0]}))
        sets = ConvexMixtures(n_parents=2, evenness=3.0).draw(train, 4000, np.random.default_rng(0))["c"]
        mixed = sets[(sets > 1e-12) & (sets < 1 - 1e-12)]
        assert len(mixed) == pytest.approx(2000, abs=160)
        assert stats.kstest(mixed, stats.beta(3, 3).cdf).pvalue > 1e-4


class TestSaltBox:
    def test_salts_are_uniform_and_independent(self, mixtures):
        sets = SaltBox(within_range=False).draw(mixtures, 3000, np.random.default_rng(0))
        # NO3- comes from Ni(NO3)2 alone; the rest of Ni2+ is NiSO4; the rest of SO4 2- is CuSO4.
        salts = pd.DataFrame({"nitrate": sets["NO3-"] / 2, "copper": sets["Cu2+"]})
        salts["nickel sulfate"] = sets["Ni2+"] - salts["nitrate"]
        data = mixtures.targets
        ranges = {
            "nitrate": data["NO3-"] / 2,
            "copper": data["Cu2+"],
            "nickel sulfate": data["Ni2+"] - data["NO3-"] / 2,
        }
        for name, measured in ranges.items():
            low, high = measured.min(), measured.max()
            assert stats.kstest(salts[name], stats.uniform(low, high - low).cdf).pvalue > 1e-4
        assert np.abs(np.corrcoef(salts, rowvar=False) - np.eye(3)).max() < 0.1

    def test_sets_that_would_be_negative_are_left_out(self):
        # b = 1 - a - c: half of the box of a and c is impossible.
        fractions = np.random.default_rng(0).dirichlet([1, 1, 1], 400)
        train = spectra_with(pd.DataFrame(fractions, columns=["a", "b", "c"]))
        sets = SaltBox(within_range=False).draw(train, 500, np.random.default_rng(0))
        assert (sets >= 0).all(axis=None)
        assert_allclose(sets.sum(axis=1), 1.0, rtol=1e-12)
        # Uniform on the triangle, cut off where no fraction was measured: the mean stays at a third each.
        assert_allclose(sets.mean(), 1 / 3, atol=0.05)

    def test_negative_values_are_allowed_where_the_data_have_them(self):
        offsets = np.random.default_rng(0).uniform(-1, 1, (100, 2))
        train = spectra_with(pd.DataFrame({"x": offsets[:, 0], "y": offsets[:, 1], "sum": offsets.sum(axis=1)}))
        sets = SaltBox(within_range=False).draw(train, 300, np.random.default_rng(0))
        assert sets["sum"].min() < -1
        assert_allclose(sets["sum"], sets["x"] + sets["y"], atol=1e-12)

    @pytest.mark.parametrize("method", [SaltBox, Sobol, LatinHypercube])
    def test_sets_hold_the_salts_that_solutions_of_the_data_hold(self, method):
        """Solutions of one or two of three salts: never all three, never none."""
        train = spectra_with(few_of_many_salts())
        sets = method().draw(train, 400, np.random.default_rng(0))
        present = (sets[["Cu", "Ni", "Cr"]] > 1e-3).to_numpy()
        in_data = (train.targets[["Cu", "Ni", "Cr"]] > 0).to_numpy()
        assert {tuple(row) for row in present} == {tuple(row) for row in in_data}
        # 300 solutions of the data give each pattern its frequency; 5 sigma of a share among 400 sets is 0.125.
        assert_allclose(present.mean(axis=0), in_data.mean(axis=0), atol=0.125)
        every = method(salts_present="all", within_range=False).draw(train, 400, np.random.default_rng(0))
        assert ((every[["Cu", "Ni", "Cr"]] > 1e-3).all(axis=1)).mean() > 0.9

    @pytest.mark.parametrize("method", [SaltBox, Sobol, LatinHypercube])
    def test_no_target_leaves_its_range_unless_it_is_allowed_to(self, method):
        train = spectra_with(few_of_many_salts())
        largest = train.targets["NO3"].max()
        assert method(salts_present="all").draw(train, 200, np.random.default_rng(0))["NO3"].max() <= largest + 1e-12
        free = method(salts_present="all", within_range=False).draw(train, 200, np.random.default_rng(0))
        assert free["NO3"].max() > largest

    def test_a_box_without_possible_sets_is_a_sentence(self):
        """Twelve salts of which every solution holds one: in a mix of all, their shared ion leaves its range."""
        amounts = np.kron(np.eye(12), np.linspace(0.5, 1.0, 4).reshape(-1, 1))
        names = [f"cation {i}" for i in range(12)]
        train = spectra_with(pd.DataFrame(amounts, columns=names).assign(NO3=amounts.sum(axis=1)))
        assert len(SaltBox().draw(train, 50, np.random.default_rng(0))) == 50
        with pytest.raises(SpectraError, match="Almost no point in the box of cation 0, cation 1"):
            SaltBox(salts_present="all").draw(train, 50, np.random.default_rng(0))


def few_of_many_salts() -> pd.DataFrame:
    """Return 300 solutions of one or two of three nitrates."""
    rng = np.random.default_rng(0)
    amounts = rng.uniform(0.2, 1.0, (300, 3))
    for row in amounts:
        row[rng.permutation(3)[rng.integers(1, 3) :]] = 0.0
    table = pd.DataFrame(amounts, columns=["Cu", "Ni", "Cr"])
    return table.assign(NO3=2 * table["Cu"] + 2 * table["Ni"] + 3 * table["Cr"])


def test_sobol_fills_the_salt_box_more_evenly_than_chance(mixtures):
    def discrepancy(method):
        sets = method.draw(mixtures, 128, np.random.default_rng(4))
        salts = np.column_stack([sets["Cu2+"], sets["NO3-"] / 2, sets["Ni2+"] - sets["NO3-"] / 2])
        unit = (salts - salts.min(axis=0)) / np.ptp(salts, axis=0)
        return stats.qmc.discrepancy(np.clip(unit, 0, 1))

    assert discrepancy(Sobol()) < 0.5 * discrepancy(SaltBox())


def test_latin_hypercube_visits_every_step_of_every_salt_once(mixtures):
    data = mixtures.targets
    sets = LatinHypercube(within_range=False).draw(mixtures, 40, np.random.default_rng(0))
    for made, measured in ((sets["Cu2+"], data["Cu2+"]), (sets["NO3-"], data["NO3-"])):
        steps = np.floor(40 * (made - measured.min()) / np.ptp(measured)).astype(int)
        assert_array_equal(np.sort(steps), np.arange(40))


def test_a_salt_that_no_solution_holds_is_drawn_in_none():
    matrix, amounts = np.eye(2), np.column_stack([np.linspace(0.1, 0.5, 6), np.zeros(6)])
    drawn = Design(amounts @ matrix, matrix, np.zeros(2), amounts).draw(20, np.random.default_rng(0))
    assert (drawn[:, 1] == 0).all()
    assert ((drawn[:, 0] >= 0.1) & (drawn[:, 0] <= 0.5)).all()
    assert len(np.unique(drawn[:, 0])) > 10
