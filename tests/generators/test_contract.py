"""What every generator promises, whatever it is."""

import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from spectra_core.choices import Choice, build
from spectra_core.contracts import configuration
from spectra_core.errors import ConfigError, NotFittedError, SpectraError
from spectra_core.experiment.modes import trained
from spectra_core.generators import GENERATORS, fit_many
from spectra_core.generators.base import DirectGenerator, LatentGenerator
from spectra_core.generators.parents import ParentGenerator
from spectra_core.regressors.base import FitTask
from spectra_core.spectra import SpectralAxis, SpectraSet
from spectra_core.spectra.latent import LatentPosterior

SMALL = {"n_hidden": 12, "n_latent": 3, "epochs": 4}
"""Of members that have these options: a network trains in a moment."""


@pytest.fixture(scope="module")
def spectra(mixtures):
    """The mixtures with one channel that never changes."""
    signal = mixtures.signal.copy()
    signal[:, 7] = 0.1
    return SpectraSet(mixtures.axis, signal, mixtures.targets, target_info=mixtures.target_info, meta=mixtures.meta)


def new(name):
    known = {field.name for field in fields(GENERATORS[name])}
    return GENERATORS[name](**{option: value for option, value in SMALL.items() if option in known})


def made_by(generator, n=9):
    """Spectra of the generator, (n, n_channels), from a fixed stream."""
    rng = np.random.default_rng(5)
    if isinstance(generator, DirectGenerator):
        return generator.generate(n, rng).signal
    conditions = None
    if generator.needs_conditions:
        names = generator.frame_.target_names
        conditions = pd.DataFrame(rng.uniform(0, 0.2, (n, len(names))), columns=list(names))
    return generator.decode(rng.standard_normal((n, generator.n_latent)), conditions)


@pytest.fixture(scope="module")
def fitted(spectra):
    return {name: new(name).fit(spectra, seed=1) for name in GENERATORS}


@pytest.mark.parametrize("page", ["README.md", "docs/methods.md"])
def test_documents_say_for_whom_they_are_in_the_words_of_the_page(page):
    text = (Path(__file__).parents[2] / page).read_text("utf-8")
    table = text.partition("<!-- worth -->\n")[2].partition("\n<!-- end -->")[0].splitlines()
    assert table[2:] == [f"| {member.title} | {member.worth} |" for member in GENERATORS.values()]


@pytest.mark.parametrize("name", GENERATORS)
class TestEveryGenerator:
    def test_has_a_title_and_one_sentence(self, name):
        member = GENERATORS[name]
        assert member.title
        for one in (member.explanation, member.worth):
            assert one.endswith(".")
            assert one.count(". ") == 0

    def test_is_made_again_from_its_configuration_as_json(self, name):
        generator = new(name)
        assert GENERATORS[name](**json.loads(json.dumps(configuration(generator)))) == generator

    def test_makes_finite_spectra_on_the_axis(self, name, fitted, spectra):
        made = made_by(fitted[name])
        assert made.shape == (9, spectra.n_channels)
        assert np.isfinite(made).all()

    def test_returns_a_constant_channel_exactly(self, name, fitted):
        assert_array_equal(made_by(fitted[name])[:, 7], 0.1)

    def test_is_decided_by_its_seed(self, name, fitted, spectra):
        assert_array_equal(made_by(new(name).fit(spectra, seed=1)), made_by(fitted[name]))

    def test_is_not_changed_by_validation(self, name, fitted, spectra):
        assert_array_equal(
            made_by(new(name).fit(spectra, seed=1, validation=spectra.take(range(6)))), made_by(fitted[name])
        )

    def test_comes_back_from_its_arrays(self, name, fitted, spectra):
        arrays = fitted[name].to_arrays()
        assert all(array.dtype.kind in "fiu" for array in arrays.values())
        again = new(name).from_arrays(arrays, spectra.frame)
        assert_array_equal(made_by(again), made_by(fitted[name]))
        pd.testing.assert_frame_equal(again.history_, fitted[name].history_)

    def test_refuses_a_damaged_state(self, name, fitted, spectra):
        arrays = fitted[name].to_arrays()
        with pytest.raises(ConfigError):
            new(name).from_arrays({}, spectra.frame)
        for broken in arrays:
            if not broken.startswith("curve."):
                with pytest.raises(ConfigError, match=broken):
                    new(name).from_arrays({**arrays, broken: arrays[broken][..., None]}, spectra.frame)
        floats = next(key for key in arrays if arrays[key].dtype.kind == "f")
        with pytest.raises(ConfigError, match="finite"):
            new(name).from_arrays({**arrays, floats: arrays[floats] * np.nan}, spectra.frame)

    def test_history_has_a_row_per_epoch(self, name, fitted):
        history = fitted[name].history_
        assert history["epoch"].tolist() == list(range(1, len(history) + 1))
        assert len(history) == getattr(fitted[name], "epochs", 0)

    def test_tells_what_a_fit_costs_and_takes_the_options_of_ready_made_experiments(self, name):
        assert new(name).cost(200, 50) > new(name).cost(100, 50) > 0
        for mode in ("faithful", "fast"):
            assert build(GENERATORS, trained(Choice(name), mode, n_train=60), "generator").cost(100, 50) > 0

    @pytest.mark.parametrize("which", ["training", "target"])
    def test_refuses_numbers_too_large_to_compute_with_and_names_them(self, name, which, spectra):
        signal, targets = spectra.signal.copy(), spectra.targets
        if which == "training":
            signal[5, 8] = 1e307
        else:
            targets.iloc[5, 1] = 1e307
        where = f"at {spectra.axis.positions[8]:g} nm" if which == "training" else r"for Ni2\+"
        with pytest.raises(SpectraError, match=rf"Spectrum '6' \(row 6 of the training .* 1e\+307 {where}"):
            new(name).fit(SpectraSet(spectra.axis, signal, targets, target_info=spectra.target_info))

    def test_refuses_three_spectra(self, name, spectra):
        with pytest.raises(SpectraError, match=r"at least 4 spectra .* has 3"):
            new(name).fit(spectra.take([0, 1, 2]))

    def test_refuses_spectra_that_do_not_vary(self, name, spectra):
        with pytest.raises(SpectraError, match=r"All spectra .* are equal"):
            new(name).fit(spectra.take([3] * 20))

    def test_says_when_it_is_not_fitted(self, name):
        with pytest.raises(NotFittedError, match="is not fitted"):
            new(name).to_arrays()

    def test_fits_of_many_sets_equal_fits_one_by_one(self, name, spectra):
        tasks = [FitTask(spectra.take(range(start, start + 40)), seed=start) for start in (0, 10, 20)]
        alone = [made_by(new(name).fit(task.train, seed=task.seed)) for task in tasks]
        for n_workers in (1, 2):
            together = fit_many(new(name), tasks, n_workers=n_workers)
            assert len({id(one) for one in together}) == 3
            for one, other in zip(together, alone, strict=True):
                assert_array_equal(made_by(one), other)


