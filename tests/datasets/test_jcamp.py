"""What a JCAMP-DX file says about its axis and its numbers: taken as said, asked about, or refused; never guessed."""

import numpy as np
import pytest

from spectra_core.datasets import Recipe, understand
from spectra_core.errors import ReadError

VALUES = [100, 200, 300, 400, 500, 600, 700]
EVEN = {"XFACTOR": "1", "YFACTOR": "0.001", "FIRSTX": "400", "LASTX": "406", "NPOINTS": "7"}
LINES = "400 100 200 300\n403 400 500 600\n406 700"


def block(units="1/CM", data=LINES, form="XYDATA=(X++(Y..Y))", **header):
    records = {"TITLE": "t", "JCAMP-DX": "4.24", "XUNITS": units, "YUNITS": "ABSORBANCE", **EVEN, **header}
    lines = [f"##{label}={value}" for label, value in records.items() if value is not None]
    return "\n".join([*lines, f"##{form}", data, "##END="])


def understood(text, recipe=None):
    return understand({"a.jdx": text.encode()}, recipe)


def refused(text):
    with pytest.raises(ReadError) as caught:
        understood(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("units", "axis"),
    [
        *((text, ("Wavenumber", "cm-1")) for text in ("1/CM", "cm^-1", "CM**-1", "Wavenumbers (cm-1)", "WAVENUMBER")),
        *((text, ("Wavenumber", "cm-1")) for text in ("RECIPROCAL CENTIMETERS", "Inverse cm", "cm\u207b\u00b9")),
        *((text, ("Raman shift", "cm-1")) for text in ("RAMAN SHIFT", "Raman Shift / cm-1", "rel. 1/cm", "Delta 1/cm")),
        *((text, ("Wavelength", "nm")) for text in ("NANOMETERS", "nm", "Wavelength (nm)", "Wellenlänge/nm")),
        *((text, ("Wavelength", "µm")) for text in ("MICROMETERS", "um", "µm", "Micron", "WAVELENGTH IN MICROMETRES")),
        *((text, ("Wavelength", "Å")) for text in ("ANGSTROMS", "Å", "Ångström")),
        ("HZ", ("Frequency", "Hz")),
        ("THz", ("Frequency", "THz")),
        ("Photon energy (eV)", ("Photon energy", "eV")),
        ("TIME (MIN)", ("Time", "min")),
    ],
)
def test_xunits_decide_quantity_and_unit_in_any_spelling(units, axis):
    result = understood(block(units))
    assert (result.prepared.axis_quantity, result.prepared.axis_unit) == axis
    assert not result.open_questions
    assert np.allclose(result.table.signal, np.array([VALUES]) / 1000)


@pytest.mark.parametrize(
    "units", ["furlongs", "WAVELENGTH", "ARBITRARY UNITS", "wavenumber (nm)", "1/M", "MEV", "", None]
)
def test_units_that_are_not_known_are_asked_about(units):
    result = understood(block(units, **{"DATA TYPE": "INFRARED SPECTRUM"}))
    assert [problem.kind for problem in result.open_questions] == ["axis unit"]
    answered = understood(block(units), Recipe(axis_quantity="Wavelength", axis_unit="nm")).build()
    assert answered.axis.unit == "nm"


def test_the_data_type_makes_wavenumbers_a_raman_shift():
    assert understood(block(**{"DATA TYPE": "RAMAN SPECTRUM"})).prepared.axis_quantity == "Raman shift"


@pytest.mark.parametrize(
    "text",
    [
        block(YFACTOR="0,001"),
        block(XFACTOR="1,0", FIRSTX="400,0", LASTX="406,0", DELTAX="1,0", MAXY="0,7", MINY="0,1", FIRSTY="0,1"),
        block(YFACTOR="1", data="400,0 0,1 0,2 0,3\n403,0 0,4 0,5 0,6\n406,0 0,7"),
        block(YFACTOR="1", data="400,0+0,1+0,2+0,3\n403,0+0,4+0,5+0,6\n406,0+0,7"),
        block(data="400,100,200,300\n403,400,500,600\n406,700"),  # commas between numbers
        block(data="400.0, 100 200 300\n403.0, 400 500 600\n406.0, 700"),
        block(YFACTOR="1", form="XYPOINTS=(XY..XY)", data="\n".join(f"{400 + at},0 0,{1 + at}" for at in range(7))),
        block(YFACTOR="1", form="XYPOINTS=(XY..XY)", data="\n".join(f"{400 + at}, 0.{1 + at}" for at in range(7))),
        block(YFACTOR="1", form="XYPOINTS=(XY..XY)", data="; ".join(f"{400 + at},0, 0,{1 + at}" for at in range(7))),
    ],
    ids=["yfactor", "header", "data", "signs", "separators", "after x", "pairs", "plain pairs", "pairs in a row"],
)
def test_decimal_commas_and_separating_commas_give_the_same_numbers(text):
    result = understood(text)
    assert np.allclose(result.table.signal, np.array([VALUES]) / 1000)
    assert result.prepared.positions.tolist() == [400, 401, 402, 403, 404, 405, 406]
    assert not result.open_questions


