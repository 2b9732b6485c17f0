"""Importing files, as a visitor does it."""

import tomllib
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from spectra_core.datasets import export
from spectra_core.datasets.limits import MAX_FILE_BYTES
from spectra_core.spectra import SpectraSet
from spectra_core.store import Store
from tests.conftest import beer_lambert_set
from tests.pages.forms import require_numbers_that_start_nothing

APP = str(Path(__file__).parents[2] / "app.py")
SEMICOLON = b"probe;Cu2+ (mM);400;401;402\na;1,5;0,1;0,2;0,3\nb;2,5;0,4;0,5;0,7\nc;3,5;0,2;0,1;0,0\n"


def opened(store: Store, *files: tuple[str, bytes]) -> AppTest:
    """Open the page and upload files."""
    app = AppTest.from_file(APP, default_timeout=60)
    app = healthy(app.switch_page("pages/data/dataset.py").run())
    if files:
        for name, content in files:
            app.file_uploader[0].upload(name, content, "application/octet-stream")
        app = healthy(app.run())
    return app


def healthy(app: AppTest) -> AppTest:
    assert not app.exception, app.exception
    return app


def click(app: AppTest, label: str) -> AppTest:
    (button,) = [one for one in app.button if one.label == label]
    return healthy(button.click().run())


def pick(app: AppTest, label: str, option: str) -> AppTest:
    (box,) = [one for one in app.selectbox if one.label == label]
    return healthy(box.set_value(box.options.index(option)).run())


def kept(store: Store):
    (record,) = store.sets()
    return store.load_set(record.fingerprint)


def text_of(app: AppTest) -> str:
    return "\n".join(
        one.value for kind in (app.markdown, app.info, app.error, app.caption, app.subheader) for one in kind
    )


def test_a_semicolon_file_with_decimal_commas_is_kept_and_taken_in_hand(store: Store):
    app = opened(store, ("probe.csv", SEMICOLON))
    assert "3 spectra, 3 channels, 1 target" in text_of(app)
    app = click(app, "Save and use")
    spectra = kept(store)
    assert spectra.signal.tolist() == [[0.1, 0.2, 0.3], [0.4, 0.5, 0.7], [0.2, 0.1, 0.0]]
    assert (spectra.target_info[0].unit, spectra.target_info[0].charge) == ("mmol/L", 2)
    assert app.query_params["set"] == [spectra.fingerprint[:12]] or app.query_params["set"] == spectra.fingerprint[:12]


def test_a_corrected_guess_is_followed_at_once(store: Store):
    app = opened(store, ("probe.csv", SEMICOLON))
    app = pick(app, "Signal", "Intensity")
    app = pick(app, "Axis", "Wavenumber, cm-1")
    click(app, "Save and use")
    spectra = kept(store)
    assert (spectra.meta.quantity, spectra.axis.unit) == ("Intensity", "cm-1")


def test_a_gap_asks_and_waits_for_the_answer(store: Store):
    app = opened(store, ("gap.csv", SEMICOLON.replace(b"0,5", b"---")))
    assert ":material/help: **Please decide.**" in text_of(app)
    (save,) = [button for button in app.button if button.label == "Save and use"]
    assert save.disabled
    app = click(app, "Leave out 1 spectrum")
    click(app, "Save and use")
    assert kept(store).samples["id"].tolist() == ["a", "c"]


def test_means_and_deviations_are_shown_as_each_answer_reads_them(store: Store):
    rows = [
        f"{one} {what};{value},5;0,{first};0,2;0,3"
        for one, value, first in (("a", 1, 1), ("b", 2, 4))
        for what in ("mean", "SD")
    ]
    app = opened(store, ("probe.csv", "\n".join(["probe;Cu2+ (mM);400;401;402", *rows]).encode()))
    assert "By their names the spectra differ in what they measure" in text_of(app)
    shown = [
        frame.value for frame in app.dataframe if list(frame.value.columns[:1]) == ["Id"] and len(frame.value) == 2
    ]
    assert any(frame["Id"].tolist() == ["a mean", "b mean"] for frame in shown)
    app = click(app, "Use mean alone")
    click(app, "Save and use")
    assert kept(store).samples["id"].tolist() == ["a mean", "b mean"]
    assert kept(store).signal[:, 0].tolist() == [0.1, 0.4]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("empty.csv", b"", "The file is empty"),
        ("page.csv", b"<html><body>Sign in</body></html>", "HTML web page"),
        ("model.pt", b"\x80\x04K\x01.", "never read"),
        ("noise.csv", bytes(range(256)) * 40, "binary"),
    ],
)
def test_what_cannot_be_read_is_one_sentence_and_a_way_back(name, content, sentence, store: Store):
    app = opened(store, (name, content))
    assert sentence in "".join(one.value for one in app.error).replace("\\", "")
    app = click(app, "Other files")
    assert not app.error
    assert store.sets() == []


