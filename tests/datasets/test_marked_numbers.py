"""Numbers in every cell that carry a sign, brackets or marks: read where that means one thing, else asked about."""

import numpy as np
import pytest

from spectra_core.datasets import Recipe
from tests.datasets.tables import CHANNELS, CU, IDS, SIGNAL, N, lines_of
from tests.datasets.test_strangers import HEAD, ROWS, answered, asked, require_whole, understood


def shown(write, *, separator=",", target=str, head=HEAD):
    rows = [[one, target(float(value)), *map(write, row)] for one, value, row in zip(IDS, CU, SIGNAL, strict=True)]
    return lines_of([head, *rows], separator)


class TestPercents:
    @pytest.mark.parametrize("mark", ["%", " %"])
    @pytest.mark.parametrize(("separator", "decimal"), [(",", "."), (";", ","), ("\t", ".")])
    def test_spectra_of_percents_are_the_fractions_that_a_workbook_holds(self, mark, separator, decimal):
        def write(value):
            return f"{100 * value:.2f}{mark}".replace(".", decimal)

        found = understood(shown(write, separator=separator, target=lambda one: str(one).replace(".", decimal)))
        assert asked(found) == []
        require_whole(found.build())
        assert any("per cent sign" in said for said in found.warnings)

    def test_under_a_name_that_says_percent_they_are_as_they_stand(self):
        rows = [[place, f"{value:.2f} %"] for place, value in zip(CHANNELS, 100 * SIGNAL[0], strict=True)]
        built = understood(lines_of([["nm", "%T"], *rows])).build()
        assert (built.meta.quantity, built.meta.unit) == ("Transmittance", "%")
        assert np.allclose(built.signal[0], 100 * SIGNAL[0], atol=1e-9)

    def test_those_of_a_target_stay_percents(self):
        built = understood(shown(str, target=lambda value: f"{value}%")).build()
        assert built.targets["Cu"].tolist() == [float(value) for value in CU]
        assert built.target_info[0].unit == "%"


class TestBrackets:
    def content(self, where):
        return shown(lambda value: f"({value})" if where(value) else str(value))

    @pytest.mark.parametrize("most", [0.03, 0.5, 0.9])
    @pytest.mark.parametrize(("label", "sign"), [("They are negative", -1), ("They are positive", 1)])
    def test_the_person_says_whether_brackets_make_a_number_negative(self, most, label, sign):
        found = understood(self.content(lambda value: value < most))
        assert asked(found) == ["brackets"]
        assert found.open_questions[0].readings
        require_whole(answered(found, label).build(), signal=np.where(most > SIGNAL, sign * SIGNAL, SIGNAL))

    def test_a_recipe_says_it_for_targets_too(self):
        content = shown(str, target=lambda value: f"({value})" if value < 0.5 else value)
        assert asked(understood(content)) == ["brackets"]
        built = understood(content, recipe=Recipe(groups="none", brackets="negative")).build()
        assert built.targets["Cu"].tolist() == [-float(v) if float(v) < 0.5 else float(v) for v in CU]

    def test_ids_in_brackets_are_names(self):
        rows = [[f"({k + 1})", *row[1:]] for k, row in enumerate(ROWS)]
        found = understood(lines_of([HEAD, *rows]))
        assert asked(found) == []
        assert list(found.ids) == [f"({k + 1})" for k in range(N)]


class TestMarks:
    def write_as_in_india(self, value):
        digits = str(round(value * 1e7))
        if len(digits) <= 3:
            return digits
        front = digits[:-3]
        pairs = [front[max(0, end - 2) : end] for end in range(len(front), 0, -2)][::-1]
        return ",".join([*pairs, digits[-3:]])

    @pytest.mark.parametrize("separator", [",", ";", "\t"])
    def test_lakhs_and_crores_are_read(self, separator):
        quote = '"{}"' if separator == "," else "{}"
        content = shown(lambda value: quote.format(self.write_as_in_india(value)), separator=separator)
        found = understood(content)
        assert asked(found) == []
        require_whole(found.build(), signal=np.round(SIGNAL * 1e7))

    @pytest.mark.parametrize("blank", [" ", "\xa0", "\u202f", "\u2009"])
    def test_blanks_that_mark_thousands_are_read_but_not_in_names(self, blank):
        def write(value):
            return f"{round(value * 1e5):,}".replace(",", blank)

        rows = [[f"12 {k:03d}", *map(write, row)] for k, row in enumerate(SIGNAL)]
        found = understood(lines_of([["sample", *CHANNELS], *rows], ";"))
        assert asked(found) == []
        assert np.array_equal(found.build().signal, np.round(SIGNAL * 1e5))
        assert list(found.ids) == [f"12 {k:03d}" for k in range(N)]


def test_a_table_of_two_columns_with_decimal_commas_is_parted_at_its_semicolons():
    spectra = lines_of([["sample", *CHANNELS], *([one, *row] for one, row in zip(IDS, SIGNAL, strict=True))])
    targets = lines_of(
        [["Probe", "Cu"], *([one, value.replace(".", ",")] for one, value in zip(IDS, CU, strict=True))], ";"
    )
    require_whole(understood(spectra, targets).build())


@pytest.mark.parametrize("names", [[4, 3, 2, 1], [1, 2, 3, 4]])
def test_spectra_named_by_numbers_that_count_stand_above_cells_marked_as_text(names):
    rows = [[f"'{place}", *(f"'{value}" for value in column)] for place, column in zip(CHANNELS, SIGNAL.T, strict=True)]
    found = understood(lines_of([["Wavelength (nm)", *names], *(row[:5] for row in rows)]))
    assert asked(found) == []
    assert np.array_equal(found.build().signal, SIGNAL[:4])
    assert list(found.ids) == list(map(str, names))
