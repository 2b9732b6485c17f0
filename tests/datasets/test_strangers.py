"""Tables as strangers have them: what is not certain is asked or refused; nothing changes its place silently."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spectra_core.datasets import Recipe
from spectra_core.datasets.files import files_of
from spectra_core.datasets.ions import named_target
from spectra_core.datasets.names import positions_in
from spectra_core.datasets.readers import parse
from spectra_core.datasets.readers.base import Dialect
from spectra_core.datasets.replicates import stems
from spectra_core.datasets.understanding import Understanding
from spectra_core.errors import ReadError
from tests.datasets.tables import CHANNELS, CU, IDS, SIGNAL, N, lines_of, tall
from tests.datasets.test_jcamp import block
from tests.datasets.test_replicates import STYLES
from tests.datasets.test_spc import FLOATS, spc

HEAD = ["sample", "Cu", *map(str, CHANNELS)]
ROWS = [[one, value, *row] for one, value, row in zip(IDS, CU, SIGNAL, strict=True)]


def understood(*contents: str | bytes, recipe: Recipe | None = None, name: str = "f.csv") -> Understanding:
    """Understand files in this process: what is tried here is harmless."""
    data = [text.encode() if isinstance(text, str) else text for text in contents]
    names = [name if not number else f"{number}{name}" for number in range(len(data))]
    parts = [part for one, text in zip(names, data, strict=True) for part in parse(text, one, Dialect())]
    return Understanding(parts, recipe or Recipe(groups="none"), [(one, "0" * 64) for one in names])


def asked(found: Understanding) -> list[str]:
    return [problem.kind for problem in found.open_questions]


def answered(found: Understanding, label: str) -> Understanding:
    """Take the answer that begins so to the first question."""
    one = next(one for one in found.open_questions[0].choices if one.label.startswith(label))
    return found.with_recipe(found.recipe.but(**one.changes))


def put_in(at: int, name: str, cells) -> str:
    """Return the table with one more column."""
    rows = [[*row[:at], cell, *row[at:]] for row, cell in zip(ROWS, cells, strict=True)]
    return lines_of([[*HEAD[:at], name, *HEAD[at:]], *rows])


def require_whole(built, channels=CHANNELS, signal=SIGNAL):
    assert built.axis.positions.tolist() == list(channels)
    assert np.array_equal(built.signal, signal)
    assert built.targets["Cu"].tolist() == [float(value) for value in CU]


class TestChannels:
    @settings(max_examples=6, deadline=None)
    @given(st.integers(3, len(HEAD) - 1), st.sampled_from([("remark", "ok"), ("", ""), ("date", "1 May")]))
    def test_a_column_of_words_or_nothing_between_them_parts_no_spectrum(self, at, column):
        found = understood(put_in(at, column[0], [column[1]] * N))
        assert asked(found) == []
        assert any("Between the channels" in note for note in found.table.notes)
        require_whole(found.build())

    @settings(max_examples=6, deadline=None)
    @given(st.integers(3, len(HEAD) - 1), st.sampled_from(["pH", "35O", "355 mm", "", "2026-03-04", "3S5"]))
    def test_numbers_between_them_without_a_position_are_asked_about(self, at, name):
        acid = np.linspace(3.0, 4.1, N).round(2)
        found = understood(put_in(at, name, acid))
        assert asked(found) == ["columns without a position"]
        require_whole(answered(found, "Do not use").build())
        built = answered(found, "Use them as targets").build()
        assert built.target_values[:, 1].tolist() == acid.tolist()
        require_whole(built)

    @pytest.mark.parametrize("styles", [("VIS {}", "NIR {}"), ("raw_{}", "snv_{}"), ("{} nm", "{} cm-1")])
    def test_two_sets_of_names_are_asked_about_and_every_answer_is_read(self, styles):
        cut = 12
        names = [styles[at >= cut].format(place) for at, place in enumerate(CHANNELS)]
        found = understood(lines_of([["sample", "Cu", *names], *ROWS]))
        assert asked(found) == ["channels apart"]
        require_whole(answered(found, f"Only {names[0]}").build(), CHANNELS[:cut], SIGNAL[:, :cut])
        require_whole(answered(found, f"Only {names[cut]}").build(), CHANNELS[cut:], SIGNAL[:, cut:])
        both = [one for one in found.open_questions[0].choices if one.label.startswith("Both")]
        assert bool(both) == ("nm" not in names[0])
        if both:
            require_whole(answered(found, "Both").build())

    def test_numbers_as_names_of_targets_are_no_positions(self):
        head = ["sample", "Cu", "1", "2", *map(str, CHANNELS)]
        rows = [[*row[:2], at, -at, *row[2:]] for at, row in enumerate(ROWS)]
        built = understood(lines_of([head, *rows])).build()
        assert built.target_names == ("Cu", "1", "2")
        require_whole(built)

    def test_more_numbered_targets_than_channels_are_targets(self):
        numbered = [f"T{k}" for k in range(25)]
        rows = [[*row[:2], *range(25), *row[2:]] for row in ROWS]
        built = understood(lines_of([["sample", "Cu", *numbered, *map(str, CHANNELS)], *rows])).build()
        assert built.target_names == ("Cu", *numbered)
        require_whole(built)

    def test_marks_of_thousands_beside_decimal_marks(self):
        for names in (["1,900.5", "1,902.5"], ["1.900,5 nm", "1.902,5 nm"]):
            found = positions_in(names)
            assert found is not None
            assert found.values.tolist() == [1900.5, 1902.5]

    def test_a_channel_whose_name_tells_no_place_is_refused(self):
        with pytest.raises(ReadError, match="its name holds no position"):
            understood(put_in(5, "pH", CU), recipe=Recipe(columns={"pH": "channel"}))


class TestRepeats:
    """A repeat that was analysed on its own has a target of its own, close to those of the others."""

    @pytest.mark.parametrize("style", [*STYLES, "II", "first", "2of3", "prime", "stars", "from 0", "r in the middle"])
    def test_targets_that_lie_close_are_asked_about_and_others_are_not(self, style):
        more = {
            "II": lambda i, j: f"A{i} {'I' * (j + 1)}",
            "first": lambda i, j: f"A{i}_{('first', 'second', 'third')[j]}",
            "2of3": lambda i, j: f"A{i} {j + 1}of3",
            "prime": lambda i, j: f"A{i}" + "'" * j,
            "stars": lambda i, j: f"A{i}" + "*" * j,
            "from 0": lambda i, j: f"A{i}_00{j}",
            "r in the middle": lambda i, j: f"A{i}_r{j + 1}_20C",
        }
        ids = [(STYLES | more)[style](i, j) for i in range(8) for j in range(3)]
        rng = np.random.default_rng(3)
        level = np.repeat(rng.permutation(8), 3).astype(float)
        near = (level + rng.normal(0, 0.02, 24))[:, None]
        found = stems(ids, list(range(24)), near)
        assert found is not None
        assert not found[1]
        assert [found[0].index(stem) for stem in found[0]] == list(np.repeat(np.arange(8) * 3, 3))
        for honest in (rng.permutation(24.0 * np.arange(24)), np.arange(24.0)):  # a sorted design is no repeat
            assert stems(ids, list(range(24)), honest[:, None]) is None

    def test_repeats_whose_ids_differ_more_than_the_others_are_told_of(self):
        ids = [f"A{i}{mark}" for i in range(8) for mark in ("_1", "_2", " blind")]
        head, target = ["sample", "Cu", *CHANNELS], np.repeat(np.arange(8) * 1.7, 3)
        signal = np.random.default_rng(0).random((24, len(CHANNELS)))
        rows = [[one, value, *row] for one, value, row in zip(ids, target, signal, strict=True)]
        found = understood(lines_of([head, *rows]), recipe=Recipe())
        assert {"replicates", "equal targets"} <= {problem.kind for problem in found.problems}

    def test_spellings_of_one_group_are_one_and_unknown_ones_are_none(self):
        spelled = ["Lot 1", "lot 1", "LOT_1 ", "7", "07", "7.0", "unknown", "Unknown", *"abcd"]
        found = understood(put_in(1, "batch", spelled), recipe=Recipe())
        groups = found.build().groups
        assert len(set(groups[:3])) == len(set(groups[3:6])) == 1
        assert len(set(groups)) == 2 + 2 + 4
        told = {problem.kind: problem.text for problem in found.problems}
        assert "'Lot 1' = 'lot 1'" in told["spelled groups"]
        assert "2 of 12" in told["blank groups"]


class TestColumns:
    @pytest.mark.parametrize("n_values", [1, 2, 3])
    def test_every_axis_begins_spectra_of_its_own_and_uncertainties_are_left_out(self, n_values):
        shifted = CHANNELS + 0.5
        names = [word for k in range(2) for word in ("nm", *(f"s{k}{n}" for n in range(n_values)), "error")]
        rows = [
            [
                cell
                for k, axis in enumerate((CHANNELS, shifted))
                for cell in (axis[at], *SIGNAL[k : k + n_values, at], 9)
            ]
            for at in range(len(CHANNELS))
        ]
        found = understood(lines_of([names, *rows]), recipe=Recipe(resample="linear"))
        built = found.build()
        assert built.samples["id"].tolist() == [name for name in names if name.startswith("s")]
        assert np.array_equal(built.signal[:n_values], SIGNAL[:n_values, 1:])
        assert any("uncertainties are left out" in note for note in found.table.notes)

    def test_names_that_are_concentrations_are_a_target(self):
        text = tall().replace(",".join(IDS), ",".join(f"{value} mM" for value in CU))
        built = understood(text).build()
        assert built.target_info[0].unit == "mmol/L"
        assert built.target_values[:, 0].tolist() == [float(value) for value in CU]

    @pytest.mark.parametrize(
        "names", [CU, [0, 0, 5, 5, 10, 10, 20, 20, 40, 40, 80, 80], [100 * k**2 for k in range(N)]]
    )
    def test_names_that_are_numbers_are_asked_about(self, names):
        found = understood(tall().replace(",".join(IDS), ",".join(map(str, names))))
        assert asked(found) == ["numbers as names"]
        built = answered(found, "Values").build()
        assert built.target_values[:, 0].tolist() == [float(name) for name in names]
        assert answered(found, "Only names").build().target_names == ()

    def test_names_that_count_are_names(self):
        found = understood(tall().replace(",".join(IDS), ",".join(str(k + 7) for k in range(N))))
        assert asked(found) == []
        assert found.build().target_names == ()


LISTED = [[IDS[k], CHANNELS[at], SIGNAL[k, at], CU[k]] for k in range(5) for at in range(len(CHANNELS))]


class TestLists:
    @pytest.mark.parametrize("name", ["X{}", "{} nm", "NIR.{}.nm"])
    def test_positions_melted_into_words_are_positions(self, name):
        rows = [[one, name.format(place), value, copper] for one, place, value, copper in LISTED]
        built = understood(lines_of([["sample", "variable", "value", "Cu"], *rows])).build()
        read = (built.axis.positions.tolist(), built.signal.tolist(), built.samples["id"].tolist())
        assert read == (CHANNELS.tolist(), SIGNAL[:5].tolist(), IDS[:5])
        assert built.targets["Cu"].tolist() == [float(value) for value in CU[:5]]

    def test_a_doubled_line_is_named(self):
        text = lines_of([["sample", "wavelength", "value", "Cu"], *LISTED, LISTED[30]])
        with pytest.raises(ReadError, match=r"Line 102 of f\.csv gives spectrum s1 a second value at 360"):
            understood(text)


@pytest.mark.parametrize("shift", [0, 1])
def test_names_that_come_again_are_refused(shift):
    again = lines_of([["sample", "Cu", *(CHANNELS + shift)], *ROWS])
    with pytest.raises(ReadError, match=r"Line 14 of f\.csv repeats the names"):
        understood(lines_of([HEAD, *ROWS]) + again)


class TestInstruments:
    def test_records_that_are_said_twice_or_not_at_all_are_asked_about(self):
        for text in (block(YUNITS="ABSORBANCE\n##XUNITS=NANOMETERS"), block(YFACTOR=None), block(YFACTOR="")):
            assert asked(understood(text, name="a.jdx")) == ["contradictions"]
        assert asked(understood(block(YUNITS="ABSORBANCE\n##XUNITS=1/cm"), name="a.jdx")) == []

    def test_axes_of_two_units_are_not_one_though_their_numbers_are(self):
        found = understood(block("1/CM"), block("NANOMETERS"), name="a.jdx")
        assert asked(found) == ["mixed axes"]
        assert answered(found, "All are in nm").build().axis.unit == "nm"

    def test_bytes_that_no_header_declares_are_asked_about(self):
        whole = spc(FLOATS, FLOATS)
        assert asked(understood(whole, name="a.spc")) == []
        assert asked(understood(whole + b"\0" * 40, name="a.spc")) == []
        assert asked(understood(whole + whole[-40:], name="a.spc")) == ["contradictions"]

    @pytest.mark.parametrize("mark", [-777, 150])
    def test_three_values_a_hundred_times_beyond_all_others_are_asked_about(self, mark):
        signal = SIGNAL.copy()
        signal[[1, 4, 7], [3, 9, 2]] = mark
        rows = [[one, value, *row] for one, value, row in zip(IDS, CU, signal, strict=True)]
        assert asked(understood(lines_of([HEAD, *rows]))) == ["sentinels"]


class TestTables:
    @pytest.mark.parametrize("mark", ["# lamp changed", "% a, b", "// 3 May"])
    @pytest.mark.parametrize("at", [2, 5, 12])
    def test_a_comment_between_spectra_parts_no_table(self, mark, at):
        lines = lines_of([HEAD, *ROWS]).splitlines()
        found = understood("\n".join([*lines[:at], mark, *lines[at:]]))
        require_whole(found.build())
        assert list(found.ids) == IDS

    @pytest.mark.parametrize("name", ["Unnamed: 0", "index", "no.", "id"])
    def test_a_column_that_counts_rows_is_no_name_where_another_is(self, name):
        found = understood(lines_of([[name, *HEAD], *([number, *row] for number, row in enumerate(ROWS))]))
        assert list(found.ids) == IDS
        require_whole(found.build())

    @pytest.mark.parametrize("amount", ["{} ± 0.01", "{} +/- 0.01", "{}({})", ("{} mM", "{} µM"), ("{} g/L", "{} %")])
    def test_amounts_that_are_no_single_numbers_are_named(self, amount):
        ways = [amount] if isinstance(amount, str) else list(amount)
        cells = [ways[number % len(ways)].format(value, 1) for number, value in enumerate(CU)]
        found = understood(put_in(2, "Ni", cells))
        assert "Ni" not in found.build().target_names
        assert any("no single numbers in one unit: Ni" in said for said in found.warnings)

    @pytest.mark.parametrize("cells", [[f"{n + 1:02d}-May" for n in range(N)], [f"{n}b" for n in range(N)]])
    def test_dates_and_codes_are_no_amounts(self, cells):
        assert not any("no single numbers" in said for said in understood(put_in(2, "note", cells)).warnings)

    @pytest.mark.parametrize("gap", ["", "  ", "," * (len(HEAD) - 1), ",,"])
    @pytest.mark.parametrize("at", [2, 4, 9, 12])
    def test_an_empty_line_between_spectra_parts_no_table(self, gap, at):
        lines = lines_of([HEAD, *ROWS]).splitlines()
        require_whole(understood("\n".join([*lines[:at], gap, *lines[at:], gap])).build())
        lines[10] = lines[10].rpartition(",")[0] + ","
        lines.insert(at, gap)
        (gaps,) = understood("\n".join([*lines, gap])).open_questions
        assert f"s9 (line {11 + (at < 11)} of f.csv)" in gaps.text

    @pytest.mark.parametrize(
        ("name", "unit", "charge"),
        [
            ("c(Cu2+) / mmol/L", "mmol/L", 2), ("c(Cu) in mM", "mmol/L", 2), ("Cu/ppm", "ppm", 2),
            ("Cu / (mmol/L)", "mmol/L", 2), ("Cu mol dm-3", "mol/L", 2), ("c_Cu2+_mmol_L", "mmol/L", 2),
            ("Konz. Cu mg/dL", "mg/dL", 2), ("Cu: mM", "mmol/L", 2), ("Alcohol % (v/v)", "% (v/v)", None),
            ("Cu [% w/w]", "% (w/w)", 2), ("c(NO3-)/(mmol L-1)", "mmol/L", -1), ("nitrate_mg_L", "mg/L", -1),
            ("NO3-", "", -1), ("Mg/L", "", None), ("particle size (nm)", "", None), ("C/N", "", None),
        ],
    )  # fmt: skip
    def test_units_are_read_however_they_stand_in_a_heading(self, name, unit, charge):
        found = named_target(name)
        assert (found.unit, found.charge) == (unit, charge)
        assert not found.name.endswith(("/", ":", " in", "("))

    @pytest.mark.parametrize(
        ("name", "signal"),
        [("%T {} nm", ("Transmittance", "%")), ("Abs_{}", ("Absorbance", "")), ("Intensity {}", ("Intensity", ""))],
    )
    def test_channels_that_name_what_they_measure_say_the_signal(self, name, signal):
        built = understood(lines_of([["sample", "Cu", *map(name.format, CHANNELS)], *ROWS])).build()
        assert (built.meta.quantity, built.meta.unit) == signal

    def test_transmittance_in_per_cent_is_asked_about_and_zeros_are_named(self):
        rows = [[one, value, *(100 * 10**-row).round(3)] for one, value, row in zip(IDS, CU, SIGNAL, strict=True)]
        rows[3][6] = 0
        found = understood(lines_of([HEAD, *rows]))
        (question,) = [one for one in found.problems if one.kind == "signal"]
        assert not question.blocking
        ways = {one.label: one.changes for one in question.choices}
        recipe = found.recipe.but(**ways["Transmittance, %"], convert_signal="Absorbance")
        with pytest.raises(ReadError, match=r"1 value of transmittance is zero or .* spectrum 's3', channel 5\b"):
            found.with_recipe(recipe).build()
        built = found.with_recipe(recipe.but(leave_out_spectra=("s3",))).build()
        np.testing.assert_allclose(built.signal[2], SIGNAL[2], atol=1e-4)


def test_files_of_one_name_in_two_folders_are_both_read(tmp_path):
    for folder, rows in (("a", ROWS[:5]), ("b", ROWS[5:])):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "run.csv").write_text(lines_of([HEAD, *rows]))
    paths = [tmp_path / "a" / "run.csv", tmp_path / "b" / "run.csv", tmp_path / "a" / "run.csv"]
    assert list(files_of(paths)) == ["run.csv", "run.csv (2)"]


class TestMoreThanOneReading:
    def test_commas_that_part_cells_and_stand_before_decimals_are_refused(self):
        rows = [
            [f"{place},0", f"{value:.4f}".replace(".", ",")] for place, value in zip(CHANNELS, SIGNAL[0], strict=True)
        ]
        with pytest.raises(ReadError, match=r"may part the cells here or stand before decimals: '35\d,0,0,0"):
            understood(lines_of(rows), name="a.dpt")
        whole = [[k, 10 * k + 1, 7 * k, 100 - k] for k in range(1, 9)]
        understood(lines_of([["nm", "a", "b", "c"], *whole]))  # whole numbers are what they are

    def test_spectra_without_an_id_under_others_are_asked_about(self):
        rows = [[IDS[k // 2] if k % 2 == 0 else "", *row[1:]] for k, row in enumerate(ROWS)]
        found = understood(lines_of([HEAD, *rows]), recipe=Recipe())
        assert asked(found) == ["blank ids"]
        above = answered(found, "They belong").build()
        assert above.samples["id"].tolist() == [IDS[k // 2] for k in range(N)]
        assert len(set(above.groups)) == N // 2
        own = answered(found, "Each is of its own").build()
        assert own.samples["id"].tolist() == [IDS[k // 2] if k % 2 == 0 else str(k + 1) for k in range(N)]
        assert len(set(own.groups)) == N

    def test_spectra_that_are_called_absorbance_and_transmittance_are_asked_about(self):
        names = ["nm", *[f"{one} {what}" for one in IDS[:3] for what in ("Abs", "%T")]]
        columns = [cells for row in SIGNAL[:3] for cells in (row, (100 * 10**-row).round(3))]
        rows = [[place, *(column[at] for column in columns)] for at, place in enumerate(CHANNELS)]
        found = understood(lines_of([names, *rows]))
        assert asked(found) == ["quantities"]
        built = answered(found, "Use absorbance alone").build()
        assert np.array_equal(built.signal, SIGNAL[:3])
        plain = understood(lines_of([["nm", "run T", "run R", "run Abs"], *[row[:4] for row in rows]]))
        assert asked(plain) == []

    def test_names_in_quotes_between_blanks(self):
        lines = [" ".join(f'"{name}"' for name in ["Cu total", *[f"X{place}" for place in CHANNELS]])]
        lines += [f'"{k + 1}" ' + " ".join(map(str, [value, *row])) for k, (_, value, *row) in enumerate(ROWS)]
        built = understood("\n".join(lines), name="a.txt").build()
        assert built.targets["Cu total"].tolist() == [float(value) for value in CU]
        assert np.array_equal(built.signal, SIGNAL)


def test_positions_that_mark_their_thousands_above_decimal_points_are_read_so_and_told_of():
    head = ["sample", "Cu", *(f'"{place + 1000:,}"' for place in CHANNELS)]
    found = understood(lines_of([head, *ROWS]), recipe=Recipe(axis_unit="nm"))
    assert found.build().axis.positions.tolist() == (CHANNELS + 1000).tolist()
    assert any("'1,350': read as numbers that mark their thousands" in said for said in found.warnings)
    micrometres = lines_of([["sample", "Cu", *(f"1,{place}" for place in CHANNELS)], *ROWS], ";").replace(".", ",")
    assert understood(micrometres).prepared.positions[0] == 1.35


def test_a_column_of_units_that_differ_is_asked_about():
    rows = [[row[0], row[1], "mM" if at < 6 else "µM", *row[2:]] for at, row in enumerate(ROWS)]
    text = lines_of([["sample", "Cu", "unit", *CHANNELS], *rows])
    (asked,) = understood(text).open_questions
    assert "'unit' holds different units (mM, µM)" in asked.text
    built = [understood(text, recipe=Recipe(**one.changes)).build().target_names for one in asked.choices]
    assert built == [(), ("Cu",)]
    assert not understood(text.replace("µM", "mM")).open_questions


@pytest.mark.parametrize(("every", "told"), [(2, True), (12, False)])
def test_a_target_that_is_partly_words_is_named(every, told):
    cells = [cell if at % every == every - 1 else "SD" for at, cell in enumerate(CU)]
    found = understood(lines_of([HEAD, *([row[0], cell, *row[2:]] for row, cell in zip(ROWS, cells, strict=True))]))
    assert any("Not used as targets" in said and "Cu ('SD')" in said for said in found.warnings) == told
