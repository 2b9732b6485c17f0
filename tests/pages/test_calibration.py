"""Designing an experiment and reading its errors, as a visitor does it."""

from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from spectra_core.choices import Choice
from spectra_core.conditions import CONDITIONS
from spectra_core.contracts import SILENT
from spectra_core.datasets.simulator import PRESETS, simulate
from spectra_core.experiment import Arm, Experiment, ExperimentResult, Question, run
from spectra_core.experiment.counterfactuals import with_counterfactuals
from spectra_core.jobs import Jobs
from spectra_core.jobs.folder import JobFolder
from spectra_core.jobs.tasks import TASKS
from spectra_core.spectra import SpectraSet
from spectra_core.store import Store
from tests.conftest import beer_lambert_set

APP = str(Path(__file__).parents[2] / "app.py")
DESIGN, ERRORS = "pages/calibration/experiment.py", "pages/calibration/errors.py"
SPECTRA = beer_lambert_set(n_spectra=40).with_meta(name="Three salts")


@pytest.fixture
def fingerprint(store: Store) -> str:
    return store.save_set(SPECTRA)


@pytest.fixture(scope="module")
def first_try() -> ExperimentResult:
    experiment = Experiment(
        arms=(
            Arm("Baseline", "baseline"),
            Arm("Duplicate rows", "duplicate_rows"),
            Arm("Mixing", generator=Choice("mixing")),
        ),
        regressors=(Choice("ridge"), Choice("pls")),
        n_folds=4,
        n_train=(15, 0),
        reference="baseline",
    )
    return run(experiment, SPECTRA)


@pytest.fixture
def study(store: Store, fingerprint: str, first_try: ExperimentResult) -> str:
    return store.save_result("study", {"name": "First try", **first_try.document}, dict(first_try.tables))


@pytest.fixture(scope="module")
def why() -> ExperimentResult:
    experiment = with_counterfactuals(
        Experiment(
            arms=(Arm("Step-matched", "step_matched"), Arm("Mixing", generator=Choice("mixing"))),
            regressors=(Choice("ridge"),),
            n_folds=4,
        ),
        "Mixing",
    )
    return run(experiment, SPECTRA)


@pytest.fixture
def explained(store: Store, fingerprint: str, why: ExperimentResult) -> str:
    return store.save_result("study", {"name": "Why", **why.document}, dict(why.tables))


