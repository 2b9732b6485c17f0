"""Which metric sees which defect: the matrix is the test."""

from itertools import accumulate

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from spectra_core.contracts import SilentReporter, random_stream
from spectra_core.errors import ConfigError, SpectraError
from spectra_core.evaluation.channels.noise import noise_level
from spectra_core.evaluation.similarity.bench import NOTHING_WRONG, metric_bench
from spectra_core.evaluation.similarity.judgement import beside_floor, beside_the_band, judgement, parts
from spectra_core.evaluation.similarity.known_bad import KNOWN_BAD
from spectra_core.evaluation.similarity.metrics import METRICS
from spectra_core.spectra import SpectraSet
from tests.conftest import beer_lambert_set

QUICK = ["precision", "coverage", "authenticity", "noise_ratio", "energy_distance"]


@pytest.fixture(scope="module")
def bench():
    return metric_bench(beer_lambert_set(500, 60), most=100)


@pytest.fixture(scope="module")
def verdict(bench):
    return bench.set_index(["defect", "metric"])["verdict"]


SEEN = {
    "copies": ["authenticity", "memorised_share", "copied_share"],
    "near_copies": ["authenticity", "memorised_share", "noise_ratio"],
    "collapse": ["recall", "coverage", "clipped_coverage", "vendi_score", "mmd", "frechet_distance", "classifier"],
    "over_smoothing": ["noise_ratio", "classifier"],
    "half_range": ["recall", "coverage", "mmd", "energy_distance", "sliced_wasserstein", "vendi_score", "classifier"],
    "outliers": ["precision"],
    "wavelength_shift": ["precision", "density", "coverage", "classifier", "energy_distance"],
    "channel_shuffle": ["precision", "density", "coverage", "classifier", "energy_distance", "noise_ratio"],
}
BLIND = {
    "copies": ["precision", "clipped_density", "noise_ratio"],
    "near_copies": ["precision", "clipped_density", "copied_share"],
    "collapse": ["precision", "copied_share"],
    "over_smoothing": [
        "precision",
        "recall",
        "coverage",
        "mmd",
        "energy_distance",
        "sliced_wasserstein",
        "vendi_score",
    ],
    "half_range": ["precision", "noise_ratio", "copied_share"],
    "outliers": ["recall", "copied_share", "memorised_share"],
    "wavelength_shift": ["noise_ratio", "copied_share"],
    "channel_shuffle": ["copied_share"],
}


@pytest.mark.parametrize("defect", KNOWN_BAD)
class TestEveryDefect:
    def test_is_seen_by_the_metrics_made_for_it(self, defect, verdict):
        assert {name: verdict[defect, name] for name in SEEN[defect]} == dict.fromkeys(SEEN[defect], "worse than real")

    def test_is_never_called_worse_than_real_by_the_metrics_blind_to_it(self, defect, verdict):
        assert [name for name in BLIND[defect] if verdict[defect, name] == "worse than real"] == []

    def test_material_is_not_changed_and_the_seed_decides(self, defect):
        material = beer_lambert_set(60)
        made = [KNOWN_BAD[defect].spoil(material, 30, random_stream(3)) for _ in range(2)]
        assert made[0].shape == (30, 50)
        assert_array_equal(*made)
        assert_array_equal(material.signal, beer_lambert_set(60).signal)

    def test_too_little_material_is_refused(self, defect):
        with pytest.raises(SpectraError, match=r"40 spectra of the kind .* need as many experimental ones, got 30"):
            KNOWN_BAD[defect].spoil(beer_lambert_set(30), 40, random_stream(0))


def test_copies_look_better_than_real_to_coverage_and_distances(verdict):
    for name in ("coverage", "energy_distance", "frechet_distance", "sliced_wasserstein"):
        assert verdict["copies", name] == "beyond real"


def test_fresh_spectra_are_rarely_called_worse(verdict):
    # 18 metrics, each wrong in under 1 % of cases were the splits independent; they share spectra.
    assert (verdict[NOTHING_WRONG] != "as real").sum() <= 1


def test_bench_is_complete_and_decided_by_its_seed(bench):
    assert len(bench) == len(METRICS) * (len(KNOWN_BAD) + 1)
    assert bench["n_per_set"].unique() == [100]
    small = beer_lambert_set(150, 20)
    one, two = (metric_bench(small, metrics=QUICK, n_repeats=2, seed=4, n_workers=n) for n in (1, 2))
    pd.testing.assert_frame_equal(one, two)