def test_names_in_a_file_are_shown_as_text_never_as_markup(store: Store):
    evil = b"id,400,401,402\n<script>alert(1)</script>,1,2,3\n[x](javascript:alert(1)),1,2,3\n$\\frac{1}{0}$,1,2,3\n"
    app = opened(store, ("evil.csv", evil))
    shown = [one.value for one in app.info]
    assert any("alert" in text for text in shown)  # the copies are named
    assert not any("](javascript:" in text or "<script>" in text for text in shown)


def test_files_that_belong_together_are_joined_by_order_only_when_told(store: Store):
    rng = np.random.default_rng(0)
    spectra, axis = rng.random((5, 30)), np.linspace(1800.0, 900.0, 30)
    tables = {"spectra.csv": spectra, "axis.csv": axis[:, None], "conc.csv": rng.random((5, 2))}
    files = [(k, "\n".join(",".join(map(repr, row.tolist())) for row in v).encode()) for k, v in tables.items()]
    app = opened(store, *files)
    click(click(app, "Join by order"), "Save and use")
    assert np.array_equal(kept(store).signal, spectra)
    assert kept(store).n_targets == 2


def test_an_export_uploaded_again_is_the_same_set(store: Store):
    spectra = beer_lambert_set(n_spectra=6)
    click(opened(store, ("again.npz", export(spectra, "npz"))), "Save and use")
    assert kept(store).fingerprint == spectra.fingerprint


def test_kept_sets_can_be_renamed_and_deleted(store: Store):
    key = store.save_set(beer_lambert_set(n_spectra=6))
    app = opened(store)
    (box,) = [one for one in app.selectbox if one.label == "Set"]
    app = healthy(box.set_value(key).run())
    app.text_input[0].set_value("Other name")
    app = click(app, "Rename")
    assert store.sets()[0].name == "Other name"
    healthy(app.button(key=f"delete_{key}").click().run())
    assert store.sets() == []


def test_a_reload_brings_back_the_files_and_what_was_decided(store: Store):
    app = opened(store, ("probe.csv", SEMICOLON))
    app = pick(app, "Signal", "Intensity")
    named = "".join(app.query_params["import"])
    again = AppTest.from_file(APP, default_timeout=60)
    again.query_params["import"] = named
    again = healthy(again.switch_page("pages/data/dataset.py").run())
    assert "3 spectra, 3 channels, 1 target" in text_of(again)
    click(again, "Save and use")
    assert kept(store).meta.quantity == "Intensity"
    late = AppTest.from_file(APP, default_timeout=60)
    late.query_params["import"] = named
    late = healthy(late.switch_page("pages/data/dataset.py").run())
    assert "no longer kept" in text_of(late) + "".join(one.value for one in late.warning)
    assert "import" not in late.query_params
    assert not list((store.root / "uploads").iterdir())


def test_what_the_uploader_lets_through_is_not_too_large_for_the_readers():
    config = tomllib.loads((Path(APP).parent / ".streamlit" / "config.toml").read_text())
    # The uploader counts in 1000s or in 1024s, depending on the visitor's system.
    assert config["server"]["maxUploadSize"] * 2**20 <= MAX_FILE_BYTES


PAIRS = b"a,b,c,d\n" + b"".join(b"%d,0.%d,%d,0.%d\n" % (x, x % 7, x, x % 5) for x in range(400, 440, 2))
TARGETS = b"sample,Cu,Ni\n" + b"".join(b"s%d,0.%d,0.%d\n" % (k, k % 7 + 1, k % 5) for k in range(8))
NAMELESS = b"".join(
    b"s%d,%s,%s\n" % (k, b"0.%d" % k if k else b"<LOD", b",".join(b"0.%d" % ((k * at) % 9 + 1) for at in range(1, 25)))
    for k in range(9)
)


def test_a_table_that_reads_in_two_ways_shows_both_and_is_read_as_chosen(store: Store):
    app = opened(store, ("pairs.csv", PAIRS))
    assert "can be read in two ways" in text_of(app).replace("\\", "")
    shown = [frame.value for frame in app.dataframe if "Id" in frame.value and "Used" not in frame.value]
    assert [table["Id"].tolist() for table in shown] == [["b", "d"], ["b", "c", "d"]]
    app = click(app, "Pairs of columns: axis and signal")
    assert "2 spectra, 20 channels" in text_of(app)
    click(app, "Save and use")
    assert kept(store).samples["id"].tolist() == ["b", "d"]


