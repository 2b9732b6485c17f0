"""What stands beside an axis, and what the axis measures: read by its name, or asked about; never taken for light."""

import numpy as np
import pytest

from tests.datasets.tables import CHANNELS, CU, IDS, SIGNAL, lines_of, tall
from tests.datasets.test_strangers import answered, asked, understood

DERIVATIVE = np.round(np.gradient(SIGNAL[0], CHANNELS), 6)
THREE = [[f"{place:.2f}", value, low] for place, value, low in zip(CHANNELS, SIGNAL[0], DERIVATIVE, strict=True)]


class TestColumnsWithoutNames:
    @pytest.mark.parametrize("separator", [" ", ",", "\t", "   "])
    def test_a_third_column_may_be_a_derivative_or_a_spectrum_and_is_asked_about(self, separator):
        found = understood(lines_of(THREE, separator), name="uv.txt")
        assert asked(found) == ["nameless columns"]
        assert found.open_questions[0].readings
        alone = answered(found, "Use column 2").build()
        assert np.array_equal(alone.signal, SIGNAL[:1])
        assert np.array_equal(answered(found, "All are").build().signal, [SIGNAL[0], DERIVATIVE])

    @pytest.mark.parametrize("peaks", ["", "# Peaks\n# X Y\n# 350.00 0.5\n# 360.00 0.2\n"])
    @pytest.mark.parametrize("mark", ["", "#   "])
    def test_names_in_a_comment_say_which_is_the_derivative(self, peaks, mark):
        head = f"{peaks}# X-axis:  Excitation Energy (nm)\n{mark}X Y DY/DX\n" if mark else "X Y DY/DX\n"
        found = understood(head + lines_of(THREE, " "), name="uv.txt")
        assert asked(found) == ["quantities"]
        assert np.array_equal(answered(found, "Use the others").build().signal, SIGNAL[:1])

    def test_two_columns_are_an_axis_and_a_spectrum(self):
        found = understood(lines_of([row[:2] for row in THREE], "\t"), name="uv.txt")
        assert asked(found) == []
        assert np.array_equal(found.build().signal, SIGNAL[:1])


@pytest.mark.parametrize(
    ("name", "axis"),
    [
        ("2theta", ("Scattering angle", "")),
        ("2Theta (deg)", ("Scattering angle", "°")),
        ("2θ (°)", ("Scattering angle", "°")),
        ("Chemical shift (ppm)", ("Chemical shift", "ppm")),
        ("δ (ppm)", ("Chemical shift", "ppm")),
        ("m/z", ("Mass-to-charge ratio", "m/z")),
        ("Frequency (GHz)", ("Frequency", "GHz")),
    ],
)
def test_axes_that_are_no_light_are_read_by_their_names(name, axis):
    found = understood(tall(corner=name))
    assert asked(found) == []
    built = found.build()
    assert (built.axis.quantity, built.axis.unit) == axis
    assert np.array_equal(built.signal, SIGNAL)


@pytest.mark.parametrize(
    ("name", "axis"),
    [
        ("Time (min)", ("Time", "min")),
        ("Retention time [s]", ("Time", "s")),
        ("ppm", ("Chemical shift", "ppm")),
        ("Temperature (°C)", ("Temperature", "°C")),
        ("Potential (V)", ("Potential", "V")),
        ("Energy (meV)", ("Photon energy", "meV")),
        ("Frequency (Hz)", ("Frequency", "Hz")),
    ],
)
def test_columns_that_may_be_those_of_samples_are_asked_about_and_keep_their_unit(name, axis):
    rows = [[place, *column] for place, column in zip(np.arange(10, 31), np.tile(SIGNAL, 2).T[:21], strict=True)]
    found = understood(lines_of([[name, *IDS], *rows]))
    assert asked(found) == ["orientation"]
    built = answered(found, "One spectrum a column").build()
    assert (built.axis.quantity, built.axis.unit) == axis
    assert built.axis.positions.tolist() == list(range(10, 31))


@pytest.mark.parametrize("name", ["Wavelength (m)", "Wavelength (mm)", "Wavelength [pm]", "Wavenumber (m-1)",
                                  "Wavenumber (1/m)", "wavenumber [µm^-1]", "Wavenumbers (nm⁻¹)"])  # fmt: skip
