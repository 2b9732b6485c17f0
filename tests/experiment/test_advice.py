"""What would help: against brute force, by hand, and where the answer is known beforehand."""

from itertools import count
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from spectra_core.choices import Choice
from spectra_core.contracts import NO_MEMO, SILENT, derived_seed
from spectra_core.datasets.simulator import PRESETS, simulate
from spectra_core.errors import ConfigError, SpectraError
from spectra_core.experiment.advice import Advice, advise
from spectra_core.experiment.advice.measuring import measure
from spectra_core.experiment.advice.planning import USED, plan
from spectra_core.experiment.advice.preparing import averaged
from spectra_core.experiment.advice.saying import summary
from spectra_core.experiment.advice.solutions import solutions_to_prepare
from spectra_core.experiment.advice.table import COLUMNS, UNTOLD
from spectra_core.experiment.advice.trying import OUT_OF_TIME, Trials, fitted
from spectra_core.experiment.advice.ways import AS_NOW, DERIVATIVE, MORE_SPECTRA, Way, ways_for
from spectra_core.experiment.fold import OnceMemo
from spectra_core.experiment.parts import Part
from spectra_core.regressors.choice import RegressorChoice, build_regressor
from spectra_core.spectra import SpectralAxis, SpectraSet, Target
from spectra_core.splits import Split, k_fold
from tests.conftest import beer_lambert_set, relabelled

CRIPPLED = Choice("pls", {"max_components": 1})
EXACT = (AS_NOW, "Gaussian process", "Ridge", "Ridge on first derivative")
"""Ways whose fits no seed changes."""


def quick(spectra: SpectraSet, reference: Choice = CRIPPLED, names: tuple[str, ...] = EXACT) -> dict[str, float]:
    """Seconds of a fit by which these ways, and no others, fit into the usual time once."""
    ways, _ = ways_for(spectra, reference, len(spectra))
    return {way.name: 3.8 / len(names) if way.name in names else 1e9 for way in ways}


def advised(spectra: SpectraSet, reference: Choice = CRIPPLED, names: tuple[str, ...] = (AS_NOW, "Ridge"), **options):
    return advise(spectra, reference=reference, pace=quick(spectra, reference, names), **options)


def by_remedy(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["target"] == "all"].set_index("remedy")


class Kept:
    """A memo that counts what is computed."""

    def __init__(self):
        self.found, self.n_computed = {}, 0

    def arrays(self, key, compute):
        if key not in self.found:
            self.n_computed += 1
            self.found[key] = compute()
        return self.found[key]


@pytest.fixture(scope="module")
def mixed() -> SpectraSet:
    return beer_lambert_set(n_spectra=40, noise=0.02)


@pytest.fixture(scope="module")
def untold(mixed) -> SpectraSet:
    """The labels of its last target have nothing to do with the spectra."""
    targets = mixed.targets
    targets["NO3-"] = np.random.default_rng(5).normal(10.0, 1.0, 40)
    return relabelled(mixed, targets)


@pytest.fixture(scope="module")
def found(untold) -> Advice:
    return advised(untold, names=EXACT, seed=7)


@pytest.fixture(scope="module")
def few() -> SpectraSet:
    return beer_lambert_set(n_spectra=15, n_channels=20)


