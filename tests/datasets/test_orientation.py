"""Rows, columns, pairs or a list, names or data: told where it is plain, asked where it is not."""

import io

import numpy as np
import pandas as pd
import pytest

from spectra_core.datasets import Recipe, understand
from spectra_core.datasets.questions import UndecidedError
from spectra_core.errors import ReadError
from tests.datasets.tables import CHANNELS, CU, IDS, SIGNAL, N, lines_of, pairs, stacked, tall, wide


def understood(text: str | bytes, recipe: Recipe | None = None, name: str = "file.csv"):
    return understand({name: text.encode() if isinstance(text, str) else text}, recipe)


def asked(found) -> list[str]:
    return [problem.kind for problem in found.open_questions]


def book(header: bool | list[str], first: object) -> bytes:
    stream = io.BytesIO()
    rows = [[IDS[k], first if k == 0 else float(CU[k]), *SIGNAL[k]] for k in range(N)]
    with pd.ExcelWriter(stream, engine="xlsxwriter") as writer:
        pd.DataFrame(rows).to_excel(writer, index=False, header=header)
    return stream.getvalue()


NAMES = ["sample", "Cu", *(f"{one} nm" for one in CHANNELS)]
PLAIN = ["sample", "Cu", *map(str, CHANNELS)]


class TestFirstRow:
    @pytest.mark.parametrize("word", ["<LOD", "trace", ">3", "sat.", "0.5 mM", "n.d.", "BDL", "failed", "<0.01"])
    @pytest.mark.parametrize("row", [0, 1, N - 1])
    def test_a_word_in_any_row_is_asked_about_and_no_row_is_lost(self, word, row):
        values = [*CU[:row], word, *CU[row + 1 :]]
        found = understood(wide(values=values))
        assert found.table.signal.shape == (N, len(CHANNELS))
        assert np.array_equal(found.table.signal, SIGNAL)
        assert len(asked(found)) == 1
        assert repr(word) in found.open_questions[0].text

    def test_an_id_that_is_a_word_before_ids_that_are_numbers_stays(self):
        built = understood(wide(ids=["blank", *range(1, N)])).build()
        assert built.samples["id"].tolist() == ["blank", *map(str, range(1, N))]

    @pytest.mark.parametrize("header", [NAMES, PLAIN])
    def test_a_book_reads_like_text(self, header):
        found = understood(book(header, "<LOD"), name="file.xlsx")
        assert np.array_equal(found.table.signal, SIGNAL)
        assert found.table.positions.tolist() == CHANNELS.tolist()
        assert asked(found) == ["censored"]

    def test_a_saturated_first_spectrum_is_a_spectrum(self):
        text = wide().replace(",".join(map(str, SIGNAL[0, :10])), ",".join([">3"] * 10))
        found = understood(text, Recipe(censored="limit"))
        assert found.build().signal[0].tolist() == [3.0] * 10 + SIGNAL[0, 10:].tolist()

    @pytest.mark.parametrize("content", [wide(names=None, values=["<LOD", *CU[1:]]), book(False, "<LOD")])
    def test_without_names_the_first_row_stays_and_the_rest_is_asked(self, content):
        name = "file.csv" if isinstance(content, str) else "file.xlsx"
        decided = Recipe(
            orientation="rows", columns={"#2": "target"}, axis_first=350.0, axis_last=369.0, censored="missing",
            gaps="leave out spectra",
        )  # fmt: skip
        found = understood(content, name=name)
        assert {"orientation", "no axis"} <= set(asked(found))
        built = found.with_recipe(decided).build()
        assert np.array_equal(built.signal, SIGNAL[1:])
        assert built.targets["#2"].tolist() == pytest.approx([float(one) for one in CU[1:]])

    def test_positions_above_decimal_commas_and_whole_numbers_out_of_order_are_names(self):
        commas = wide(separator=";").replace(".", ",")
        assert np.array_equal(understood(commas).build().signal, SIGNAL)
        found = understood("s,Cu,5,3,1,7\na,0.1,0.2,0.3,0.1,0.2\nb,0.2,0.3,0.2,0.3,0.1\n")
        assert found.table.positions.tolist() == [5, 3, 1, 7]
        assert "axis order" in asked(found)

    @pytest.mark.parametrize("text", ["a,400,401\n1,2,3\n", "a,400\n1,2\n2,5\n", "id,Cu,400,401\nx,1,2,3\ny,2,4,5\n"])
    def test_few_whole_numbers_under_few_names_are_data(self, text):
        found = understood(text)
        n_rows = text.count("\n") - 1
        assert found.table.signal.shape[0] == n_rows
        assert found.table.positions[0] == 400

    def test_a_line_with_one_cell_too_many_above_the_others_is_refused(self):
        with pytest.raises(ReadError, match="Line 2 has 23 cells"):
            understood(wide(values=["0,01", *CU[1:]]))