def test_units_that_are_not_the_usual_ones_are_asked_about(name):
    found = understood(tall(corner=name))
    assert asked(found) == ["axis unit"]
    unit = name.split("(")[-1].split("[")[-1].rstrip(")]")
    assert answered(found, "Keep").build().axis.unit == unit


@pytest.mark.parametrize("name", ["q (1/Å)", "q (1/nm)", "s (nm-1)"])
def test_one_over_a_length_is_no_position_and_no_wavelength(name):
    rows = [[place, value] for place, value in zip(CHANNELS / 1000, SIGNAL[0], strict=True)]
    found = understood(lines_of([[name, "Intensity"], *rows, [1.0, 0.5]]))
    assert "orientation" in asked(found)
    chosen = answered(found, "One spectrum a column")
    assert asked(chosen) == ["axis unit"]
    assert len(answered(chosen, "Keep").build().axis) == len(CHANNELS) + 1


def test_a_word_above_few_positions_speaks_for_columns():
    found = understood(tall([["Cu (mg/L)", *CU]], corner="sample"))
    assert asked(found) == ["orientation"]
    built = answered(found, "One spectrum a column").build()
    assert np.array_equal(built.signal, SIGNAL)
    assert built.targets["Cu"].tolist() == [float(value) for value in CU]


def test_names_of_merged_cells_above_the_row_of_positions_are_those_of_their_columns():
    heads = [["sample", "Cu (mg/L)", "Absorbance at nm", *[""] * (len(CHANNELS) - 1)], ["", "", *CHANNELS]]
    rows = [[one, value, *row] for one, value, row in zip(IDS, CU, SIGNAL, strict=True)]
    found = understood(lines_of([*heads, *rows]))
    assert asked(found) == []
    built = found.build()
    assert built.targets["Cu"].tolist() == [float(value) for value in CU]
    assert built.target_info[0].unit == "mg/L"
    assert np.array_equal(built.signal, SIGNAL)


def test_a_second_set_of_channels_at_the_same_positions_is_asked_about_whatever_it_is_called():
    names = [f"spectrum_{at}" for at in CHANNELS] + [f"wr_raw_{at}" for at in CHANNELS]
    rows = [[one, *row, *np.round(3 * row, 4)] for one, row in zip(IDS, SIGNAL, strict=True)]
    found = understood(lines_of([["sample", *names], *rows]))
    assert asked(found) == ["channels apart"]
    built = answered(found, "Only spectrum_").build()
    assert np.array_equal(built.signal, SIGNAL)
    assert built.n_targets == 0


class TestInstruments:
    def test_each_channel_of_a_jasco_export_is_a_quantity_of_its_own(self):
        head = "TITLE,s1\nXUNITS,NANOMETERS\nYUNITS,CD [mdeg]\nY2UNITS,HT [V]\nY3UNITS,ABSORBANCE\n"
        rows = [[place, value, 300 + value, value / 2] for place, value in zip(CHANNELS, SIGNAL[0], strict=True)]
        found = understood(f"{head}NPOINTS,{len(CHANNELS)}\nXYDATA\n{lines_of(rows)}")
        assert asked(found) == ["mixed quantities"]
        built = answered(found, "Use only CD").build()
        assert (built.meta.quantity, built.meta.unit) == ("CD", "mdeg")
        assert np.array_equal(built.signal, SIGNAL[:1])
        assert np.array_equal(answered(found, "Use only Absorbance").build().signal, SIGNAL[:1] / 2)

    def test_a_second_table_under_that_of_a_cary_is_no_log(self):
        table = "Wavelength (nm),Abs\n" + lines_of(zip(CHANNELS, SIGNAL[0], strict=True))
        with pytest.raises(Exception, match=rf"Line {len(CHANNELS) + 5} of f.csv begins a second table"):
            understood(f"Sample: A\n{table}\nSample: B\n{table}")
        (curve,) = understood(f"Sample: A,\n{table}\nA\nScan rate,600\nPeaks\n355.0,0.5\n360.0,0.2\n").parts
        assert len(curve.x) == len(CHANNELS)