class TestAdvice:
    def test_a_better_regressor_than_a_crippled_one_comes_first_and_is_told(self, found):
        first = found.table.iloc[0]
        assert (first["remedy"], first["verdict"], first["target"]) == ("Gaussian process", "improved", "all")
        assert first["high"] < 0
        assert by_remedy(found.table).loc["Ridge", "verdict"] == "improved"
        assert found.sentences[1].startswith(
            "Gaussian process helps. Choosing it as was done here, judged on spectra that"
        )
        assert found.document["choice"]["verdict"] == "improved"
        assert found.document["choice"]["effect"] < -50
        assert list(found.table) == COLUMNS
        assert "MLP ensemble" in found.document["left_out"]
        experiment = found.document["actions"]["Ridge"]["experiment"]
        assert [choice["name"] for choice in experiment["regressors"]] == ["pls", "ridge"]

    def test_a_target_that_no_spectrum_tells_is_named_first_and_does_not_count(self, found):
        assert found.sentences[0].startswith("No spectrum tells NO3-:")
        assert found.document["told"] == ["Cu2+", "Ni2+", "SO4 2-"]
        rows = found.table[found.table["remedy"] == "Ridge"].set_index("target")
        assert rows.loc["NO3-", "verdict"] == UNTOLD
        ratios = np.log1p(rows.loc[found.document["told"], "effect"] / 100)
        assert_allclose(np.log1p(rows.loc["all", "effect"] / 100), ratios.mean(), rtol=1e-9)

    def test_labels_of_pure_noise_cannot_be_told_and_nothing_helps(self, few):
        noise = pd.DataFrame(np.random.default_rng(5).normal(10.0, 1.0, (15, 4)), columns=list(few.target_names))
        found = advised(relabelled(few, noise))
        assert found.sentences[0].startswith("No spectrum tells Cu2+, Ni2+, SO4 2-, NO3-")
        assert found.sentences[1].startswith("Nothing here helps")
        assert set(found.table.loc[found.table["remedy"] != AS_NOW, "verdict"]) == {UNTOLD}

    def test_what_is_as_good_as_can_be_stays(self, few):
        found = advised(few, reference=Choice("pls"))
        assert found.table.iloc[0]["remedy"] == AS_NOW
        assert found.sentences[0].startswith("Nothing here helps: no remedy that was tried has a smaller error")

    def test_the_promise_is_that_of_nested_cross_validation_by_brute_force(self, found, untold):
        choices = {way.name: way.regressor for way in ways_for(untold, CRIPPLED, 35)[0] if way.name in EXACT}
        errors = np.empty(untold.target_values.shape)
        for outer in k_fold(untold.groups, found.document["n_folds"], seed=7):
            seed = derived_seed(7, "inner folds of advice", outer.fold)
            inner = k_fold(untold.groups[outer.train], found.document["n_inner"], seed=seed)
            left_out = {
                name: np.concatenate(
                    [predict(untold, choice, outer.train[one.train], outer.train[one.test]) for one in inner]
                )
                for name, choice in choices.items()
            }
            rmse = {name: np.sqrt((each**2).mean(axis=0)) for name, each in left_out.items()}
            explained = 1 - (np.min(list(rmse.values()), axis=0) / untold.target_values[outer.train].std(axis=0)) ** 2
            best = min(rmse, key=lambda name: np.prod(rmse[name][explained >= 0.1]))
            errors[outer.test] = predict(untold, choices[best], outer.train, outer.test)
        first = found.table[found.table["remedy"] == found.table["remedy"].iloc[0]].set_index("target")
        promised = np.sqrt((errors**2).mean(axis=0))
        assert_allclose(first.loc[list(untold.target_names), "promised_error"], promised, rtol=1e-6)
        relative = (promised / untold.target_values.std(axis=0))[:3]
        assert_allclose(first.loc["all", "promised_error"], np.prod(relative) ** (1 / 3), rtol=1e-6)

    def test_the_last_doubling_is_measured_and_no_more_is_promised(self, found):
        row = by_remedy(found.table).loc[MORE_SPECTRA]
        assert np.isnan(row["promised_error"])
        assert sorted(found.tables["curve"]["n_train"].unique()) == [8, 17, 35]
        assert any("from 17 to 35 of them" in sentence for sentence in found.sentences)

    def test_one_target_of_few_spectra_without_salts_needs_no_mean(self, few):
        found = advised(few.with_targets(["Ni2+"]))
        assert found.document["n_folds"] == 5
        assert found.table.iloc[0]["remedy"] == "Ridge"
        assert set(found.table["target"]) == {"Ni2+"}

    def test_the_only_target_that_is_told_stands_for_a_remedy(self, few):
        targets = few.targets[["Cu2+", "Ni2+"]]
        targets["Cu2+"] = np.random.default_rng(2).normal(10.0, 1.0, 15)
        found = advised(relabelled(few.with_targets(["Cu2+", "Ni2+"]), targets))
        assert found.document["told"] == ["Ni2+"]
        assert summary(found.table)["target"].tolist() == ["Ni2+"] * 3

    def test_ten_spectra_are_too_few(self):
        with pytest.raises(SpectraError, match="at least 12 independent spectra; the set has 4 such targets and 10"):
            advise(beer_lambert_set(n_spectra=10))

    def test_interrupted_advice_goes_on_where_it_was(self, few):
        kept = Kept()
        first = advised(few, memo=kept)
        n_computed = kept.n_computed
        again = advised(few, memo=kept)
        assert kept.n_computed == n_computed > 8
        pd.testing.assert_frame_equal(first.table, again.table)

    def test_what_an_earlier_run_kept_is_timed_all_the_same(self, few):
        class Telling:
            """Its clock goes on by a second with every step of a training."""

            now = 0.0

            def progress(self, *_):
                self.now += 1.0

            def message(self, _):
                pass

        kept, told = Kept(), Telling()
        ways = ways_for(few, Choice("mlp", {"epochs": 5}), 12)[0][:1]

        def measured():
            return measure(ways, Trials(few, 0, 600.0, OnceMemo(kept), 1, told, lambda: told.now), 4)

        first = measured()
        assert first.seconds[AS_NOW] >= 5.0
        assert first.left <= 595.0
        assert measured() == first  # advice that was interrupted goes on with the plan it had
        kept.found = {key: found for key, found in kept.found.items() if "predicted" in found}
        assert measured().seconds == first.seconds
        assert kept.found


