"""A generated set becomes an arm that makes the same spectra, or a sentence says why not."""

import json

import numpy as np
import pytest

from spectra_core.choices import build, build_if_chosen
from spectra_core.conditions import CONDITIONS
from spectra_core.errors import ConfigError
from spectra_core.experiment import Arm, Experiment
from spectra_core.experiment.own_way import is_same_way, own_way
from spectra_core.generators import GENERATORS
from spectra_core.regressors import REGRESSORS
from spectra_core.samplers import CONDITIONAL_SAMPLERS, SAMPLERS
from spectra_core.sampling.generation import generate_spectra
from spectra_core.sampling.labelling import LABELLINGS
from spectra_core.spectra import SetMeta, SpectraSet
from spectra_core.store import Store
from tests.conftest import beer_lambert_set

TRAIN = beer_lambert_set(n_spectra=40)
WAYS = {
    "Your generated way: PCA, equalised, labels read by PLS": (
        ("pca", {"n_latent": 4}),
        {"sampler": SAMPLERS["equalised"](), "labelling": LABELLINGS["spectral"](clip_to_range=True)},
        REGRESSORS["pls"](),
    ),
    "Your generated way: cVAE, resampled, prior, labels asked for": (
        ("cvae", {"epochs": 3, "n_hidden": 8, "n_latent": 3, "beta": 0.01}),
        {
            "conditions": CONDITIONS["resampled"](),
            "latent_given": CONDITIONAL_SAMPLERS["prior"](),
            "labelling": LABELLINGS["asked_for"](),
        },
        None,
    ),
    "Your generated way: Mixing": (("mixing", {"concentration": 0.5}), {}, None),
}


def made(generator, methods, teacher, seed=3) -> SpectraSet:
    fitted = None if teacher is None else teacher.fit(TRAIN, seed=0)
    return generate_spectra(generator.fit(TRAIN, seed=0), TRAIN, 20, **methods, teacher=fitted, seed=seed)


@pytest.mark.parametrize("name", WAYS)
def test_the_arm_makes_the_spectra_of_the_set_again(name, tmp_path):
    (member, options), methods, teacher = WAYS[name]
    store = Store(tmp_path)
    kept = store.load_set(store.save_set(made(GENERATORS[member](**options), methods, teacher)))
    arm = own_way(kept)
    assert arm.name == name
    again = {
        "sampler": build_if_chosen(SAMPLERS, arm.sampler, "sampler"),
        "conditions": build_if_chosen(CONDITIONS, arm.conditions, "conditions"),
        "latent_given": build_if_chosen(CONDITIONAL_SAMPLERS, arm.latent_given, "latent"),
        "labelling": build_if_chosen(LABELLINGS, arm.labelling, "labelling"),
    }
    repeated = made(
        build(GENERATORS, arm.generator, "generator"), again, build_if_chosen(REGRESSORS, arm.teacher, "teacher")
    )
    assert np.array_equal(repeated.signal, kept.signal)
    assert np.array_equal(repeated.target_values, kept.target_values)


def test_an_experiment_holds_it_and_is_recognised_by_it():
    (member, options), methods, teacher = next(iter(WAYS.values()))
    way = own_way(made(GENERATORS[member](**options), methods, teacher))
    document = json.loads(Experiment(arms=(way,), regressors=(way.teacher,)).to_json())["arms"][0]
    assert Arm.from_json(document) == way
    assert is_same_way(way, document)
    assert is_same_way(way, {**document, "ratio": 2.0, "name": "Renamed"})
    assert not is_same_way(way, {**document, "sampler": {"name": "standard_normal"}})
    assert not is_same_way(way, {**document, "generator": {"name": "pca", "options": {"n_latent": 5}}})
    assert not is_same_way(way, {"name": "Baseline", "kind": "baseline"})


def with_provenance(**provenance) -> SpectraSet:
    meta = SetMeta("Theirs", "generated", TRAIN.meta.quantity, TRAIN.meta.unit, provenance)
    return SpectraSet(TRAIN.axis, TRAIN.signal, meta=meta)


def test_what_cannot_be_repeated_is_refused_in_a_sentence():
    pca = {"method": "PCAGenerator", "n_latent": 4}
    for spectra, why in (
        (TRAIN, "does not say which generator"),
        (with_provenance(), "does not say which generator"),
        (with_provenance(generator={"method": "Diffusion"}), "does not know"),
        (with_provenance(generator="pca"), "does not know"),
        (with_provenance(generator=pca, sampler={"method": "Prior"}), "does not know"),
        (with_provenance(generator=pca, sampler={"method": "Equalised"}), "without labels"),
        (with_provenance(generator={**pca, "sharpness": 2}, labelling={"method": "Latent"}), "sharpness"),
    ):
        with pytest.raises(ConfigError, match=why):
            own_way(spectra)
