import json

import pytest

from spectra_core.choices import Choice
from spectra_core.errors import ConfigError
from spectra_core.experiment import PRESET_ARMS, Arm, Experiment, Question, fast_experiment, study_experiment

BASELINE = Arm("Baseline", "baseline")


@pytest.mark.parametrize("name", PRESET_ARMS)
def test_every_ready_made_arm_survives_json(name):
    experiment = Experiment(arms=(PRESET_ARMS[name],), regressors=(Choice("pls"),))
    assert Experiment.from_json(experiment.to_json()) == experiment


def test_all_fields_survive_json():
    vae = Arm(
        "VAE",
        generator=Choice("vae", {"beta": 0.01}),
        sampler=Choice("equalised", {"strength": 0.5}),
        labelling=Choice("spectral"),
        teacher=Choice("pls"),
        ratio=2.5,
    )
    experiment = Experiment(
        arms=(BASELINE, vae),
        regressors=(Choice("ridge"),),
        targets=("Cu2+",),
        n_folds=5,
        n_repeats=3,
        n_train=(20, 0),
        seed=7,
        reference="baseline",
        question=Question(arms=("VAE",), targets=("Cu2+",), smallest_effect=10.0),
        data="abc",
    )
    assert Experiment.from_json(experiment.to_json()) == experiment


def test_unknown_sampler_is_named_and_the_known_ones_are_listed():
    with pytest.raises(ConfigError, match=r"Unknown sampler 'unifrom_box'\. Known samplers: aggregate_posterior, "):
        Arm(
            "VAE",
            generator=Choice("vae"),
            sampler=Choice("unifrom_box"),
            labelling=Choice("spectral"),
            teacher=Choice("pls"),
        )


def test_unknown_option_is_named_and_the_known_ones_are_listed():
    with pytest.raises(ConfigError, match=r"'vae' has no option 'n_latents'\. Its options: n_hidden, n_latent"):
        Arm("VAE", generator=Choice("vae", {"n_latents": 3}), sampler=Choice("uniform_box"), labelling=Choice("latent"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "not valid JSON"),
        ("[]", "An experiment is a JSON object"),
        ("{}", "needs the field 'arms'"),
        ('{"arms": [{"name": "a", "kind": "best"}]}', "Arm 'a': kind must be one of baseline, .*; got 'best'"),
        ('{"arms": [{"name": "a", "kind": "baseline", "colour": 1}]}', "An arm has no field 'colour'"),
        ('{"arms": [{"name": "a", "kind": "baseline"}], "folds": 8}', "An experiment has no field 'folds'"),
        (
            '{"arms": [{"name": "a", "kind": "baseline"}], "n_folds": "8"}',
            "to 1000, got '8'",
        ),
        (
            '{"arms": [{"name": "a", "kind": "baseline"}], "n_folds": 1}',
            "n_folds must be a whole number from 2 to 1000",
        ),
        (
            '{"arms": [{"name": "a", "kind": "baseline"}], "seed": -1}',
            "seed must be a whole number from 0 to",
        ),
        ('{"arms": [{"name": "a", "kind": "baseline"}], "regressors": [{"nam": 1}]}', "A choice is a name"),
        ('{"arms": "all"}', "'arms' must be a list"),
        (
            '{"arms": [{"name": "a", "kind": "baseline"}, {"name": "a", "kind": "ensemble"}]}',
            "Two arms share the name 'a'",
        ),
        (
            '{"arms": [{"name": "a", "kind": "baseline"}, {"name": "b", "kind": "ensemble"}]}',
            "arm of kind 'step_matched', but there is none",
        ),
    ],
)
def test_experiment_files_are_refused_with_one_sentence(text, sentence):
    with pytest.raises(ConfigError, match=sentence):
        Experiment.from_json(text)