class TestTime:
    SECONDS: ClassVar = {AS_NOW: 1.0, "Gaussian process": 0.5, "Ridge": 0.1, "PLS": 0.1, "Stack": 20.0, "Ensemble": 5.0}

    @pytest.mark.parametrize("budget", [30.0, 100.0, 180.0, 1000.0])
    @pytest.mark.parametrize("n_workers", [1, 2])
    def test_what_is_planned_fits(self, budget, n_workers):
        found = plan(self.SECONDS, budget, n_workers, judging_themselves=["Stack"], n_groups=100)
        fits = {
            name: found.n_folds * (found.n_repeats - 1 + (1 if name == "Stack" else found.n_inner))
            for name in found.ways
        }
        cost = sum(self.SECONDS[name] * n for name, n in fits.items()) / n_workers
        assert cost == pytest.approx(found.seconds)
        assert cost <= USED * budget
        assert found.ways[0] == AS_NOW
        assert {*found.ways, *found.left_out} == set(self.SECONDS)

    def test_more_time_leaves_less_out(self):
        left_out = [len(plan(self.SECONDS, budget, 2, n_groups=100).left_out) for budget in (60.0, 300.0, 3000.0)]
        assert left_out == sorted(left_out, reverse=True)
        assert left_out[-1] == 0

    def test_few_spectra_have_few_folds(self):
        assert plan(self.SECONDS, 1e4, 2, n_groups=13).n_folds == 5

    def test_too_short_a_time_is_a_sentence(self):
        for unfit in ({"minutes": np.inf}, {"minutes": np.nan}, {"minutes": 1e308}, {"n_workers": 0}):
            with pytest.raises(ConfigError, match=r"positive number of minutes|at least 1 worker"):
                advise(beer_lambert_set(12), **unfit)
        with pytest.raises(ConfigError, match=r"In the 3 seconds that are left .* not even the calibration in use"):
            plan(self.SECONDS, 3.0, 1, n_groups=100)

    def test_where_nothing_else_can_be_fitted_the_reason_is_told(self, few, monkeypatch):
        def only_what_is_in_use(way, *given):
            if way.name == AS_NOW:
                return fitted(way, *given)
            raise SpectraError("The spectra do not fit it.")

        monkeypatch.setattr("spectra_core.experiment.advice.trying.fitted", only_what_is_in_use)
        with pytest.raises(SpectraError, match=r"Nothing could be tried beside .* Ridge: The spectra do not fit it\."):
            advised(few)

    def test_a_way_that_the_axis_does_not_allow_is_left_out_before_it_is_planned(self, few):
        uneven = few.axis.positions + np.where(np.arange(few.n_channels) % 3, 0.0, 3.0)
        spectra = SpectraSet(SpectralAxis(uneven), few.signal, few.targets, target_info=few.target_info, meta=few.meta)
        ways = [Way(AS_NOW, CRIPPLED), Way("Ridge on first derivative", RegressorChoice("ridge", {}, DERIVATIVE))]
        trials = Trials(spectra, 0, 600.0, OnceMemo(NO_MEMO), 1, SILENT, lambda: 0.0)
        measured = measure(ways, trials, 4)
        assert np.isnan(measured.seconds["Ridge on first derivative"])
        assert list(trials.failed) == ["Ridge on first derivative"]
        assert "Savitzky-Golay needs channels at even distances" in trials.failed["Ridge on first derivative"]

    def test_what_the_clock_does_not_allow_is_named(self, few):
        seconds = count(step=6.0)  # so many pass at every look
        found = advised(few, names=EXACT, clock=lambda: next(seconds))
        dropped = [name for name, why in found.document["left_out"].items() if why == OUT_OF_TIME]
        assert dropped
        assert not set(dropped) & set(found.table["remedy"])


