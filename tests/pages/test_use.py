"""From a calibration to unknown spectra, as a visitor does it."""

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from spectra_core.calibration import calibrate
from spectra_core.choices import Choice
from spectra_core.cli.shared import wide_table
from spectra_core.datasets.formulas import table_csv
from spectra_core.errors import StoreError
from spectra_core.jobs import Jobs
from spectra_core.spectra import SpectralAxis, SpectraSet
from spectra_core.store import Store
from tests.conftest import beer_lambert_set, relabelled
from ui.text import plain, significant

APP = str(Path(__file__).parents[2] / "app.py")
CALIBRATE, READ = "pages/use/calibrate.py", "pages/use/read.py"


@pytest.fixture
def fingerprint(store: Store) -> str:
    return store.save_set(beer_lambert_set(n_spectra=40).with_meta(name="Three salts"))


@pytest.fixture
def kept(store: Store, fingerprint: str) -> str:
    return store.save_calibration(calibrate(store.load_set(fingerprint), regressor="ridge", n_folds=4))


def opened(page: str, **query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value[:12]
    return healthy(app.switch_page(page).run())


def healthy(app: AppTest) -> AppTest:
    assert not app.exception
    assert not app.error
    return app


def with_column(app: AppTest, name: str) -> pd.DataFrame:
    return next(table.value for table in app.dataframe if name in table.value)


def unknown(n_spectra: int = 6, **changed: np.ndarray) -> SpectraSet:
    fresh = beer_lambert_set(n_spectra=n_spectra, seed=5)
    samples = pd.DataFrame({"id": [f"U_{row}" for row in range(n_spectra)]})
    axis = SpectralAxis(changed.get("positions", fresh.axis.positions))
    return SpectraSet(axis, changed.get("signal", fresh.signal), samples=samples, meta=fresh.meta)


def test_a_stack_says_what_it_is_made_of(store, fingerprint):
    stack = Choice("stack", {"n_folds": 3, "n_members": 2, "epochs": 1})
    made = calibrate(store.load_set(fingerprint), regressor=stack, targets=["Cu2+"], n_folds=2)
    store.save_calibration(made)
    shown = with_column(opened(CALIBRATE, set=fingerprint), "MLP ensemble")
    expected = made.parts[0].model.made_of_.set_index("candidate")["weight"]
    assert shown.iloc[0].to_dict() == pytest.approx(expected.to_dict(), abs=0.005)


def test_a_calibration_is_deleted_and_comes_back(store, fingerprint, kept):
    app = opened(CALIBRATE, set=fingerprint)
    healthy(app.button(key=f"delete_{kept}").click().run())
    assert store.calibrations() == []
    healthy(app.button(key="undo_delete").click().run())
    assert [one.id for one in store.calibrations()] == [kept]


def test_a_calibration_is_made_as_a_job_and_shown_with_its_figures_of_merit(store, fingerprint, tmp_path):
    app = opened(CALIBRATE, set=fingerprint)
    app.selectbox(key="calibrate_regressor").set_value("pls")
    app.multiselect(key="calibrate_targets").set_value(["NO3-", "Cu2+"])
    healthy(app.number_input(key="calibrate_folds").set_value(3).run())
    healthy(app.selectbox(key="calibrate_own_NO3-").set_value("ridge").run())
    next(button for button in app.button if button.label == "Calibrate").click().run()
    until = time.monotonic() + 120
    while (record := Jobs(tmp_path).records()[-1]).is_active and time.monotonic() < until:
        time.sleep(0.2)
    assert (record.task, record.state) == ("calibrate", "finished")
    (of_it,) = store.calibrations()
    made = store.load_calibration(of_it.id)
    assert (made.train.target_names, made.n_folds) == (("Cu2+", "NO3-"), 3)
    assert {name: part.choice.name for part in made.parts for name in part.targets} == {"Cu2+": "pls", "NO3-": "ridge"}
    healthy(app.run())
    merit = with_column(app, "rmsecv")
    said = next(one.value for one in app.markdown if "(RMSECV)" in one.value)
    for name in ("Cu²⁺", "NO₃⁻"):
        error = merit.set_index("target").loc[name, "rmsecv"]
        assert f"{name} by {significant(error)} mol/L" in said
    np.testing.assert_allclose(merit["rmsecv"], np.sqrt(((made.held_out - made.train.target_values) ** 2).mean(axis=0)))
    assert {"Calibration (ZIP)", "Coefficients (CSV)"} <= {one.label for one in app.get("download_button")}


def test_generated_spectra_without_a_parent_and_targets_that_never_vary_are_told(store, fingerprint):
    spectra = store.load_set(fingerprint)
    flat = relabelled(spectra, spectra.targets.assign(**{"Ni2+": 0.05}))
    flat_key = store.save_set(flat)
    store.save_calibration(calibrate(flat, regressor="pls", targets=["Ni2+"], n_folds=4))
    generated = store.save_set(spectra.with_meta(origin="generated", name="Orphans"))
    app = opened(CALIBRATE, set=flat_key, generated=generated)
    assert np.isnan(with_column(app, "rmsecv")["slope"][0])
    healthy(app.toggle(key="calibrate_generated").set_value(True).run())
    assert any("40 of 40 generated spectra name no calibration spectrum" in one.value for one in app.warning)


def test_unknown_spectra_are_read_flagged_and_checked_against_later_references(store, fingerprint, kept):
    signal = unknown().signal.copy()
    signal[3] += 0.3 * np.sin(np.arange(50))
    app = opened(READ, set=fingerprint)
    assert app.selectbox(key="calibration").value == kept
    content = table_csv(wide_table(unknown(signal=signal)))
    healthy(app.file_uploader(key="unknown_files_0").upload("unknown.csv", content, "text/csv").run())
    healthy(app.button(key="take_unknown").click().run())
    table = with_column(app, "flags")
    assert list(table["id"].unique()) == [f"U_{row}" for row in range(6)]
    (said,) = [one.value for one in app.markdown if "are read" in one.value]
    flagged = table[table["flags"] != ""].groupby("id", sort=False)
    assert said.startswith(f"**6 spectra are read**; something speaks against values of {len(flagged)}: ")
    assert all(plain(name) in said for name in flagged.groups)
    assert "Q residual" in table.loc[table["id"] == "U_3", "flags"].iloc[0]
    expected = store.load_calibration(kept).read(unknown(signal=signal))
    np.testing.assert_allclose(table["value"], expected["value"])
    assert "U_3" in app.selectbox(key="unknown_one").options[:2]  # flagged ones come first
    references = beer_lambert_set(6, seed=5).targets.assign(id=[f"U_{row}" for row in range(6)])
    healthy(app.file_uploader(key="references").upload("lab.csv", table_csv(references), "text/csv").run())
    assert list(with_column(app, "drift")["n"]) == [6, 6, 6, 6]
    shown = next(one for one in app.dataframe if "drift" in one.value).proto.columns
    assert all(name in shown for name in ("RMSEP", "CRPS", "Drift per 100 spectra"))


def test_another_axis_is_asked_about(store, fingerprint, kept):
    positions = np.linspace(210.0, 1010.0, 200)
    signal = np.stack([np.interp(positions, unknown().axis.positions, row) for row in unknown().signal])
    other = store.save_set(unknown(positions=positions, signal=signal).with_meta(name="Another axis"))
    app = opened(READ, set=fingerprint)
    healthy(app.segmented_control(key="unknown_source").set_value("A kept set").run())
    healthy(app.selectbox(key="unknown_set").set_value(other).run())
    assert "Say what to do with another axis: interpolate" in app.warning[0].value
    assert not [table for table in app.dataframe if "flags" in table.value]
    healthy(app.radio(key="unknown_axis").set_value("interpolate").run())
    assert len(with_column(app, "flags")) == 24


def test_two_unknown_files_of_one_name_are_refused_as_one_of_them_would_be_lost(fingerprint, kept):
    app = opened(READ, set=fingerprint)
    for n_spectra in (6, 3):
        app.file_uploader(key="unknown_files_0").upload(
            "day.csv", table_csv(wide_table(unknown(n_spectra))), "text/csv"
        )
    healthy(app.run())
    app.button(key="take_unknown").click().run()
    assert not app.exception
    (error,) = app.error
    assert "'day.csv'" in error.value.replace("\\", "")
    assert "Rename one" in error.value


def test_unknown_spectra_come_back_after_a_reload_until_they_are_forgotten(store, fingerprint, kept):
    app = opened(READ, set=fingerprint)
    content = table_csv(wide_table(unknown()))
    app.file_uploader(key="unknown_files_0").upload("unknown.csv", content, "text/csv").run()
    read = with_column(healthy(app.button(key="take_unknown").click().run()), "flags")
    address = "".join(app.query_params["unknown"])
    again = opened(READ, set=fingerprint, unknown=address)
    pd.testing.assert_frame_equal(with_column(again, "flags"), read)
    elsewhere = opened("pages/start/jobs.py", unknown=address)  # a reload on another page, which asks for none of them
    pd.testing.assert_frame_equal(with_column(healthy(elsewhere.switch_page(READ).run()), "flags"), read)
    healthy(again.button(key="forget_unknown").click().run())
    assert "unknown" not in again.query_params
    assert not [table for table in again.dataframe if "flags" in table.value]
    assert not list(store.root.glob("uploads/*"))
    gone = opened(READ, set=fingerprint, unknown=address)
    assert any("unknown spectra of this link are no longer kept" in one.value for one in gone.info)
    assert not [table for table in gone.dataframe if "flags" in table.value]


def test_other_unknown_spectra_take_the_place_of_those_before(store, fingerprint, kept):
    app = opened(READ, set=fingerprint)
    for number, n_spectra in enumerate((6, 4)):
        content = table_csv(wide_table(unknown(n_spectra)))
        app.file_uploader(key=f"unknown_files_{number}").upload("unknown.csv", content, "text/csv").run()
        healthy(app.button(key="take_unknown").click().run())
        assert with_column(app, "flags")["id"].nunique() == n_spectra
        assert len(list(store.root.glob("uploads/*"))) == 1


def test_unknown_spectra_whose_files_are_damaged_are_told_after_a_reload(store, fingerprint, kept):
    app = opened(READ, set=fingerprint)
    app.file_uploader(key="unknown_files_0").upload("u.csv", table_csv(wide_table(unknown())), "text/csv").run()
    healthy(app.button(key="take_unknown").click().run())
    (content,) = store.root.glob("uploads/*/content")
    content.write_bytes(b"other")
    again = opened(READ, set=fingerprint, unknown=next(store.root.glob("drafts/*")).name)
    assert any("cannot be read again: " in one.value for one in again.warning)


def test_unknown_spectra_that_cannot_be_kept_are_read_all_the_same(fingerprint, kept, monkeypatch):
    def refuse(*given):
        raise StoreError("The disk is full.")

    monkeypatch.setattr(Store, "save_upload", refuse)
    app = opened(READ, set=fingerprint)
    app.file_uploader(key="unknown_files_0").upload("u.csv", table_csv(wide_table(unknown())), "text/csv").run()
    healthy(app.button(key="take_unknown").click().run())
    assert with_column(app, "flags")["id"].nunique() == 6
    assert any("a reload of the page will forget them: The disk is full" in one.value for one in app.warning)


def test_a_file_with_an_open_question_is_a_sentence(fingerprint, kept):
    app = opened(READ, set=fingerprint)
    app.file_uploader(key="unknown_files_0").upload("unknown.csv", b"no spectra in here", "text/csv").run()
    app.button(key="take_unknown").click().run()
    assert not app.exception
    assert len(app.error) == 1


def test_targets_that_the_spectra_do_not_tell_are_named_and_no_flag_is_said(store, fingerprint):
    spectra = store.load_set(fingerprint)
    rng = np.random.default_rng(1)
    guessed = relabelled(spectra, spectra.targets.assign(**{"Ni2+": rng.uniform(0.01, 0.2, len(spectra))}))
    key = store.save_set(guessed)
    store.save_calibration(calibrate(guessed, regressor="ridge", targets=["Cu2+", "Ni2+"], n_folds=4))
    (said,) = [one.value for one in opened(CALIBRATE, set=key).markdown if "(RMSECV)" in one.value]
    assert said.endswith("Not told, and hardly better than a guess: Ni²⁺.")
    assert "Ni²⁺ by" not in said


def test_a_link_to_a_calibration_that_is_gone_says_so(store, fingerprint, kept):
    app = AppTest.from_file(APP, default_timeout=60)
    app.query_params["set"] = fingerprint[:12]
    app.query_params["calibration"] = "PLS on what was deleted · 2026-01-01 10:00 UTC"
    said = [one.value for one in healthy(app.switch_page(READ).run()).info]
    assert "The link names a calibration that is not in this store." in said
    record = store.calibrations()[0]
    app = AppTest.from_file(APP, default_timeout=60)
    app.query_params["calibration"] = f"{record.name} · {record.created[:16].replace('T', ' ')} UTC"
    assert not any("The link names" in one.value for one in healthy(app.switch_page(READ).run()).info)


def test_a_calibration_on_other_data_is_shown_only_when_asked_for(store, fingerprint, kept):
    other = store.save_set(beer_lambert_set(n_spectra=30, seed=3).with_meta(name="Others"))
    app = opened(CALIBRATE, set=other)
    assert app.selectbox(key="calibration").value is None
    assert [one.value for one in app.info] == ["No calibration of the data set in hand yet."]
    assert "Figures of merit" not in [one.value for one in app.subheader]
    healthy(app.selectbox(key="calibration").set_value(kept).run())
    assert "Figures of merit" in [one.value for one in app.subheader]
    assert opened(READ, set=other).selectbox(key="calibration").value == kept
