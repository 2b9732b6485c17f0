"""A report says everything, fetches nothing, and shows whatever people wrote letter by letter."""

import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from spectra_core.choices import Choice
from spectra_core.cli.commands import main
from spectra_core.datasets.formulas import table_csv
from spectra_core.errors import ReadError
from spectra_core.evaluation.channels.noise import noise_fidelity, spectrum_noise
from spectra_core.evaluation.channels.statistics import channel_differences, channel_statistics
from spectra_core.evaluation.errors.sentences import answer, verdict_sentence
from spectra_core.evaluation.examples import examples
from spectra_core.evaluation.similarity.bench import metric_bench
from spectra_core.experiment import Arm, Experiment
from spectra_core.figures.names import typeset
from spectra_core.regressors import REGRESSORS
from spectra_core.report import REPORTS, report_of
from spectra_core.report.finding import find_result, read_table
from spectra_core.report.page import Listing, as_html
from spectra_core.report.study import judged
from spectra_core.store import Store
from spectra_core.training.versions import versions
from tests import hostile_names
from tests.conftest import beer_lambert_set

TAGS = {
    *("html", "head", "meta", "title", "style", "body", "header", "h1", "h2", "p", "ol", "li", "section", "strong"),
    *("div", "table", "thead", "tbody", "tr", "th", "td", "pre", "details", "summary", "figure", "figcaption"),
    *("svg", "path", "text", "tspan", "g", "rect"),
}


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.words = set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return "".join(self.words)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory, hostile_folder):
    """Return a store in which everything has a hostile name, and its one experiment."""
    folder, hand = hostile_folder
    store = Store(shutil.copytree(folder, tmp_path_factory.mktemp("shelf") / "home"))
    many = store.save_set(hostile_names.renamed(beer_lambert_set(100, 20), "measured"))
    tried = {"arguments": {"set": many, "seed": 0}, "versions": versions()}
    bench = metric_bench(store.load_set(many), n_repeats=2)  # what the task does, with fewer repeats
    store.save_result("bench", tried, {"bench": bench}, f"Metric bench on {hostile_names.NAME}")
    study = store.load_result(store.results("study")[0].id)
    store.save_result("pilot", study.document, study.tables, "A pilot")
    keep_looks(store, hand)
    return store, study


def keep_looks(store, hand):
    """Keep what the pages Spectra and Channels compute."""
    sets = {"training": store.load_set(hand["set"]), "generated": store.load_set(hand["generated"])}
    document = {
        "arguments": {"set": hand["set"], "generated": hand["generated"], "model": None},
        "n_spectra": {role: len(one) for role, one in sets.items()},
        "labels": {"axis_label": hostile_names.NAME, "signal_label": hostile_names.NAME},
        "reference": "training",
        "versions": versions(),
    }
    statistics = channel_statistics(sets)
    several = {"noise": noise_fidelity(sets), "spectrum_noise": spectrum_noise(sets)}
    several |= {"statistics": statistics, "differences": channel_differences(sets)}
    store.save_result("spectra", document, {"statistics": statistics, "single": examples(sets, n_spectra=3)}, "Spectra")
    store.save_result("channels", document, several, "Channels")


def test_what_channels_tell_in_short_are_medians_over_channels(shelf):
    (record,) = shelf[0].results("channels")
    result = shelf[0].load_result(record.id)
    (table,) = next(one.parts for one in report_of(result, shelf[0]).sections if one.title == "In short")
    (row,) = table.rows
    differences, noise = result.tables["differences"], result.tables["noise"]
    said = [
        np.nanmedian(noise["ratio"][noise["role"] == "generated"]),
        np.median(differences["sd_ratio"]),
        np.median(differences["wasserstein"]),
        100 * sum(p < 0.05 for p in differences["ks_p_adjusted"]) / len(differences),
    ]
    assert row[0] == "Generated"
    assert [float(cell) for cell in row[1:]] == pytest.approx(said, rel=5e-3)


@pytest.fixture(scope="module")
def page(shelf):
    return Page(as_html(report_of(shelf[1], shelf[0])))