def test_near_copies_differ_by_half_the_noise():
    material = beer_lambert_set(200)
    made = KNOWN_BAD["near_copies"].spoil(material, 200, random_stream(0))
    rows = random_stream(0).permutation(200)
    # 200 draws per channel: 5 % standard error, over 50 channels 1 %.
    ratio = (made - material.signal[rows]).std(axis=0) / noise_level(material)
    assert_allclose(ratio.mean(), 0.5, rtol=0.03)


def test_shuffled_channels_keep_every_channel_and_lose_their_correlation():
    material = beer_lambert_set(200)
    made = KNOWN_BAD["channel_shuffle"].spoil(material, 200, random_stream(0))
    assert_array_equal(np.sort(made, axis=0), np.sort(material.signal, axis=0))
    assert np.abs(np.corrcoef(made.T)[0, 1:]).mean() < 0.1


class TestJudgement:
    def test_a_fresh_set_is_as_real_and_its_floor_is_the_halves(self):
        sets = {"training": beer_lambert_set(200), "generated": beer_lambert_set(150, seed=1)}
        table = judgement(sets, metrics=QUICK).set_index("metric")
        assert (table["verdict"] == "as real").sum() >= 4
        assert set(table["n_per_set"]) == {100}
        assert table.loc["noise_ratio", "floor"] == pytest.approx(1, abs=0.05)

    def test_memorised_smoothed_spectra_are_found_out(self):
        training = beer_lambert_set(200)
        generated = KNOWN_BAD["over_smoothing"].spoil(training, 200, random_stream(0))
        sets = {"training": training, "generated": SpectraSet(training.axis, generated)}
        table = judgement(sets, metrics=["precision", "noise_ratio", "classifier"]).set_index("metric")
        assert table["verdict"].to_dict() == {
            "precision": "as real",
            "noise_ratio": "worse than real",
            "classifier": "worse than real",
        }

    def test_replicates_are_never_divided_between_the_halves(self):
        groups = np.repeat(np.arange(40), np.tile([1, 2, 5], 14)[:40])
        for seed in range(20):
            first, second = parts(groups, (1, 1), np.random.default_rng(seed))
            assert sorted([*first, *second]) == list(range(len(groups)))
            assert not set(groups[first]) & set(groups[second])
            # The group on the border, of at most 5 rows, goes to one side.
            assert abs(len(first) - len(second)) <= 10

    def test_says_how_far_it_is(self):
        seen = []

        class Steps(SilentReporter):
            def progress(self, stage, done, total, values=None):
                seen.append((done, total))

        sets = {"training": beer_lambert_set(60), "generated": beer_lambert_set(60, seed=1)}
        judgement(sets, metrics=QUICK, n_repeats=2, reporter=Steps())
        weights = [METRICS[name].weight for name in QUICK] * 2
        done = [0, *accumulate(weights), sum(weights)]
        assert seen == [(steps, sum(weights)) for steps in done]

    def test_threads_change_nothing(self):
        sets = {"training": beer_lambert_set(80), "generated": beer_lambert_set(60, seed=1)}
        one, two = (judgement(sets, metrics=[*QUICK, "classifier"], n_repeats=2, n_workers=n) for n in (1, 2))
        pd.testing.assert_frame_equal(one, two)

    def test_impossible_requests_are_refused(self):
        sets = {"training": beer_lambert_set(30), "generated": beer_lambert_set(60)}
        with pytest.raises(SpectraError, match=r"at least 20 spectra in each half .* but only 15 can be compared"):
            judgement(sets)
        with pytest.raises(ConfigError, match=r"Unknown metric 'precison'. Known metrics: precision"):
            judgement(sets, metrics=["precison"])
        with pytest.raises(ConfigError, match="'memorised_share' needs spectra that the generator did not see"):
            judgement(sets, metrics=["memorised_share"])
        with pytest.raises(SpectraError, match="the generated set is missing"):
            judgement({"training": sets["training"]})
        with pytest.raises(SpectraError, match="needs at least 100 independent spectra"):
            metric_bench(beer_lambert_set(90))


def test_the_words_agree_with_the_band_that_is_drawn():
    rows = [beside_floor("mmd", values, [1.0, 2.0, 3.0, 4.0, 11.0]) for values in ([2.0] * 5, [10.0, 14.0], [20.0])]
    worded = beside_the_band(pd.DataFrame(rows))
    assert worded["verdict"].tolist() == ["as real", "not told apart", "worse than real"]
    assert worded["separation"].tolist() == [-0.8, 1.2, 2.8]  # from 6, the middle of 1 to 11, in halves of 10
    assert (worded["separation"].abs() <= 1).tolist() == [True, False, False]