def test_numbers_that_are_none_are_refused():
    assert "XFACTOR of a.jdx" in refused(block(XFACTOR="1.000,5"))
    assert "no whole number" in refused(block(NPOINTS="7.5"))
    assert "is zero" in refused(block(YFACTOR="0"))
    text = block(form="XYPOINTS=(XY..XY)", NPOINTS=None, FIRSTX=None, LASTX=None, data="400,1 0,5\n401,2 0,6")
    assert "may be decimal marks" in refused(text)


@pytest.mark.parametrize(
    "text",
    [
        block(data="406 100 200 300\n403 400 500 600\n400 700"),
        block(FIRSTX="406", LASTX="400"),
        block(FIRSTX="404", LASTX="410"),
        # A line of four is lost in the middle, and NPOINTS follows what is left.
        block(NPOINTS="9", LASTX="411", data="400 1 2 3\n403 4 5 6\n409 7 8 9"),
        block(NPOINTS="10", LASTX="406", data="400 1 2 3\n403 4 5 6\n403 4 5 6\n406 7"),
    ],
    ids=["reversed data", "reversed header", "shifted", "lost line", "doubled line"],
)
def test_lines_that_start_elsewhere_than_the_header_says_are_refused(text):
    assert "a line is lost or doubled" in refused(text)


@pytest.mark.parametrize("count", ["6", "8"])
def test_another_number_of_points_is_refused(count):
    assert "declare" in refused(block(NPOINTS=count))


def test_a_falling_axis_and_lines_that_repeat_a_point_are_no_contradiction():
    falling = understood(block(FIRSTX="406", LASTX="400", data="406 100 200 300\n403 400 500 600\n400 700"))
    assert falling.prepared.positions[0] == 406
    repeated = understood(block(data="400A00J00J00\n402C00J00J00J00\n405F00J00"))
    assert np.allclose(repeated.table.signal, np.array([VALUES]) / 1000)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ({"FIRSTY": "0.2"}, "FIRSTY is 0.2 in the header and 0.1 in the data"),
        ({"MAXY": "7"}, "MAXY is 7 in the header"),
        ({"MINY": "-1.5"}, "MINY is -1.5"),
        ({"DELTAX": "2.50"}, "DELTAX is 2.50"),
        (
            {"form": "XYPOINTS=(XY..XY)", "data": "\n".join(f"{406 - at} {100 * at}" for at in range(7))},
            "begins at 406",
        ),
    ],
)
def test_a_header_that_the_data_deny_is_asked_about(header, words):
    text = block(**header)
    (question,) = understood(text).open_questions
    assert question.kind == "contradictions"
    assert words in question.text
    assert understood(text, Recipe(contradictions="accept")).build().n_channels == 7


def test_values_stated_before_the_factor_agree():
    assert not understood(block(FIRSTY="100", MAXY="700", MINY="100")).open_questions


def test_every_block_of_a_link_is_held_to_its_own_header():
    inner = block("NANOMETERS"), block("furlongs"), block("NANOMETERS", FIRSTX="406", LASTX="400")
    link = "##TITLE=l\n##JCAMP-DX=4.24\n##DATA TYPE=LINK\n##BLOCKS={}\n{}\n##END="
    assert "a line is lost" in refused(link.format(3, "\n".join(inner)))
    alone = understood(link.format(2, inner[1]))
    assert [problem.kind for problem in alone.open_questions] == ["axis unit"]


def test_other_forms_of_data_are_refused_by_name():
    assert "(XYW..XYW)" in refused(block(form="XYPOINTS=(XYW..XYW)"))