@pytest.mark.parametrize("kind", [*REPORTS, "calibration"])
def test_the_command_reports_every_kind_whole_small_and_with_names_as_text(kind, shelf, tmp_path, monkeypatch):
    monkeypatch.setenv("SPECTRA_HOME", str(shelf[0].root))
    (record,) = shelf[0].calibrations() if kind == "calibration" else shelf[0].results(kind)
    assert main(["report", record.id[:12], "--out", str(tmp_path / "one.html")]) == 0
    written = (tmp_path / "one.html").read_text("utf-8")
    assert len(written.encode()) <= 5_000_000
    page = Page(written)
    told = re.findall("<h2>(.*?)</h2>", written)
    assert told[:2] == ["Question", "Answer"]
    assert told[-1] == "To repeat it"
    assert "Limits" in told
    assert re.search(r"latent-spectra\d+\.\d", page.text)  # a cell beside the other
    assert "svg" in page.tags
    assert page.tags <= TAGS
    assert hostile_names.NAME in page.text
    for name, value in page.attributes:
        assert not re.match("on|src|href|xlink", name), (name, value)
        if name != "aria-label":  # what a picture says to those who cannot see it is text, too
            assert not set("<>:") & set(value or ""), (name, value)
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in page.attributes


@pytest.mark.parametrize("kind", ["neighbours", "map"])
def test_the_lines_that_repeat_a_comparison_give_the_same_to_the_last_bit(kind, shelf, monkeypatch):
    monkeypatch.setenv("SPECTRA_HOME", str(shelf[0].root))
    (before,) = shelf[0].results(kind)
    (listing,) = [
        part.text
        for section in report_of(shelf[0].load_result(before.id), shelf[0]).sections
        for part in section.parts
        if isinstance(part, Listing)
    ]
    exec(listing, {})
    after = shelf[0].results(kind)[-1]
    shelf[0].delete_result(after.id)
    assert after.id != before.id
    assert after.content == before.content


def test_every_verdict_is_there_in_words(shelf, page):
    compared = judged(shelf[1])
    assert len(compared) > 2
    text = "".join(page.text.split())
    for _, row in compared.iterrows():
        said = verdict_sentence({**row, "regressor": REGRESSORS["ridge"].title})
        assert "".join(typeset(said).split()) in text
    for said in answer(compared, {}):
        assert "".join(said.rpartition("**: ")[2].split()) in text


def test_the_folder_of_a_study_gives_the_same_report_as_the_shelf(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SPECTRA_HOME", str(tmp_path / "home"))
    spectra = beer_lambert_set(40)
    store = Store()
    store.save_set(spectra)
    arms = Arm("Baseline", "baseline"), Arm("007", generator=Choice("mixing"))
    experiment = Experiment(arms, (Choice("ridge"),), n_folds=4, reference="baseline")
    (tmp_path / "experiment.json").write_text(experiment.to_json())
    command = ["study", "--data", spectra.fingerprint, "--experiment", str(tmp_path / "experiment.json"), "--keep"]
    assert main([*command, "--out", str(tmp_path / "out")]) == 0
    name = store.results("study")[0].name
    pages = []
    for named in (str(tmp_path / "out"), name, store.results("study")[0].id[:8]):
        assert main(["report", named, "--out", str(tmp_path / "one.html")]) == 0
        text = re.sub("Kept on .*? UTC. ", "", (tmp_path / "one.html").read_text())
        pages.append(text)
    assert "007" in Page(text).text
    assert len(set(pages)) == 1
    assert main(["report", "no such result", "--out", str(tmp_path / "x.html")]) == 2
    said = capsys.readouterr().err
    assert name in said
    assert store.results()[0].id[:8] in said
    assert main(["report", name, "--out", str(tmp_path / "x.pdf")]) == 2


def test_several_of_one_name_are_not_guessed_at(shelf):
    store, result = shelf
    again = store.save_result("study", result.document, result.tables, result.record.name)
    with pytest.raises(ReadError, match="2 results are called"):
        find_result(result.record.name, store)
    assert find_result(again[:12], store).record.id == again
    store.delete_result(again)


def test_tables_come_back_from_text_to_the_last_digit():
    table = pd.DataFrame({"arm": ["007", "=1+1"], "rmsep": [0.1 + 0.2, float("inf")], "n_test": [3, 4]})
    pd.testing.assert_frame_equal(read_table(table_csv(table)), table, check_exact=True, check_dtype=False)