SPELLINGS = [
    *("X{}", "X{}.5", "NIR.{}.nm", "spc.{}", "{} (nm)", "{} nm", "A({})", "Abs 350"[:4] + "{}", "wl_{}", "{}nm_abs"),
    *("x.{}", "X.{}", "X{}..nm.", "A{}", "log(1/R) {}", "[{}]", "{}.0", "nm{}", "T{}", "λ{}", "λ={} nm", "I_{}nm"),
    *("Absorbance at {} nm", "W{}", "{}_nm", "R_{}.25_nm", "Abs@{}nm", "X{}.nm", "wavelength_{}", "{} nm (Abs)"),
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_names_of_channels_are_read_whatever_stands_around_the_number(spelling):
    built = understood(wide(names=[spelling.format(one) for one in CHANNELS])).build()
    beyond = {"X{}.5": 0.5, "R_{}.25_nm": 0.25}.get(spelling, 0.0)
    assert built.axis.positions.tolist() == (CHANNELS + beyond).tolist()
    assert np.array_equal(built.signal, SIGNAL)
    assert built.target_names == ("Cu",)


@pytest.mark.parametrize("spelling", ["X{}.cm.1", "{} cm-1", "{} 1/cm", "cm-1 {}", "WN{} cm^-1"])
def test_a_unit_with_a_digit_in_it_is_a_unit(spelling):
    built = understood(wide(names=[spelling.format(4000 - one) for one in CHANNELS])).build()
    assert built.axis.positions.tolist() == (4000 - CHANNELS).tolist()
    assert (built.axis.quantity, built.axis.unit) == ("Wavenumber", "cm-1")


def test_decimal_commas_in_names_and_targets_in_nanomolar():
    built = understood(wide(names=[f"{one},5" for one in CHANNELS], separator=";", target="Cu2+ (nM)")).build()
    assert built.axis.positions[0] == 350.5
    assert built.target_info[0].unit == "nmol/L"


class TestPairs:
    @pytest.mark.parametrize(
        "names",
        [
            ["Wavelength (nm)", "A", "Wavelength (nm)", "B"], ["nm", "A", "nm", "B"], ["x", "y", "x", "y"],
            ["x1", "y1", "x2", "y2"], ["X", "Y", "X.1", "Y.1"], None, ["λ A", "Abs A", "λ B", "Abs B"],
            ["wavelength_1", "s1", "wavelength_2", "s2"],
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("separator", [",", ";", "\t"])
    def test_every_style_of_names_gives_two_spectra(self, names, separator):
        same = understood(pairs(names, CHANNELS, separator=separator)).build()
        assert np.array_equal(same.signal, SIGNAL[:2])
        assert len(set(same.samples["id"])) == 2
        other = understood(pairs(names, CHANNELS + 5, separator=separator))
        assert asked(other) == ["different grids"]
        built = other.with_recipe(Recipe(resample="linear")).build()
        assert built.axis.positions.tolist() == list(range(355, 370))
        assert built.signal[1].tolist() == SIGNAL[1, :15].tolist()

    def test_a_shorter_second_spectrum_ends_where_its_cells_do(self):
        built = understood(pairs(["nm", "A", "nm", "B"], CHANNELS, n_second=12), Recipe(resample="linear")).build()
        assert np.array_equal(built.signal, SIGNAL[:2, :12])

    @pytest.mark.parametrize("names", [["a", "b", "c", "d"], ["Sample A", "Sample A", "Sample B", "Sample B"]])
    def test_names_that_do_not_tell_are_asked_with_both_readings(self, names):
        found = understood(pairs(names, CHANNELS))
        (question,) = [one for one in found.open_questions if one.kind == "orientation"]
        assert question.readings
        shapes = [found.with_recipe(Recipe(**one.changes)).table.signal.shape for one in question.choices]
        assert shapes == [(2, 20), (3, 20)]

    def test_positions_after_their_values_are_found_as_well(self):
        rows = [[SIGNAL[0, at], CHANNELS[at], SIGNAL[1, at], CHANNELS[at]] for at in range(20)]
        built = understood(lines_of([["A", "nm", "B", "nm"], *rows])).build()
        assert np.array_equal(built.signal, SIGNAL[:2])
        assert built.samples["id"].tolist() == ["A", "B"]


class TestTargetRows:
    ROWS = (
        ["Cu", *CU],
        ["Ni", *(f"{one:.3f}" for one in SIGNAL[:, 3])],
        ["Zn (mM)", *(f"{one:.3f}" for one in SIGNAL[:, 7])],
        ["batch", *"AABBCCDDEEFF"],
        ["Co", *(f"{100 * one:.1f}" for one in SIGNAL[:, 9])],
    )

    @pytest.mark.parametrize("n_rows", [1, 2, 3, 4, 5])
    @pytest.mark.parametrize("names_last", [False, True])
    @pytest.mark.parametrize("corner", ["wavelength", "", "nm"])
    def test_every_row_above_the_channels_is_a_column_beside_the_spectra(self, n_rows, names_last, corner):
        built = understood(tall(self.ROWS[:n_rows], corner=corner, names_last=names_last)).build()
        assert np.array_equal(built.signal, SIGNAL)
        assert built.samples["id"].tolist() == IDS
        numbers = {
            row[0].split(" ")[0]: [float(one) for one in row[1:]] for row in self.ROWS[:n_rows] if row[0] != "batch"
        }
        assert built.targets.to_dict("list") == numbers
        if n_rows > 3:
            assert built.samples["group"].tolist() == list("AABBCCDDEEFF")

    def test_a_target_row_may_hold_values_below_detection(self):
        found = understood(tall([["Cu", "<0.05", *CU[1:]]]), Recipe(censored="half"))
        assert found.build().targets["Cu"][0] == 0.025


class TestList:
    @pytest.mark.parametrize(
        "columns",
        [
            ["sample", "wavelength", "value"],
            ["wavelength", "sample", "Cu", "value"],
            ["sample", "Cu", "wavelength", "value"],
        ],
    )
    @pytest.mark.parametrize("shuffled", [False, True])
    def test_one_value_a_row_is_read_in_any_order(self, columns, shuffled):
        rows = stacked(columns)
        if shuffled:
            rows[1:] = [rows[1 + at] for at in np.random.default_rng(1).permutation(len(rows) - 1)]
        built = understood(lines_of(rows)).build()
        order = np.argsort(built.samples["id"])
        assert np.array_equal(built.signal[order], SIGNAL[:5])
        assert built.axis.positions.tolist() == CHANNELS.tolist()
        if "Cu" in columns:
            assert built.targets["Cu"].to_numpy()[order].tolist() == pytest.approx([float(one) for one in CU[:5]])

    def test_a_missing_row_is_a_gap(self):
        rows = stacked(["sample", "wavelength", "value"])
        del rows[30]
        found = understood(lines_of(rows))
        assert asked(found) == ["gaps"]
        assert "s1" in found.open_questions[0].text

    def test_two_columns_that_vary_are_asked_about(self):
        text = lines_of(stacked(["sample", "wavelength", "value", "noise"]))
        (question,) = understood(text).open_questions
        assert question.kind == "signal column"
        built = understood(text, Recipe(signal_column="noise")).build()
        assert built.signal[0, 1] == SIGNAL[0, -1]


class TestOrientation:
    NUMBERS = np.random.default_rng(2).random((30, 20)).round(4)

    def table(self, first: str, values, names) -> str:
        return lines_of([[first, *names], *([value, *row] for value, row in zip(values, self.NUMBERS, strict=True))])

    @pytest.mark.parametrize(
        ("first", "values"),
        [
            ("octane", range(80, 110)), ("glucose", range(100, 250, 5)), ("metabolizable energy (MJ)", range(10, 40)),
            ("particle size (nm)", range(100, 130)), ("work shift", range(300, 330)),
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("spelling", ["{}", "{} nm", "X{}"])
    def test_a_sorted_column_before_named_channels_is_no_axis(self, first, values, spelling):
        found = understood(self.table(first, values, [spelling.format(one) for one in CHANNELS]))
        assert asked(found) == []
        assert np.array_equal(found.table.signal, self.NUMBERS)

    def test_two_axes_are_asked_about(self):
        found = understood(self.table("wavelength (nm)", range(400, 550, 5), range(250, 450, 10)))
        assert asked(found) == ["orientation"]
        by_rows = found.with_recipe(Recipe(orientation="rows"))
        assert np.array_equal(by_rows.table.signal, self.NUMBERS)
        assert np.array_equal(found.with_recipe(Recipe(orientation="columns")).table.signal, self.NUMBERS.T)

    def test_a_sorted_column_before_names_that_say_nothing_is_asked_about(self):
        found = understood(self.table("octane", range(80, 110), [f"ch_{letter}" for letter in "abcdefghijklmnopqrst"]))
        assert "orientation" in asked(found)

    def test_names_of_samples_with_numbers_are_no_positions(self):
        built = understood(tall().replace("s0", "sample 101").replace("s1,", "sample 102,")).build()
        assert np.array_equal(built.signal, SIGNAL)

    def test_where_no_table_holds_spectra_a_person_can_say_which_does(self):
        text = lines_of([["sample", "Cu", "Ni"], *([IDS[k], SIGNAL[k, 0], SIGNAL[k, 1]] for k in range(N))])
        with pytest.raises(UndecidedError, match="or say which table holds them") as refused:
            understood(text)
        (point,) = [one for one in refused.value.points if one.key.startswith("part ")]
        changes = next(one.changes for one in point.choices if one.label == "Spectra")
        assert understood(text, Recipe(**changes)).table.signal.shape == (N, 2)