def test_what_the_sentence_advises_can_be_done_where_no_spectra_were_found(store: Store):
    app = opened(store, ("targets.csv", TARGETS))
    assert "say which table holds them" in "".join(one.value for one in app.error).replace("\\", "")
    (box,) = [one for one in app.selectbox if "Targets and other columns" in one.options]
    app = healthy(box.set_value(box.options.index("Spectra")).run())
    assert not app.error
    assert "8 spectra, 2 channels" in text_of(app)


def test_a_table_without_names_takes_its_targets_limits_and_axis_from_the_person(store: Store):
    app = opened(store, ("nameless.csv", NAMELESS))
    app = click(app, "One spectrum a row")
    (columns,) = [one for one in app.multiselect if one.label.startswith("Columns that are no channels")]
    columns.set_value(["#2"])
    app = click(app, "Take them for targets")
    (limit,) = [one for one in app.number_input if one.label.startswith("Limit of")]
    limit.set_value(0.2)
    require_numbers_that_start_nothing(app)
    app = click(app, "Half the limit")
    for label, value in (("First position", 350.0), ("Last position", 373.0)):
        (field,) = [one for one in app.number_input if one.label == label]
        field.set_value(value)
    require_numbers_that_start_nothing(app)
    app = click(app, "Use these positions")
    assert "Assumed, since nobody said otherwise" in text_of(app)
    click(app, "Save and use")
    spectra = kept(store)
    assert spectra.axis.positions.tolist() == list(range(350, 374))
    assert spectra.targets["#2"].tolist()[:2] == [0.1, 0.1]


def test_spectra_are_left_out_by_id_and_put_on_an_even_grid(store: Store):
    app = opened(store, ("probe.csv", SEMICOLON))
    fields = {one.label: one for one in app.text_input}
    fields["Leave out spectra, by id"].set_value("b")
    fields["Resample onto an even grid"].set_value("400 to 402 by 0.5")
    app = click(app, "Apply")
    assert "Resampled onto" in text_of(app)
    click(app, "Save and use")
    assert kept(store).samples["id"].tolist() == ["a", "c"]
    assert kept(store).signal[0].tolist() == pytest.approx([0.1, 0.15, 0.2, 0.25, 0.3])


def test_explore_leaves_spectra_out_of_a_kept_set_as_a_new_one(store: Store):
    whole = beer_lambert_set(n_spectra=20)
    fingerprint = store.save_set(whole.take(range(5, 20)))
    app = AppTest.from_file(APP, default_timeout=60)
    app.query_params["set"] = fingerprint[:12]
    app = healthy(app.switch_page("pages/data/explore.py").run())
    (chosen,) = [one for one in app.multiselect if one.label == "Spectra to leave out"]
    assert sorted(chosen.options, key=int) == [str(number) for number in range(6, 21)]  # ids, not numbers in the set
    app = healthy(chosen.set_value(["7", "20"]).run())
    app = healthy(click(app, "Keep the other 13 as a new set"))
    assert "13 spectra are kept as a new set and in hand. The former set stays." in [one.value for one in app.info]
    (rest,) = [store.load_set(one.fingerprint) for one in store.sets() if one.fingerprint != fingerprint]
    assert rest.samples["id"].tolist() == [str(number) for number in range(6, 21) if number not in (7, 20)]
    assert rest.meta.provenance["left_out_later"] == [{"from": fingerprint, "ids": ["7", "20"]}]


def test_numbers_that_nothing_can_be_computed_with_are_named_and_left_out_by_one_click(store: Store):
    spectra = beer_lambert_set(n_spectra=12)
    signal = spectra.signal.copy()
    signal[7, 3] = 1e308
    key = store.save_set(SpectraSet(spectra.axis, signal, spectra.targets, target_info=spectra.target_info))
    app = AppTest.from_file(APP, default_timeout=60)
    app.query_params["set"] = key[:12]
    app = healthy(app.switch_page("pages/data/explore.py").run())
    assert "beyond 1e+100, which these spectra hold: 8" in app.warning[0].value
    app = click(app, "Keep the other 11 as a new set")
    assert not app.warning
    assert sorted(record.n_spectra for record in store.sets()) == [11, 12]
