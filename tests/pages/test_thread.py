"""What is in hand goes from page to page: the same numbers, the experiment of the set in hand, its own ticks."""

import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from spectra_core.choices import Choice
from spectra_core.experiment import Arm, Experiment, ExperimentResult, run
from spectra_core.experiment.own_way import own_way as way_of
from spectra_core.generators import GENERATORS
from spectra_core.jobs import JobRecord, Jobs
from spectra_core.sampling.generation import generate_spectra
from spectra_core.spectra import SpectraSet
from spectra_core.store import Store
from tests.conftest import beer_lambert_set

APP = str(Path(__file__).parents[2] / "app.py")
ERRORS = "pages/calibration/errors.py"


def opened(page: str | None, **query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value[:12]
    return healthy(app.switch_page(page).run() if page else app.run())


def healthy(app: AppTest) -> AppTest:
    assert not app.exception, app.exception
    assert not app.error, app.error
    return app


def said(app: AppTest) -> str:
    return "\n".join(one.value for kind in (app.markdown, app.info, app.warning, app.caption) for one in kind)


@pytest.fixture(scope="module")
def two_runs() -> dict[str, tuple[SpectraSet, ExperimentResult]]:
    arms = (Arm("Baseline", "baseline"), Arm("Mixing", generator=Choice("mixing")))
    experiment = Experiment(arms=arms, regressors=(Choice("ridge"),), n_folds=4, reference="baseline")
    sets = {
        name: beer_lambert_set(n_spectra=40, seed=seed).with_meta(name=name)
        for seed, name in enumerate(("Monday", "Tuesday"))
    }
    return {name: (spectra, run(experiment, spectra)) for name, spectra in sets.items()}


@pytest.fixture
def two_studies(store: Store, two_runs) -> dict[str, tuple[str, str]]:
    def kept(name: str) -> tuple[str, str]:
        spectra, result = two_runs[name]
        key = store.save_set(spectra)
        return key, store.save_result("study", dict(result.document), dict(result.tables), name=f"On {name}")

    return {name: kept(name) for name in two_runs}


@pytest.fixture
def made(store: Store, short_demo) -> dict[str, str]:
    """A short demo, in the store of the test."""
    shutil.copytree(short_demo[0], store.root, dirs_exist_ok=True)
    return short_demo[1]


def shown_study(app: AppTest) -> str | None:
    (box,) = [one for one in app.selectbox if one.label == "Experiment"]
    return box.value


def test_errors_opens_the_experiment_of_the_set_in_hand_and_follows_it(two_studies):
    (monday, on_monday), (tuesday, on_tuesday) = two_studies.values()
    app = opened(ERRORS, set=monday)
    assert shown_study(app) == on_monday
    (status,) = [one for one in app.selectbox if one.label == "Data set"]
    healthy(status.set_value(tuesday).run())
    assert shown_study(app) == on_tuesday


def test_without_an_experiment_on_the_set_in_hand_none_is_opened(store: Store, two_studies):
    other = store.save_set(beer_lambert_set(n_spectra=40, seed=7).with_meta(name="Friday"))
    app = opened(ERRORS, set=other)
    assert shown_study(app) is None
    assert "No experiment on “Friday” yet." in said(app)
    (box,) = [one for one in app.selectbox if one.label == "Experiment"]
    healthy(box.set_value(two_studies["Monday"][1]).run())
    assert "not about the data set in hand" in said(app)


def test_an_experiment_on_other_data_that_failed_is_not_told_here(store: Store, two_studies, monkeypatch):
    about = {"set": two_studies["Tuesday"][0]}
    failed = JobRecord("0" * 32, "study", "Experiment on Tuesday", about, "failed", 1, "2026-11-29T12:00:00+00:00")
    monkeypatch.setattr(Jobs, "records", lambda jobs: [failed])
    monkeypatch.setattr(Jobs, "record", lambda jobs, job_id: failed)
    monkeypatch.setattr(Jobs, "log_tail", lambda jobs, job_id, n_lines=20: [])
    assert "**Failed**" not in said(opened(ERRORS, set=two_studies["Monday"][0]))
    assert "**Failed**" in said(opened(ERRORS, set=two_studies["Tuesday"][0]))


def test_an_experiment_is_deleted_by_name_and_brought_back(store: Store, two_studies):
    monday, on_monday = two_studies["Monday"]
    app = opened(ERRORS, set=monday)
    healthy(app.button(key=f"delete_{on_monday}").click().run())
    assert [record.name for record in store.results("study")] == ["On Tuesday"]
    assert "Deleted “On Monday”." in said(app)
    assert shown_study(app) is None  # the other one is about other data
    healthy(app.button(key="undo_delete").click().run())
    assert sorted(record.name for record in store.results("study")) == ["On Monday", "On Tuesday"]


def test_calibration_is_ticked_only_for_a_set_it_was_run_on(store: Store, two_studies):
    other = store.save_set(beer_lambert_set(n_spectra=40, seed=7))
    assert ticks(opened(None, set=two_studies["Monday"][0])) == "errors per target"
    assert ticks(opened(None, set=other)) == "run an experiment"


def ticks(app: AppTest) -> str:
    """Return what the last box of the pipeline says."""
    *_, box = [one.proto.body for one in app.get("html") if '"pipeline-step ' in one.proto.body]
    return next(words for words in ("errors per target", "run an experiment") if words in box)


def test_every_page_counts_the_same_active_dimensions(made):
    (metric,) = [
        one for one in opened("pages/generation/train.py", **made).metric if one.label == "Active latent dimensions"
    ]
    assert f"{metric.value} dimensions are active" in said(opened("pages/comparison/latent_map.py", **made))


def test_labels_below_zero_are_clipped_by_preset_and_counted(store: Store, made):
    app = opened("pages/generation/sample.py", **made)
    assert "range of the training labels" in said(app)
    (clip,) = [one for one in app.toggle if one.label == "Clip to range"]
    assert clip.value
    healthy(next(one for one in app.button if one.label == "Generate and save").click().run())
    kept = store.load_set(next(record.fingerprint for record in reversed(store.sets())))
    assert kept.meta.provenance["labelling"]["clip_to_range"] is True
    whole = store.load_set(made["set"])
    assert (kept.targets >= whole.targets.min()).all().all()
    healthy(clip.set_value(False).run())
    assert "were moved" not in said(app)


def own_way(app: AppTest) -> str | None:
    found = [one for one in app.toggle if one.label.startswith("Your generated way")]
    return found[0].label.replace("\\", "") if found else None


def test_the_generated_set_in_hand_is_an_arm_of_the_next_experiment(made):
    app = opened("pages/calibration/experiment.py", **made)
    name = "Your generated way: VAE, aggregate posterior, labels read by MLP"
    assert own_way(app) == name
    assert own_way(opened("pages/calibration/experiment.py", set=made["set"])) is None
    healthy(next(one for one in app.button if one.label == "Change it as text").click().run())
    arms = {arm.name: arm for arm in Experiment.from_json(app.text_area[0].value).arms}
    assert arms[name].sampler.name == "aggregate_posterior"
    assert arms[name].generator.options["epochs"] == 2  # as the one in hand was trained


def test_overview_answers_with_the_way_in_hand_first_and_with_controls_last(store: Store):
    spectra = beer_lambert_set(n_spectra=40)
    generated = generate_spectra(GENERATORS["mixing"]().fit(spectra), spectra, 40, seed=0)
    query = {"set": store.save_set(spectra), "generated": store.save_set(generated)}
    controls = Arm("Baseline", "baseline"), Arm("Twice", "duplicate_rows"), Arm("As many steps", "step_matched")
    arms = (*controls, Arm("Jitter", generator=Choice("jitter")), way_of(generated))
    result = run(Experiment(arms=arms, regressors=(Choice("ridge"),), n_folds=4, reference="baseline"), spectra)
    store.save_result("study", dict(result.document), dict(result.tables))

    def order(**hand: str) -> list[str]:
        said = next(one.value for one in opened("pages/start/overview.py", **hand).markdown if "by Ridge:" in one.value)
        arms = ("Your generated way", "Jitter", "Twice", "As many steps")
        return sorted(arms, key=said.index)

    assert order(**query) == ["Your generated way", "Jitter", "Twice", "As many steps"]
    assert order(set=query["set"]) == ["Jitter", "Your generated way", "Twice", "As many steps"]


def test_errors_starts_with_the_experiment_and_the_arm_that_have_the_way_in_hand(store: Store):
    spectra = beer_lambert_set(n_spectra=40).with_meta(name="Monday")
    generated = generate_spectra(GENERATORS["mixing"]().fit(spectra), spectra, 40, seed=0)
    query = {"set": store.save_set(spectra), "generated": store.save_set(generated)}
    ids = []
    jitter = Arm("Jitter", generator=Choice("jitter"))
    for others in ((jitter, way_of(generated)), (jitter,)):
        arms = (Arm("Baseline", "baseline"), *others)
        result = run(Experiment(arms=arms, regressors=(Choice("ridge"),), n_folds=4, reference="baseline"), spectra)
        ids.append(store.save_result("study", dict(result.document), dict(result.tables)))
    app = opened(ERRORS, **query)
    assert shown_study(app) == ids[0]
    verdicts = [one.value for one in app.markdown if "the mean error changes by" in one.value]
    assert [one.partition(":")[0] for one in verdicts] == ["**Your generated way", "**Jitter**"]
    assert "Download the capsule" in [one.proto.label for one in app.get("download_button")]
    assert shown_study(opened(ERRORS, set=query["set"])) == ids[1]
