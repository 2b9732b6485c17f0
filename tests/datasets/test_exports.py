"""Every export reads back equal, and no text in it can run."""

import csv
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spectra_core.datasets import WRITERS, Recipe, export, understand
from spectra_core.datasets.document import neutralised, original
from spectra_core.errors import ConfigError, ReadError
from spectra_core.spectra import SetMeta, SpectralAxis, SpectraSet, Target
from tests.conftest import beer_lambert_set

NASTY = [
    *("=1+1", "@SUM(A1)", "-2+3", "+4", "\tx", "\0", "", "'quoted", '"', "a,b;c", "line\nbreak", "\r", " edge ", "NaN"),
    *("007", "../../etc/passwd", "<script>alert(1)</script>", "\u202egnp.exe", "🧪", "a\\x0a", "#", "$$", "##END="),
    *("\U0001d402", "\x85", "\u2028"),
]


def read_back(spectra: SpectraSet, form: str) -> SpectraSet:
    return understand({f"file{WRITERS[form].extension}": export(spectra, form)}).build()


@pytest.mark.parametrize("form", WRITERS)
class TestEveryWriter:
    def test_a_simulated_set_reads_back_equal_and_still_says_so(self, form, mixtures):
        again = read_back(mixtures, form)
        assert again.fingerprint == mixtures.fingerprint
        assert again.meta.origin == "simulated"
        assert again.meta.name == mixtures.meta.name
        assert dict(again.meta.provenance) == dict(mixtures.meta.provenance)

    def test_ids_that_could_run_or_break_a_line_read_back_equal(self, form):
        spectra = SpectraSet(
            SpectralAxis(np.array([400.0, 400.1])),
            np.arange(2.0 * len(NASTY)).reshape(-1, 2),
            samples=pd.DataFrame({"id": NASTY, "group": NASTY[::-1], "=1": NASTY}),
        )
        assert read_back(spectra, form).fingerprint == spectra.fingerprint

    def test_float32_falling_axis_and_two_targets_named_like_channels_read_back_equal(self, form):
        spectra = SpectraSet(
            SpectralAxis(np.array([1800.5, 900.25, 0.1]), "Wavenumber", "cm-1"),
            np.array([[0.1, -0.0, 3e38], [1e-45, 5.7, 0.3]], dtype=np.float32),
            pd.DataFrame({"900.25": [0.1, 0.2], "id": [1e-300, 1 / 3]}),
            target_info=[Target("900.25", "mg/L"), Target("id", "", -2, 96.06)],
            meta=SetMeta("x", "generated", "Transmittance", "%", {"seed": 3}),
        )
        again = read_back(spectra, form)
        assert again.fingerprint == spectra.fingerprint
        assert again.signal.dtype == np.float32

    def test_a_decision_about_an_export_keeps_its_origin(self, form, mixtures):
        content = export(mixtures, form)
        decided = Recipe(leave_out_spectra=(1,), convert_targets="mmol/L")
        changed = understand({f"file{WRITERS[form].extension}": content}, decided).build()
        assert len(changed) == len(mixtures) - 1
        assert changed.meta.origin == "simulated"
        assert np.allclose(changed.target_values, 1000.0 * mixtures.target_values[1:], rtol=1e-12)

    def test_an_export_cut_short_is_refused(self, form, mixtures):
        content = export(mixtures, form)
        with pytest.raises(ReadError):
            understand({f"file{WRITERS[form].extension}": content[: len(content) * 2 // 3]}).build()

    @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(data=st.data())
    def test_any_set_reads_back_equal(self, form, data):
        number = st.floats(allow_nan=False, allow_infinity=False, width=64)
        n_spectra, n_channels = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 4))
        positions = data.draw(
            st.lists(number.filter(lambda x: abs(x) < 1e300), min_size=n_channels, max_size=n_channels, unique=True)
        )
        names = data.draw(st.lists(st.text(max_size=8).filter(str.strip), max_size=2, unique=True))
        rows = st.lists(number, min_size=n_channels + len(names), max_size=n_channels + len(names))
        values = np.array(data.draw(st.lists(rows, min_size=n_spectra, max_size=n_spectra)))
        ids = data.draw(st.lists(st.text(max_size=8), min_size=n_spectra, max_size=n_spectra))
        spectra = SpectraSet(
            SpectralAxis(np.sort(positions)),
            values[:, :n_channels],
            pd.DataFrame(values[:, n_channels:], columns=names) if names else None,
            samples=pd.DataFrame({"id": ids}),
            meta=SetMeta(data.draw(st.text(max_size=8)), "generated"),
        )
        assert read_back(spectra, form).fingerprint == spectra.fingerprint


@given(st.text())
def test_neutralised_text_is_restored_and_starts_with_no_formula_mark(cell):
    safe = neutralised(cell)
    assert original(safe) == cell
    assert not safe.startswith(("=", "+", "-", "@", "\t", "\0"))
    assert safe.isprintable() or not any(letter < " " for letter in safe)


def test_csv_of_a_set_holds_no_cell_that_runs():
    spectra = SpectraSet(
        SpectralAxis(np.array([1.0])), np.full((len(NASTY), 1), -0.5), samples=pd.DataFrame({"id": NASTY})
    )
    rows = list(csv.reader(io.StringIO(export(spectra, "csv").decode().split("\n", 1)[1])))
    assert not any(row[0].startswith(("=", "+", "-", "@", "\t", "\0")) for row in rows)
    assert {row[1] for row in rows[1:]} == {"-0.5"}  # numbers stay numbers


def test_pandas_reads_the_same_numbers_from_csv_and_excel(mixtures):
    table = pd.read_csv(io.BytesIO(export(mixtures, "csv")), comment="#")
    assert np.array_equal(table.iloc[:, -mixtures.n_channels :].to_numpy(), mixtures.signal)
    book = pd.read_excel(io.BytesIO(export(mixtures, "xlsx")), engine="calamine")
    assert np.array_equal(book.iloc[:, -mixtures.n_channels :].to_numpy(), mixtures.signal)


def test_a_set_too_wide_for_excel_is_refused_with_a_way_out():
    wide = SpectraSet(SpectralAxis(np.arange(16_384.0)), np.zeros((1, 16_384)))
    with pytest.raises(ConfigError, match="Export it as Parquet"):
        export(wide, "xlsx")
    with pytest.raises(ConfigError, match="Known formats: csv"):
        export(wide, "pickle")


def test_a_changed_export_is_refused_in_a_sentence():
    content = export(beer_lambert_set(n_spectra=3, n_channels=4), "csv").decode()
    lines = content.split("\n")
    lines[2] = lines[2].rsplit(",", 1)[0] + ",oops"
    with pytest.raises(ReadError, match="held a number holds text now"):
        understand({"a.csv": "\n".join(lines).encode()})