@pytest.mark.parametrize("name", [name for name in GENERATORS if issubclass(GENERATORS[name], LatentGenerator)])
class TestEveryLatentGenerator:
    def test_encodes_every_spectrum_to_a_posterior(self, name, fitted, spectra):
        posterior = fitted[name].encode(spectra.take([0, 5, 9]))
        assert isinstance(posterior, LatentPosterior)
        assert posterior.mean.shape == (3, fitted[name].n_latent)

    def test_refuses_spectra_on_another_axis(self, name, fitted, spectra):
        other = SpectraSet(SpectralAxis(spectra.axis.positions + 1), spectra.signal, spectra.targets)
        with pytest.raises(SpectraError, match="one axis"):
            fitted[name].encode(other)

    def test_refuses_latent_points_of_another_size(self, name, fitted):
        with pytest.raises(SpectraError, match=r"with 3 coordinates each, got an array of shape \(2, 9\)"):
            fitted[name].decode(np.zeros((2, 9)))

    def test_knows_its_number_of_parameters(self, name, fitted):
        assert fitted[name].n_parameters > 0


@pytest.mark.parametrize("name", [name for name in GENERATORS if issubclass(GENERATORS[name], LatentGenerator)])
def test_unconditional_generators_refuse_concentrations(name, fitted, spectra):
    if fitted[name].needs_conditions:
        return
    with pytest.raises(ConfigError, match="does not know concentrations"):
        fitted[name].decode(np.zeros((60, fitted[name].n_latent)), spectra.targets)


@pytest.mark.parametrize("name", [name for name in GENERATORS if issubclass(GENERATORS[name], DirectGenerator)])
class TestEveryDirectGenerator:
    def test_names_the_parents_and_the_origin(self, name, fitted, spectra):
        made = fitted[name].generate(70, np.random.default_rng(0))
        assert made.meta.origin == "generated"
        assert made.target_names == spectra.target_names
        parents = {part for text in made.samples["parent"] for part in text.split(" + ")}
        assert parents <= set(spectra.samples["id"])

    def test_uses_every_spectrum_equally_often_where_it_repeats_them(self, name, fitted):
        if not isinstance(fitted[name], ParentGenerator):
            return
        made = fitted[name].generate(150, np.random.default_rng(0))
        main = made.samples["parent"].str.split(" + ", regex=False).str[0]
        assert set(main.value_counts()) == {2, 3}
        assert len(main.unique()) == 60

    def test_refuses_to_make_none(self, name, fitted):
        with pytest.raises(SpectraError, match="at least 1 spectrum, got 0"):
            fitted[name].generate(0, np.random.default_rng(0))

    def test_refuses_ids_of_another_number(self, name, fitted, spectra):
        arrays = fitted[name].to_arrays()
        with pytest.raises(ConfigError, match="differ in number"):
            new(name).from_arrays({**arrays, "ids": np.frombuffer(b'["1"]', np.uint8)}, spectra.frame)
        with pytest.raises(ConfigError, match="cannot be read"):
            new(name).from_arrays({**arrays, "ids": np.frombuffer(b"[", np.uint8)}, spectra.frame)


def test_replacing_a_field_keeps_nothing_fitted(fitted):
    assert not hasattr(replace(fitted["vae"]), "weights_")