@pytest.mark.parametrize(
    "choice", [{"name": "x" * 10**5}, {"name": "mixing", "options": {"x" * 10**5: 1}}, "x" * 10**5]
)
def test_a_name_of_a_hundred_thousand_letters_is_not_repeated_in_the_sentence(choice):
    experiment = Experiment((BASELINE, Arm("A", generator=Choice("mixing"))), (Choice("ridge"),), reference="baseline")
    document = json.loads(experiment.to_json())
    document["arms"][1]["generator"] = choice
    with pytest.raises(ConfigError) as told:
        Experiment.from_document(document)
    assert len(str(told.value)) < 600


def test_a_generated_arm_needs_its_methods():
    with pytest.raises(ConfigError, match="needs a generator"):
        Arm("x")
    with pytest.raises(ConfigError, match="needs a labelling"):
        Arm("x", generator=Choice("vae"), sampler=Choice("uniform_box"))
    with pytest.raises(ConfigError, match="needs a teacher"):
        Arm("x", generator=Choice("vae"), sampler=Choice("uniform_box"), labelling=Choice("spectral"))
    with pytest.raises(ConfigError, match="way of choosing concentrations"):
        Arm("x", generator=Choice("cvae"), latent_given=Choice("prior"), labelling=Choice("asked_for"))
    with pytest.raises(ConfigError, match="exactly one way of choosing latent points"):
        Arm("x", generator=Choice("vae"), labelling=Choice("latent"))


def test_study_trains_all_networks_for_the_asked_epochs():
    experiment = study_experiment(list(PRESET_ARMS), epochs=7, regressors=["mlp", "pls"])
    assert experiment.regressors == (Choice("mlp", {"epochs": 7, "kernels": "numba"}), Choice("pls"))
    for arm in experiment.arms:
        for choice in (arm.generator, arm.teacher):
            if choice is not None and choice.name in {"vae", "cvae", "mlp"}:
                assert choice.options["epochs"] == 7


def test_fast_mode_changes_how_networks_are_trained_and_nothing_else():
    faithful, fast = study_experiment(list(PRESET_ARMS), seed=3), fast_experiment(list(PRESET_ARMS), seed=3)
    path = {"epochs", "learning_rate", "schedule", "coordinates"}
    for one, other in zip(faithful.arms, fast.arms, strict=True):
        for field in ("kind", "ratio", "sampler", "conditions", "latent_given", "labelling"):
            assert getattr(one, field) == getattr(other, field)
        if one.generator is not None and one.generator.name in {"vae", "cvae"}:
            assert other.generator.options["coordinates"] == "components"
            assert {**one.generator.options, **dict.fromkeys(path)} == {
                **other.generator.options,
                **dict.fromkeys(path),
            }
        # The teacher is one of the compared regressors, so that it is trained once.
        assert other.teacher is None or other.teacher in fast.regressors
    assert (faithful.n_folds, faithful.seed, faithful.reference) == (fast.n_folds, fast.seed, fast.reference)


def test_fast_mode_trains_small_sets_for_more_epochs_but_never_longer_than_the_study():
    small, large = (fast_experiment(["Baseline"], n_spectra=n, n_folds=8) for n in (60, 100_000))
    assert small.regressors[0].options["epochs"] == 100
    assert large.regressors[0].options["epochs"] == 15


def test_unknown_mode_is_refused():
    with pytest.raises(ConfigError, match="faithful, fast; got 'quick'"):
        study_experiment(["Baseline"], mode="quick")


def test_unknown_ready_made_arm_is_named():
    with pytest.raises(ConfigError, match="Unknown arm 'GAN'"):
        study_experiment(["GAN"])


def test_a_ratio_of_one_is_the_same_arm_however_it_is_written():
    assert Arm("x", "duplicate_rows", ratio=1).content == Arm("x", "duplicate_rows", ratio=1.0).content
    assert '"ratio": 1.0' in Experiment(arms=(Arm("x", "duplicate_rows", ratio=1),)).to_json()
