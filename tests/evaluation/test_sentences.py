"""Verdicts in a sentence, each on a case that was planted."""

import re

import numpy as np
import pandas as pd
import pytest

from spectra_core.evaluation.channels.noise import noise_fidelity, noise_summary, spectrum_noise
from spectra_core.evaluation.channels.reach import signal_reach
from spectra_core.evaluation.channels.sentences import look_sentence, reach_sentence, vary_sentence
from spectra_core.evaluation.channels.statistics import channel_differences, channel_statistics
from spectra_core.evaluation.latent.sentences import ground_sentence
from spectra_core.evaluation.similarity.memorisation import memorisation
from spectra_core.evaluation.similarity.sentences import copies_sentence, fidelity_sentence
from spectra_core.spectra import SpectralAxis, SpectraSet

AXIS = SpectralAxis(np.arange(400.0, 460.0), "Wavelength", "nm")
N = 60


def noisy(seed: int, noise: float = 1.0, n: int = N, spread: float = 10.0) -> SpectraSet:
    """Straight lines of random height with white noise: nothing but noise is left by the local residual."""
    rng = np.random.default_rng(seed)
    height = rng.normal(0.0, spread, size=(n, 1))
    return SpectraSet(AXIS, height + noise * rng.standard_normal((n, len(AXIS.positions))))


def sets(generated: SpectraSet) -> dict[str, SpectraSet]:
    return {"training": noisy(0), "held-out": noisy(1), "generated": generated}


def varies(generated: SpectraSet) -> str:
    roles = sets(generated)
    differences = pd.concat(
        channel_differences({"training": roles["training"], role: roles[role]}) for role in ("held-out", "generated")
    )
    return vary_sentence(noise_summary(noise_fidelity(roles)), spectrum_noise(roles), differences)


AGAINST = "than any experimental one, in units of each channel's noise: noise ratio"


@pytest.mark.parametrize(
    ("noise", "said"),
    [
        (
            0.3,
            f"{N} of {N} generated spectra are smoother {AGAINST} 0.30",
        ),
        (1.0, "Generated spectra carry the noise of experimental ones: noise ratio 1.0"),
        (
            3.0,
            f"{N} of {N} generated spectra are noisier {AGAINST} 3.0",
        ),
    ],
)
def test_planted_noise_is_said(noise, said):
    sentence = varies(noisy(2, noise))
    assert sentence.startswith(said[:-1]) or said in sentence
    assert "(held-out " in sentence


@pytest.mark.parametrize(
    ("noise", "digits"),
    [(0.04, r"0\.0\d\d?"), (0.5, r"0\.\d\d"), (4.0, r"\d\.\d\d"), (40.0, r"\d\d\.\d"), (400.0, r"\d{3}")],
)
def test_a_ratio_has_the_digits_that_noise_allows(noise, digits):
    assert re.search(rf"noise ratio {digits} \(held-out", varies(noisy(2, noise)))


def test_the_noise_of_a_spectrum_is_measured_in_that_of_the_training_set():
    table = spectrum_noise(sets(noisy(2, 0.5)))
    medians = table.groupby("role")["noise"].median()
    assert medians["training"] == pytest.approx(1.0, abs=0.1)
    assert medians["generated"] == pytest.approx(0.5, abs=0.05)


def test_a_shift_is_seen_in_every_channel():
    moved = noisy(2)
    shifted = SpectraSet(moved.axis, moved.signal + 40.0)
    assert "differs in 100\xa0% of the channels; of the held-out spectra, 0\xa0%." in varies(shifted)


def test_how_wide_and_how_far_beyond():
    wide, narrow = (look_sentence(channel_statistics(sets(noisy(2, spread=one))), "training") for one in (40.0, 2.0))
    assert "In 60 of 60 channels some generated spectrum goes beyond all training ones; some held-out" in wide
    assert "In 0 of 60 channels" in narrow
    assert "0.2" in narrow.split("times as wide")[0]
    assert "is as wide as that of training ones" in look_sentence(channel_statistics(sets(noisy(0))), "training")


def test_beyond_on_one_side_is_beyond():
    base = noisy(0)
    for shift in (1e3, -1e3):
        moved = {"training": base, "generated": SpectraSet(AXIS, base.signal + shift)}
        assert "In 60 of 60 channels" in look_sentence(channel_statistics(moved), "training")


def test_channels_where_nothing_varies_have_no_width():
    flat = noisy(0).signal.copy()
    flat[:, :40] = 0.0
    both = {"training": SpectraSet(AXIS, flat), "generated": SpectraSet(AXIS, 0.5 * flat)}
    assert "is 0.5 times as wide as" in look_sentence(channel_statistics(both), "training")


@pytest.mark.parametrize("noise", [0.2, 1.7])
def test_spectra_smoother_or_noisier_than_every_experimental_one_are_counted_one_by_one(noise):
    """Two thirds of them are; the others have the noise of experimental ones."""
    some, usual = noisy(2, noise, n=40), noisy(3, n=20)
    mixed = SpectraSet(AXIS, np.vstack([some.signal, usual.signal]))
    table = spectrum_noise(sets(mixed))
    made = table[table["role"] == "generated"]["noise"].to_numpy()
    real = table[table["role"] != "generated"]["noise"].to_numpy()
    n = sum(all(one < other for other in real) if noise < 1 else all(one > other for other in real) for one in made)
    assert 20 < n < 60
    how = "smoother" if noise < 1 else "noisier"
    assert varies(mixed).startswith(f"{n} of 60 generated spectra are {how} than any")


