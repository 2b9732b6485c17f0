"""Neighbours and memorisation, against scipy's distances, brute force and known answers."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import cdist
from statsmodels.stats.proportion import proportion_confint

from spectra_core.errors import ConfigError, SpectraError
from spectra_core.evaluation.channels.noise import noise_level
from spectra_core.evaluation.similarity import distances, memorisation, neighbours
from spectra_core.spectra import SpectralAxis, SpectraSet

AXIS = SpectralAxis(np.arange(9.0))


def _set(signal, targets=None):
    return SpectraSet(AXIS, signal, None if targets is None else pd.DataFrame(targets, columns=["a", "b"]))


@pytest.fixture(scope="module")
def sets():
    rng = np.random.default_rng(11)
    return {
        role: _set(1 + rng.normal(size=(n, 9)), rng.uniform(size=(n, 2)))
        for role, n in {"training": 31, "held-out": 13, "generated": 22}.items()
    }


def _by_scipy(sets, metric, reference):
    one, other = sets["generated"].signal, sets[reference].signal
    if metric == "spectral_angle":
        return np.arccos(1 - cdist(one, other, "cosine"))
    if metric == "noise_weighted":
        noise = noise_level(sets["training"])
        return cdist(one / noise, other / noise) / np.sqrt(9)
    return cdist(one, other)


@pytest.mark.parametrize("chunk", [1, 8_000_000], ids=["row by row", "at once"])
@pytest.mark.parametrize("metric", distances.DISTANCES)
def test_nearest_spectra_are_those_of_all_pairs_by_scipy(sets, metric, chunk, monkeypatch):
    monkeypatch.setattr(distances, "CHUNK_VALUES", chunk)
    table = neighbours.neighbours(sets, metric=metric)
    for reference in ("training", "held-out"):
        every = _by_scipy(sets, metric, reference)
        assert_array_equal(table[f"nearest_{reference}"], every.argmin(axis=1))
        assert_allclose(table[f"distance_{reference}"], every.min(axis=1), rtol=1e-7)
    two = np.sort(_by_scipy(sets, metric, "training"), axis=1)[:, :2]
    assert_allclose(table["distance_ratio"], two[:, 0] / two[:, 1], rtol=1e-7)


def test_neighbours_among_similar_concentrations_are_those_of_brute_force(sets):
    width = 0.4
    table = neighbours.neighbours(sets, window=width)
    spread = sets["training"].target_values.std(axis=0)
    for reference in ("training", "held-out"):
        every = cdist(sets["generated"].signal, sets[reference].signal)
        apart = cdist(sets["generated"].target_values / spread, sets[reference].target_values / spread, "chebyshev")
        every[apart > width] = np.inf
        expected = np.where(np.isinf(every.min(axis=1)), -1, every.argmin(axis=1))
        assert_array_equal(table[f"nearest_{reference}_similar"], expected)
        assert (expected == -1).any(), "the case of an empty window is not covered"
        assert (table[f"distance_{reference}_similar"].isna() == (expected == -1)).all()
    apart = cdist(sets["generated"].target_values / spread, sets["training"].target_values / spread, "chebyshev")
    assert_array_equal(table["n_similar"], (apart <= width).sum(axis=1))


def test_exact_copies_are_found_by_content_and_lie_at_distance_zero(sets):
    signal = sets["generated"].signal.copy()
    signal[4], signal[9] = sets["training"].signal[7], sets["training"].signal[30]
    signal[9, 0] = np.nextafter(signal[9, 0], 2)
    table = neighbours.neighbours({**sets, "generated": _set(signal)})
    assert_array_equal(np.flatnonzero(table["exact_copy"]), [4])
    assert table["distance_training"][4] == 0.0
    assert table["distance_ratio"][4] == 0.0
    single = _set(signal.astype(np.float32))
    assert_array_equal(neighbours.copy_of(single, sets["training"])[[4, 9]], [7, 30])


def test_every_copy_counts_also_of_one_spectrum_given_out_again_and_again(sets):
    training = sets["training"]
    signal = np.vstack([training.signal[[7, 7, 7, 3]], sets["generated"].signal[:4], training.signal[[7, 30]]])
    given_out = {**sets, "generated": _set(signal)}
    assert_array_equal(neighbours.copy_of(given_out["generated"], training), [7, 7, 7, 3, -1, -1, -1, -1, 7, 30])
    assert neighbours.neighbours(given_out)["exact_copy"].sum() == 6
    assert memorisation.memorisation(given_out)["n_copies"][0] == 6


def test_a_copy_of_a_repeated_spectrum_names_the_first_and_zero_equals_minus_zero():
    training = _set(np.vstack([np.ones(9), np.zeros(9), np.zeros(9)]))
    assert_array_equal(neighbours.copy_of(_set(np.full((1, 9), -0.0)), training), [1])


def test_pair_difference_is_in_units_of_the_training_noise(sets):
    pair = neighbours.pair_difference(sets, 3, "held-out", 5)
    difference = sets["generated"].signal[3] - sets["held-out"].signal[5]
    assert_allclose(pair["difference"], difference)
    assert_allclose(pair["difference_in_noise"], difference / noise_level(sets["training"]))


def test_the_floor_is_asked_for_by_role(sets):
    table = neighbours.neighbours(sets, role="held-out")
    expected = cdist(sets["held-out"].signal, sets["training"].signal).min(axis=1)
    assert_allclose(table["distance_training"], expected)
    assert "nearest_held-out" not in table


def test_share_equals_brute_force_over_every_cut_of_the_training_set():
    rng = np.random.default_rng(2)
    training, held_out, generated = rng.normal(size=(7, 9)), rng.normal(size=(3, 9)), rng.normal(size=(5, 9))
    generated[0] = training[2]
    generated[1] = held_out[1]
    training[5] = held_out[1]  # a tie for generated spectrum 1
    to_training, to_held = cdist(generated, training), cdist(generated, held_out).min(axis=1)
    shares = []
    for cut in combinations(range(7), 3):
        best = to_training[:, cut].min(axis=1)
        shares.append(np.where(best == to_held, 0.5, best < to_held).mean())
    sets = {"training": _set(training), "held-out": _set(held_out), "generated": _set(generated)}
    row = memorisation.memorisation(sets).iloc[0]
    assert_allclose(row["share"], np.mean(shares))
    assert row["n_copies"] == 2


def test_copies_of_training_spectra_have_a_share_near_one_and_fresh_draws_one_half():
    rng = np.random.default_rng(8)
    training, held_out = rng.normal(size=(300, 9)), rng.normal(size=(300, 9))
    base = {"training": _set(training), "held-out": _set(held_out)}
    copies = memorisation.memorisation({**base, "generated": _set(training + 1e-3)})
    assert copies["share"][0] == 1.0
    assert copies["lower"][0] > 0.95
    fresh = memorisation.memorisation({**base, "generated": _set(rng.normal(size=(300, 9)))})
    assert (fresh["lower"] < 0.5).all()
    assert (fresh["upper"] > 0.5).all()


def test_interval_covers_one_half_when_nothing_is_memorised():
    rng = np.random.default_rng(9)
    covered = 0
    for _ in range(100):
        draw = {role: _set(rng.normal(size=(n, 9))) for role, n in {"training": 60, "held-out": 25}.items()}
        row = memorisation.memorisation({**draw, "generated": _set(rng.normal(size=(60, 9)))}).iloc[0]
        covered += row["lower"] <= 0.5 <= row["upper"]
    # 95 % wanted; at least 88 of 100 happens with probability 0.998 at a coverage of exactly 95 %.
    assert covered >= 88


def test_the_floor_of_memorisation_takes_four_held_out_spectra(sets):
    roles = [
        memorisation.memorisation({**sets, "held-out": sets["held-out"].take(range(n))})["role"].tolist()
        for n in (3, 4)
    ]
    assert roles == [["generated"], ["generated", "held-out"]]


def test_interval_is_wilsons_where_every_spectrum_has_its_own_neighbour():
    assert_allclose(memorisation._wilson(0.3, 50, 0.9), proportion_confint(15, 50, 0.1, "wilson"))


def test_unknown_distances_and_missing_sets_are_refused(sets):
    with pytest.raises(ConfigError, match=r"Unknown distance 'cosine'\. Known distances: euclidean"):
        neighbours.neighbours(sets, metric="cosine")
    with pytest.raises(SpectraError, match="Neighbours need a training and a generated set; got training"):
        neighbours.neighbours({"training": sets["training"]})
    with pytest.raises(SpectraError, match="the held-out set is missing"):
        memorisation.memorisation({"training": sets["training"], "generated": sets["generated"]})
    with pytest.raises(SpectraError, match="Expected the targets a, b, got none"):
        neighbours.neighbours({**sets, "generated": _set(sets["generated"].signal)}, window=0.5)