def opened(page: str, **query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value[:12]
    return healthy(app.switch_page(page).run())


def healthy(app: AppTest) -> AppTest:
    assert not app.exception
    assert not app.error
    return app


class TestDesigningAnExperiment:
    def test_the_controls_stand_among_the_arms_from_the_start(self, fingerprint):
        app = opened(DESIGN, set=fingerprint)
        arms = app.multiselect(key="experiment_arms")
        assert {"Baseline", "Step-matched", "Duplicate rows"} <= set(arms.value)
        assert "Oracle" not in arms.options  # these spectra come from no simulator that could make more

    def test_repetitions_that_are_run_unless_told_agree_with_the_time_that_is_said(self, fingerprint, monkeypatch):
        def said(seconds):
            monkeypatch.setattr("ui.time_said.seconds_of", lambda *_: (seconds, True))
            return [one.value for one in opened(DESIGN, set=fingerprint).caption]

        quick, slow = said(240.0), said(2700.0)
        assert any("; about 4 minutes with" in one for one in quick)
        assert "3 repetitions, as usual where ten minutes are enough." in quick
        assert any("; about 45 minutes with" in one for one in slow)
        (repetitions,) = [one for one in slow if one.startswith("3 repetitions")]
        assert "this one takes longer" in repetitions

    def test_no_arm_is_a_sentence(self, fingerprint):
        app = opened(DESIGN, set=fingerprint)
        app.multiselect(key="experiment_arms").set_value([]).run()
        assert "needs at least one arm" in healthy(app).warning[0].value

    def test_an_arm_of_ones_own_goes_into_the_experiment(self, fingerprint):
        app = opened(DESIGN, set=fingerprint)
        healthy(app.toggle(key="own_arm").set_value(True).run())
        for generator in ("pca", "cvae", "jitter", "mixing"):
            healthy(app.selectbox(key="own_generator").set_value(generator).run())
            assert not app.warning

    def test_run_starts_a_job_that_makes_a_result_which_the_other_page_shows(self, fingerprint, store):
        app = opened(DESIGN, set=fingerprint)
        app.multiselect(key="experiment_arms").set_value(["Baseline", "Duplicate rows"])
        app.multiselect(key="experiment_regressors").set_value(["ridge"])
        app.number_input(key="experiment_n_folds").set_value(3)
        app.run()
        healthy(app)
        next(button for button in app.button if button.label == "Run the experiment").click().run()
        task, made = done_here(store)
        assert task == "study"
        document = store.load_result(made["result"]).document
        assert [arm["name"] for arm in document["experiment"]["arms"]] == ["Baseline", "Duplicate rows"]
        assert document["experiment"]["n_folds"] == 3
        assert healthy(app.switch_page(ERRORS).run()).selectbox(key="study").value == made["result"]

    def test_a_sweep_with_preprocessing_and_reasons_goes_into_the_experiment(self, fingerprint):
        app = opened(DESIGN, set=fingerprint)
        app.multiselect(key="experiment_regressors").set_value(["pls"]).run()
        app.multiselect(key="experiment_steps_pls").set_value(["clip", "snv"])
        app.multiselect(key="experiment_ratios").set_value([0.5, 2.0])
        app.multiselect(key="experiment_reasons").set_value(["VAE, standard normal"])
        app.multiselect(key="experiment_strategies").set_value(["cVAE, charge-balanced"])
        healthy(app.run())
        assert any("destroys what is to be predicted" in warning.value for warning in app.warning)
        healthy(next(button for button in app.button if button.label == "Change it as text").click().run())
        experiment = Experiment.from_json(app.text_area(key="experiment_text").value)
        assert [len(getattr(choice, "preprocessing", ())) for choice in experiment.regressors] == [0, 2]
        assert {arm.ratio for arm in experiment.arms if arm.kind == "step_matched"} == {0.5, 2.0}
        assert sum(arm.beside == "VAE, standard normal, ratio 2" for arm in experiment.arms) >= 4
        conditions = {arm.conditions.name for arm in experiment.arms if arm.ratio == 2.0 and arm.conditions is not None}
        assert conditions == set(CONDITIONS)

    def test_a_text_that_is_no_experiment_is_a_sentence(self, fingerprint):
        app = opened(DESIGN, set=fingerprint)
        healthy(app.segmented_control(key="experiment_way").set_value("From an experiment (JSON)").run())
        assert "design one by choices first" in app.warning[0].value
        app.text_area(key="experiment_text").set_value('{"arms": [{"name": "a", "kind": "best"}]}').run()
        assert "got 'best'" in healthy(app).warning[0].value
        assert not any(button.label == "Run the experiment" for button in app.button)

    def test_what_could_only_fail_is_said_before_it_is_run(self, store):
        spectra = beer_lambert_set(30)
        batches = pd.DataFrame({"group": ["A", "B"] * 15})
        two = SpectraSet(spectra.axis, spectra.signal, spectra.targets, samples=batches)
        app = opened(DESIGN, set=store.save_set(two))
        assert any("8 folds need at least 8 independent spectra" in one.value for one in app.warning)
        bare = opened(DESIGN, set=store.save_set(spectra.with_targets([])))
        assert [one.value for one in bare.info] == [
            "These spectra have no targets, whose errors an experiment compares."
        ]
        for page in (app, bare):
            assert "Run the experiment" not in [button.label for button in page.button]

    def test_the_question_is_declared_in_words_and_goes_into_the_experiment(self, fingerprint):
        app = opened(DESIGN, set=fingerprint)
        app.multiselect(key="experiment_regressors").set_value(["ridge", "pls"]).run()
        app.multiselect(key="question_arms").set_value(["VAE, standard normal"])
        app.multiselect(key="question_targets").set_value(["Cu2+"])
        app.multiselect(key="question_regressors").set_value(["pls"])
        app.selectbox(key="question_reference").set_value("Duplicate rows")
        app.number_input(key="question_smallest").set_value(8.0)
        healthy(app.run())
        declared = as_text(app).question
        assert declared == Question("Duplicate rows", ("VAE, standard normal",), ("pls",), ("Cu2+",), None, 8.0)

    def test_three_repeats_are_the_preset_and_a_number_of_ones_own_stays(self, fingerprint):
        app = opened(DESIGN, set=fingerprint)
        app.multiselect(key="experiment_regressors").set_value(["ridge"]).run()
        assert any(caption.value.startswith("3 repetitions, as usual") for caption in app.caption)
        healthy(app.number_input(key="experiment_n_repeats").set_value(2).run())
        assert not any("as usual" in caption.value for caption in app.caption)
        assert as_text(app).n_repeats == 2

    def test_fresh_sets_are_offered_where_a_simulator_made_the_set(self, store, fingerprint):
        assert not any(toggle.key == "experiment_fresh" for toggle in opened(DESIGN, set=fingerprint).toggle)
        simulated = store.save_set(simulate(PRESETS["msu_like"], n_spectra=24, seed=0))
        app = opened(DESIGN, set=simulated)
        app.multiselect(key="experiment_regressors").set_value(["ridge"])
        healthy(app.toggle(key="experiment_fresh").set_value(True).run())
        healthy(app.number_input(key="experiment_fresh_sets").set_value(12).run())
        assert as_text(app).fresh_sets == 12

    def test_a_pilot_tells_how_small_an_effect_the_design_tells(self, fingerprint, store):
        app = opened(DESIGN, set=fingerprint)
        app.multiselect(key="experiment_arms").set_value(["Baseline", "Mixing"])
        app.multiselect(key="experiment_regressors").set_value(["pls"])
        app.number_input(key="experiment_n_folds").set_value(4)
        healthy(app.run())
        next(button for button in app.button if button.label.startswith("Run a pilot")).click().run()
        assert done_here(store)[0] == "pilot"
        assert not store.results("study")
        healthy(app.run())
        of_three = smallest_of(app)
        assert set(of_three) == {"mean over all", "Cu2+", "Ni2+", "SO4 2-", "NO3-"}
        healthy(app.number_input(key="experiment_n_repeats").set_value(1).run())
        assert all(smallest_of(app)[target] > fall for target, fall in of_three.items())
        assert any("this design tells a fall of the mean error" in text.value for text in app.markdown)


def as_text(app: AppTest) -> Experiment:
    """Return the experiment on the page, as the visitor gets it to change it as text."""
    healthy(next(button for button in app.button if button.label == "Change it as text").click().run())
    return Experiment.from_json(app.text_area(key="experiment_text").value)


def smallest_of(app: AppTest) -> dict[str, float]:
    table = next(table.value for table in app.dataframe if "mean over all" in table.value.index)
    return {str(target): float(text.removesuffix("\N{NO-BREAK SPACE}%")) for target, text in table.iloc[:, 0].items()}


def done_here(store: Store) -> tuple[str, dict[str, str]]:
    """Do the work of the job that a page has started; a process of its own does it in tests of jobs and in browsers."""
    (record,) = Jobs(store.root).records()
    Jobs(store.root).cancel(record.id)
    arguments = JobFolder(store.root / "jobs" / record.id).read("job")["arguments"]
    return record.task, TASKS[record.task](arguments, SILENT, store)


class TestReadingErrors:
    def test_an_experiment_can_be_started_from_and_keeps_all_its_fields(self, study, store, fingerprint):
        app = opened(ERRORS, set=fingerprint)
        healthy(next(button for button in app.button if button.label == "Start from this experiment").click().run())
        text = app.text_area(key="experiment_text").value
        made = Experiment.from_document(store.load_result(study).document["experiment"])
        assert Experiment.from_json(text) == made
        healthy(app.switch_page(DESIGN).run())  # the test's browser does not follow the app to another page
        changed = text.replace('"seed": 0', '"seed": 5')
        healthy(app.text_area(key="experiment_text").set_value(changed).run())
        assert any(button.label == "Run the experiment" for button in app.button)

    def test_what_is_found_so_far_is_shown_and_says_so(self, study, store, fingerprint):
        whole = store.load_result(study)
        document = {**whole.document, "repeats_done": 1, "experiment": {**whole.document["experiment"], "n_repeats": 3}}
        tables = {name: whole.tables[name] for name in ("predictions", "errors", "comparisons", "spreads")}
        key = "ab" * 16
        assert store.save_result("study", document, tables, key=key) == key
        app = opened(ERRORS, set=fingerprint)
        assert app.selectbox(key="study").value == key
        assert any(info.value.startswith("So far: 1 of 3 repetitions") for info in app.info)
        assert not any(button.label.startswith("Go on to") for button in app.button)
        store.forget_results([key, "cd" * 16])
        assert healthy(app.run()).selectbox(key="study").value == study

    def test_a_run_that_blew_up_is_named_beside_the_errors(self, study, store, fingerprint):
        kept = store.load_result(study)
        errors = kept.tables["errors"].copy()
        one = (errors["arm"] == "Mixing") & (errors["fold"] == 0) & (errors["n_train"] > 20)
        errors.loc[one & (errors["regressor"] == "pls"), "rmsep"] *= 1e6
        store.save_result("study", kept.document, {**kept.tables, "errors": errors})
        app = opened(ERRORS, set=fingerprint)
        said = [warning.value for warning in app.warning if warning.value.startswith("Runs that blew up")]
        assert len(said) == 1
        assert "Mixing (1 fold)" in said[0]

    def test_reasons_are_shown_and_two_experiments_side_by_side(self, study, explained, fingerprint):
        app = opened(ERRORS, set=fingerprint)
        assert app.selectbox(key="reasons_arm").options == ["Mixing"]
        assert any("do not add up" in warning.value for warning in app.warning)
        assert len(app.selectbox(key="other_study").options) == 1
        differences = next(table.value for table in app.dataframe if "This experiment" in table.value.columns)
        assert "arm Mixing: noise given back" in set(differences["What"])

    def test_an_experiment_from_before_these_tables_is_still_shown(self, study, store, fingerprint):
        old = store.load_result(study)
        names = ("predictions", "errors", "comparisons", "generators", "floors", "spreads")
        store.save_result("study", {**old.document, "name": "Old"}, {name: old.tables[name] for name in names})
        opened(ERRORS, set=fingerprint)

    def test_experiments_of_another_form_are_set_aside_and_the_others_shown(self, study, store, fingerprint):
        kept = store.load_result(study)
        experiment = {**kept.document["experiment"], "n_folds": "many"}
        for changes in ({"data": fingerprint}, {"experiment": experiment}, {"experiment": None}):
            store.save_result("study", {**kept.document, **changes}, kept.tables, name="Odd")
        store.save_result("study", kept.document, {**kept.tables, "spreads": pd.DataFrame()}, name="Odd")
        app = opened(ERRORS, set=fingerprint)
        assert app.selectbox(key="study").value == study
        assert [one.name for one in store.damaged()] == ["Odd"] * 4

    def test_a_link_to_an_experiment_that_is_gone_says_so(self, study, store, fingerprint):
        gone = "The link names an experiment that is not in this store."
        app = AppTest.from_file(APP, default_timeout=60)
        app.query_params["set"] = fingerprint[:12]
        app.query_params["study"] = "Study of what was deleted · 2026-01-01 10:00 UTC"
        assert gone in [one.value for one in healthy(app.switch_page(ERRORS).run()).info]
        record = next(one for one in store.results("study") if one.id == study)
        app = AppTest.from_file(APP, default_timeout=60)
        app.query_params["study"] = f"{record.name} · {record.created[:16].replace('T', ' ')} UTC"
        assert gone not in [one.value for one in healthy(app.switch_page(ERRORS).run()).info]

    def test_without_an_experiment_the_visitor_is_taken_to_run_one(self, fingerprint):
        app = opened(ERRORS, set=fingerprint)
        assert app.info[0].value.startswith("No experiment on")

    def test_every_arm_and_target_is_judged_errors_stand_in_a_table_and_worth_in_measured_spectra(
        self, study, fingerprint
    ):
        app = opened(ERRORS, set=fingerprint)
        sentences = app.dataframe[0].value
        assert set(sentences["arm"]) == {"Duplicate rows", "Mixing"}
        assert set(sentences["target"]) == {"Cu²⁺", "Ni²⁺", "SO₄²⁻", "NO₃⁻", "all declared targets"}
        assert sentences["sentence"].str.len().min() > 20
        assert set(app.dataframe[1].value["n_train"]) == {30}
        assert app.select_slider[0].options == ["15 training spectra", "30 training spectra"]
        tables = [table.value for table in app.dataframe]
        gains = [table for table in tables if "Cu²⁺" in table.columns and table.index.nlevels == 2]
        assert ("Mixing", 30) in gains[0].index

    def test_an_experiment_on_another_set_says_so(self, study, store):
        other = store.save_set(beer_lambert_set(n_spectra=20, seed=5).with_meta(name="Other"))
        app = opened(ERRORS, set=other)
        healthy(app.selectbox(key="study").set_value(study).run())
        assert any("not about the data set in hand" in info.value for info in app.info)

    def test_the_newest_experiment_on_the_set_in_hand_comes_first(self, study, store, fingerprint):
        kept = store.load_result(study)
        newer = store.save_result("study", {**kept.document, "name": "Second try"}, dict(kept.tables))
        elsewhere = {**kept.document["data"], "fingerprint": "0" * 64}
        newest = store.save_result("study", {**kept.document, "name": "Else", "data": elsewhere}, dict(kept.tables))
        for in_hand, first in ({"set": fingerprint}, newer), ({}, newest):
            assert opened(ERRORS, **in_hand).selectbox(key="study").value == first