def planted(base: SpectraSet, above: int, below: int) -> SpectraSet:
    """Spectra of zeros and one; the first so many rise to 3 in one channel, the last so many fall to -2."""
    signal = np.zeros_like(base.signal)
    signal[:, 0] = 1.0
    signal[:above, 5] = 3.0
    signal[len(signal) - below :, 7] = -2.0
    return SpectraSet(AXIS, signal)


@pytest.mark.parametrize(
    ("above", "below", "held_out", "said"),
    [
        (0, 0, (3, 3), ""),
        (8, 0, (1, 2), "Above 2.5, the highest signal of all training spectra: 8 of 60 generated spectra; 1 of 30 "),
        (
            0,
            1,
            (1, 2),
            "Below \N{MINUS SIGN}0.25, the lowest signal of all training spectra: 1 of 60 generated spectra; 2",
        ),
        (8, 7, None, "Above 2.5, the highest signal of all training spectra: 8 of 60 generated spectra. Below "),
    ],
)
def test_spectra_beyond_all_that_was_measured_are_counted(above, below, held_out, said):
    training = np.zeros((40, len(AXIS.positions)))
    training[3, 9], training[20, 11] = 2.5, -0.25
    roles = {"training": SpectraSet(AXIS, training), "generated": planted(noisy(2), above, below)}
    if held_out:
        roles["held-out"] = planted(noisy(1, n=30), *held_out)
    table = signal_reach(roles).set_index("role")
    assert (table.loc["generated", "n_above"], table.loc["generated", "n_below"]) == (above, below)
    assert (table.loc["training", "n_above"], table.loc["training", "n_below"]) == (0, 0)
    sentence = reach_sentence(table.reset_index())
    assert sentence.startswith(said)
    assert bool(sentence) == bool(said)
    assert ("held-out" in sentence) == bool(said and held_out)


def test_copies_memory_and_neither_are_told_apart():
    rng = np.random.default_rng(5)
    training, held_out = noisy(0, n=100), noisy(1, n=100)
    near = SpectraSet(AXIS, training.signal + 1e-3 * rng.standard_normal(training.signal.shape))
    said = {
        name: copies_sentence(
            n_copies, 100, memorisation({"training": training, "held-out": held_out, "generated": generated})
        )
        for name, n_copies, generated in (
            ("copies", 100, training),
            ("near", 0, near),
            ("fresh", 0, noisy(2, n=100)),
        )
    }
    assert said["copies"].startswith("100 of 100 generated spectra are copies")
    assert said["near"].startswith("No copies:")
    assert "repeats what it has seen" in said["near"]
    assert "no memory of the training set is shown" in said["fresh"]
    nearly = pd.DataFrame([{"role": "generated", "share": 0.996, "lower": 0.98, "upper": 1.0}])
    assert "99.6\xa0% of them" in copies_sentence(0, 250, nearly)
    few = pd.DataFrame([{"role": "generated", "share": 0.5, "lower": 0.2, "upper": 0.8}])
    assert copies_sentence(0, 9, few).endswith("no memory of the training set is shown, nor is it excluded.")
    assert "not known without held-out" in copies_sentence(0, 100, None)


def test_an_island_and_a_gap_on_the_map_are_said():
    grid = np.stack(np.meshgrid(np.arange(10.0), np.arange(10.0)), axis=-1).reshape(-1, 2)
    kept, island = grid[grid[:, 0] < 5], np.full((10, 2), 100.0)
    places = {"training": grid, "held-out": grid + 0.1, "generated": np.concatenate([kept, kept[:40], island])}
    table = pd.concat([pd.DataFrame({"role": role, "x": at[:, 0], "y": at[:, 1]}) for role, at in places.items()])
    sentence = ground_sentence(table)
    assert "10\xa0% of the generated spectra lie where no training spectrum does (held-out spectra: 0\xa0%)" in sentence
    assert "40\xa0% of the training spectra where no generated one does" in sentence  # columns 6 to 9 of 10


def test_metrics_that_tell_are_named():
    table = pd.DataFrame({"metric": ["a", "b", "c", "d"]})
    titles = {"a": "Precision", "b": "Noise ratio", "c": "Coverage", "d": "Copies"}

    def said(*verdicts: str) -> str:
        return fidelity_sentence(table.assign(verdict=verdicts), titles)

    assert said("as real", "worse than real", "not told apart", "not defined") == (
        "1 of 3 metrics tells generated from experimental spectra: Noise ratio."
    )
    assert said(*["as real"] * 4) == "None of 4 metrics tells generated from experimental spectra."
    assert said("as real", "as real", "beyond real", "as real").endswith("which is suspicious: Coverage.")
    assert said(*["not defined"] * 4) == "No metric is defined for these spectra."