class TestPreparing:
    def replicates(self) -> SpectraSet:
        once = beer_lambert_set(n_spectra=20, n_channels=8)
        rng = np.random.default_rng(1)
        signal = np.repeat(once.signal, 3, axis=0)
        return SpectraSet(
            once.axis,
            signal + 0.05 * rng.standard_normal(signal.shape),
            pd.DataFrame(np.repeat(once.target_values, 3, axis=0), columns=list(once.target_names)),
            target_info=once.target_info,
            samples=pd.DataFrame({"id": [f"s{i}" for i in range(60)], "group": [f"g{i // 3}" for i in range(60)]}),
            meta=once.meta,
        )

    def test_averages_are_means_of_replicates_and_predict_for_each(self):
        spectra = self.replicates()
        means = spectra.signal.reshape(20, 3, 8).mean(axis=1)
        assert_allclose(averaged(spectra)[0].signal, means, rtol=1e-12)
        split = Split(np.arange(48), np.arange(48, 60))
        trials = trials_of(spectra)
        found = fitted(Way("averaged", Choice("ridge"), spectra="replicates averaged"), trials._part(split))
        by_hand = build_regressor(Choice("ridge")).fit(with_signal(spectra.take(np.arange(0, 48, 3)), means[:16]))
        expected = by_hand.predict(with_signal(spectra.take(np.arange(48, 60, 3)), means[16:])).to_numpy()
        assert_allclose(found["predicted"], np.repeat(expected, 3, axis=0), rtol=1e-9)

    def test_replicates_are_offered_where_labels_agree(self, mixed):
        names = [way.name for way in ways_for(self.replicates(), CRIPPLED, 50)[0]]
        assert "Replicates averaged, Gaussian process" in names
        assert "nothing to average" in ways_for(mixed, CRIPPLED, 40)[1]["Replicates averaged"]

    def test_physics_is_offered_where_it_is_known_and_never_the_true_constants(self, few):
        simulated = simulate(PRESETS["beer_lambert"], n_spectra=20, seed=0)
        arms = {way.name: way.arm for way in ways_for(simulated, CRIPPLED, 18)[0]}
        arm = arms["Physics (constants drawn anew) + learned residual, Gaussian process"]
        assert arm.generator.options["physics"]["options"] == {"perturbation_seed": 1}
        assert arm.ratio == 4.0
        unknown = few.with_targets(["Cu2+"]).with_meta(quantity="Intensity")
        why = ways_for(unknown, CRIPPLED, 12)[1]["Physics + learned residual"]
        assert why.startswith("Salt simulator: it gives absorbance")

    def test_suspicious_labels_are_set_aside_from_training_and_still_tested(self, mixed):
        targets = mixed.targets
        targets.loc[[3, 35], "Ni2+"] += 0.5
        wrong = relabelled(mixed, targets)
        split = Split(np.arange(30), np.arange(30, 40))
        part: Part = trials_of(wrong)._part(split)
        found = fitted(Way("aside", Choice("ridge"), spectra="suspicious labels set aside"), part)["predicted"]
        by_hand = build_regressor(Choice("ridge")).fit(wrong.take(np.setdiff1d(np.arange(30), [3])))
        assert_allclose(found, by_hand.predict(wrong.take(split.test)).to_numpy(), rtol=1e-9)


class TestSolutions:
    def test_the_gap_of_a_design_comes_first(self):
        values = np.concatenate([np.linspace(0.0, 0.3, 20), np.linspace(0.7, 1.0, 20)])[:, None]
        spectra = SpectraSet(
            SpectralAxis(np.arange(3.0)),
            values * [1.0, 2.0, 3.0],
            pd.DataFrame(values, columns=["x"]),
            target_info=[Target("x", "mM")],
        )
        found = solutions_to_prepare(spectra, 3)
        assert found["x [mM]"].iloc[0] == pytest.approx(0.5, abs=1e-3)
        assert found["distance"].iloc[0] == pytest.approx(0.2, abs=1e-3)
        assert found["x [mM]"].iloc[1:].between(0.3, 0.7).all()

    def test_charges_balance_and_no_range_is_left(self, mixed):
        found = solutions_to_prepare(mixed, 15)
        ions = found[[f"{name} [mol/L]" for name in mixed.target_names]].to_numpy()
        assert_allclose(ions @ [2, 2, -2, -1], 0.0, atol=1e-12)
        assert (ions <= mixed.target_values.max(axis=0) + 1e-12).all()
        salts = found[["CuSO4 [mol/L]", "Ni(NO3)2 [mol/L]", "NiSO4 [mol/L]"]].to_numpy()
        assert_allclose(salts @ [[1, 0, 1, 0], [0, 1, 0, 2], [0, 1, 1, 0]], ions, atol=1e-9)


def predict(spectra: SpectraSet, choice: Choice, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Errors of a regressor fitted here."""
    regressor = build_regressor(choice).fit(spectra.take(train), seed=0)
    return regressor.predict(spectra.take(test)).to_numpy() - spectra.target_values[test]


def trials_of(spectra: SpectraSet) -> Trials:
    return Trials(spectra, 0, 60.0, NO_MEMO, 1, None, lambda: 0.0)


def with_signal(spectra: SpectraSet, signal: np.ndarray) -> SpectraSet:
    targets, info = spectra.targets, spectra.target_info
    return SpectraSet(spectra.axis, signal, targets, target_info=info, samples=spectra.samples, meta=spectra.meta)
