"""The fidelity page and the label section of the explore page as a visitor meets them."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from spectra_core.contracts import SILENT
from spectra_core.evaluation.physics.checks import mixture_residual
from spectra_core.evaluation.sampling import sampled_rows
from spectra_core.jobs import judging_time
from spectra_core.jobs.tasks import TASKS, memo_of
from spectra_core.spectra import SetMeta, SpectraSet
from spectra_core.store import Store
from tests.conftest import beer_lambert_set, relabelled
from tests.pages.test_comparison import EXPLORE, chart_texts, compared, healthy, metrics, opened, words
from ui import judged

PAGE = "pages/comparison/fidelity.py"


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> tuple[Path, dict[str, str]]:
    """A folder with a set, spectra that are too smooth, one with a foreign band and a wrong label, and judgements."""
    folder = tmp_path_factory.mktemp("judged")
    store = Store(folder)
    spectra = beer_lambert_set(120)
    smooth = beer_lambert_set(80, seed=1, noise=1e-5)
    signal, targets = smooth.signal.copy(), smooth.targets
    signal[7] += 0.3 * np.exp(-0.5 * ((smooth.axis.positions - 600) / 60) ** 2)
    targets.iloc[7] *= [1, 1, 1, 2]
    meta = SetMeta("New ones", "generated")
    made = SpectraSet(smooth.axis, signal, targets, target_info=smooth.target_info, meta=meta)
    sets = {"set": store.save_set(spectra), "generated": store.save_set(made)}
    for given_back in (False, True):
        arguments = {**sets, "model": None, "noise_given_back": given_back, "seed": 0}
        TASKS["fidelity"](arguments, SILENT, store)
    TASKS["bench"]({"set": sets["set"], "seed": 0}, SILENT, store)
    return folder, sets


@pytest.fixture
def hand(kept, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv("SPECTRA_HOME", str(kept[0]))
    return kept[1]


def test_judging_is_offered_as_a_job(store: Store):
    generated = beer_lambert_set(40, seed=1).with_meta(origin="generated")
    hand = {"set": store.save_set(beer_lambert_set()), "generated": store.save_set(generated)}
    app = opened(PAGE, **hand)
    assert {button.label for button in app.button} >= {"Judge the generated set", "Try the metrics"}
    assert compared(app).startswith("“Beer-Lambert mixtures” beside “Beer-Lambert mixtures”")
    assert not app.metric
    rough = [one.value for one in app.caption if one.value.startswith("Takes very roughly")]
    assert len(rough) == 2
    judging_time.measure(beer_lambert_set(), memo_of(store.of_computer, "pace"))
    assert len([one.value for one in app.run().caption if one.value.startswith("Takes about")]) == 2


def test_judgement_shows_value_floor_direction_and_sentence_of_every_metric(hand):
    app = opened(PAGE, **hand)
    shown = metrics(app)
    assert shown["Exact copies"] == "0\xa0%"
    assert float(shown["Noise ratio"]) < 0.7
    noise = re.search(
        r"\*\*Worse than real\*\* \(real against real: ([0-9.]+); 1 is right\)\. Noise of gen", words(app)
    )
    assert float(noise[1]) == pytest.approx(1.0, abs=0.1)
    assert "Cannot see: Copies, over-smoothing" in next(m.help for m in app.metric if m.label == "Precision")
    assert all(len(text) > 20 for text in chart_texts(app))


def test_offenders_are_listed_and_the_worst_is_drawn(hand):
    app = opened(PAGE, **hand)
    assert "Generated spectrum 8 breaks: " in words(app)
    assert "Charge residual of the labels" in words(app)
    assert any("its nearest mixture; they differ by up to" in text for text in chart_texts(app))
    healthy(app.selectbox("honesty_target").set_value("NO3-").run())
    healthy(app.segmented_control("honesty_reading").set_value("pure_components").run())
    assert any(text.startswith("NO₃⁻, mol/L: reading against label") for text in chart_texts(app))


def test_noise_given_back_is_another_judgement(hand):
    app = opened(PAGE, **hand)
    before = float(metrics(app)["Noise ratio"])
    healthy(app.toggle("judge_with_noise").set_value(True).run())
    assert before < 0.7 < 0.9 < float(metrics(app)["Noise ratio"]) < 1.1


def test_of_large_sets_the_offender_that_was_judged_is_drawn(store: Store, monkeypatch: pytest.MonkeyPatch):
    for room in ("spectra_core.jobs.judging", "ui.judged"):
        monkeypatch.setattr(f"{room}.MOST_JUDGED", 50)
    spectra, made = beer_lambert_set(120), beer_lambert_set(80, seed=1, noise=1e-5)
    rows = {role: sampled_rows(n, role, 50) for role, n in (("training", 120), ("generated", 80))}
    worst, signal, targets = int(rows["generated"][-1]), made.signal.copy(), made.targets
    signal[worst] += 0.3 * np.exp(-0.5 * ((made.axis.positions - 600) / 60) ** 2)
    targets.iloc[worst] *= [1, 1, 1, 2]
    made = SpectraSet(made.axis, signal, targets, target_info=made.target_info, meta=SetMeta("New", "generated"))
    hand = {"set": store.save_set(spectra), "generated": store.save_set(made)}
    TASKS["fidelity"]({**hand, "model": None, "noise_given_back": False, "seed": 0}, SILENT, store)
    app = opened(PAGE, **hand)
    assert "A random sample is judged: 50 of 80 generated, 50 of 120 training spectra." in words(app)
    assert f"Generated spectrum {worst + 1} breaks: " in words(app)
    judged = {"training": spectra.take(rows["training"]), "generated": made}
    apart = mixture_residual(judged, "generated", worst)["residual_in_noise"].abs().max()
    assert any(f"they differ by up to {apart:.3g} noise units" in text for text in chart_texts(app))


def test_bench_is_shown_once_it_is_there(hand):
    app = opened(PAGE, **hand)
    assert any("metrics that see each defect: Nothing wrong by" in text for text in chart_texts(app))
    assert "Try the metrics" not in {button.label for button in app.button}


def test_generated_spectra_without_targets_are_judged_without_labels(store: Store):
    bare = beer_lambert_set(60, seed=2)
    bare = SpectraSet(bare.axis, bare.signal, meta=SetMeta("Bare", "generated"))
    hand = {"set": store.save_set(beer_lambert_set()), "generated": store.save_set(bare)}
    TASKS["fidelity"]({**hand, "model": None, "noise_given_back": False, "seed": 0}, SILENT, store)
    app = opened(PAGE, **hand)
    assert "Do they hold what their labels say?" not in {header.value for header in app.subheader}
    assert metrics(app)["Precision"].endswith("%")


def test_explore_names_swapped_labels(store: Store):
    spectra = beer_lambert_set(60)
    targets = spectra.targets
    targets.iloc[[3, 30]] = targets.iloc[[30, 3]].to_numpy()
    app = opened(EXPLORE, set=store.save_set(relabelled(spectra, targets)))
    assert "2 of 60 spectra carry a label" in words(app)
    wrong = next(frame.value for frame in app.dataframe if "fits_label_of" in frame.value)
    assert set(zip(wrong["id"], wrong["fits_label_of"], strict=True)) == {("4", "31"), ("31", "4")}


def test_explore_says_when_labels_cannot_be_checked(store: Store):
    spectra = beer_lambert_set(60)
    constant = SpectraSet(spectra.axis, spectra.signal, pd.DataFrame({"a": np.ones(60)}), meta=SetMeta("Constant"))
    app = opened(EXPLORE, set=store.save_set(constant))
    assert "At least 10 independent spectra and a target that varies" in words(app)


def test_no_row_is_listed_where_no_spectrum_breaks_a_limit():
    measured = pd.DataFrame({"role": ["generated"] * 2, "sample": [0, 1], "id": ["1", "2"], "noise": [0.1, 0.3]})
    for limit, listed in ((1.0, []), (0.2, ["2"])):
        above = measured["noise"] > limit
        offences = measured[["role", "sample", "id"]].assign(noise=above, n_offences=above.astype(int))
        found = judged.offenders(measured, offences, {"noise": "Too noisy"}, "generated")
        assert list(found["id"]) == listed
        assert list(found["breaks"]) == ["Too noisy"] * len(listed)
