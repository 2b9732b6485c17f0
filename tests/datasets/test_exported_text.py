"""Text as instruments and their programs export it: right, or asked about. Written here after their layouts."""

import numpy as np
import pytest

from spectra_core.datasets.names import axis_named, only_axis
from tests.datasets.tables import CHANNELS, IDS, SIGNAL, lines_of
from tests.datasets.test_strangers import answered, asked, understood

SHIFTS = np.round(np.arange(200.0, 3000.0, 140.37), 2)
COUNTS = np.round(100 + 900 * np.exp(-(((SHIFTS - 1000) / 300) ** 2)), 2)
N_SHIFTS = len(SHIFTS)


def two_columns(x, y, separator="\t") -> str:
    return "".join(f"{a}{separator}{b}\n" for a, b in zip(x, y, strict=True))


def ocean(mode: str, begin: str = ">>>>>Begin Spectral Data<<<<<") -> str:
    head = f"Data from a.txt Node\n\nUser: me\nXAxis mode: {mode}\nNumber of Pixels in Spectrum: {N_SHIFTS}\n{begin}\n"
    return head + two_columns(SHIFTS, COUNTS)


@pytest.mark.parametrize(
    ("mode", "quantity", "unit"),
    [
        ("Wavelengths", "Wavelength", "nm"),
        ("Wavelength (nm)", "Wavelength", "nm"),
        ("Raman Shifts", "Raman shift", "cm-1"),
        ("Wavenumbers", "Wavenumber", "cm-1"),
    ],
)
@pytest.mark.parametrize("begin", [">>>>>Begin Spectral Data<<<<<", ">>>>> Begin Spectral Data <<<<<"])
def test_ocean_optics_says_what_its_axis_is(mode, quantity, unit, begin):
    built = understood(ocean(mode, begin), name="a.txt").build()
    assert (built.axis.quantity, built.axis.unit) == (quantity, unit)
    assert built.signal[0].tolist() == COUNTS.tolist()


def test_ocean_optics_in_pixels_is_asked_about():
    assert asked(understood(ocean("Pixels"), name="a.txt")) == ["axis unit"]


def test_a_series_in_time_of_ocean_optics_has_a_spectrum_a_row():
    head = "User: me\nXAxis mode: Wavelengths\nNumber of Pixels in Spectrum: 20\n>>>>>Begin Spectral Data<<<<<\n"
    rows = [["", "", *CHANNELS], *([f"2020-01-01 10:00:{k:02d}", 157 + k, *SIGNAL[k]] for k in range(12))]
    found = answered(understood(head + lines_of(rows, "\t"), name="a.txt"), "Do not use")
    assert np.array_equal(found.build().signal, SIGNAL)


def avantes(names: list[str], units: list[str], columns: list[np.ndarray]) -> str:
    rows = [[CHANNELS[at], *(column[at] for column in columns)] for at in range(len(CHANNELS))]
    text = lines_of([names, units, *rows], ";").replace(".", ",")
    return f"My sample\nIntegration time [ms]: 35,000\n{text}"


class TestAvantes:
    DARK, REF = np.full(20, 90.5), np.full(20, 2000.25)

    def test_without_a_processed_spectrum_it_is_the_sample(self):
        names, units = ["Wave", "Sample", "Dark", "Reference"], ["[nm]", *["[counts]"] * 3]
        found = understood(avantes(names, units, [SIGNAL[0], self.DARK, self.REF]), name="a.txt")
        assert found.build().signal[0].tolist() == SIGNAL[0].tolist()
        assert any("Dark, Reference stand aside; they were not taken off" in said for said in found.warnings)

    def test_several_processed_ones_are_asked_about(self):
        names = ["Wave", "Sample", "Dark", "Reference", "Absolute irradiance", "Photon counts"]
        units = ["[nm]", *["[counts]"] * 3, "[uW/cm2/nm]", "[counts]"]
        columns = [SIGNAL[5], self.DARK, self.REF, SIGNAL[0], SIGNAL[1]]
        found = understood(avantes(names, units, columns), name="a.txt")
        assert asked(found) == ["mixed quantities"]
        assert answered(found, "Use only Absolute").build().signal.tolist() == [SIGNAL[0].tolist()]
        assert answered(found, "Use only Intensity").build().signal.tolist() == [SIGNAL[1].tolist()]


def test_one_quantity_of_a_mixed_file_keeps_its_unit():
    lines = ["one,,two,,", "Wavelength (nm),%T,Wavelength (nm),Abs,"]
    lines += [f"{x},{100 * y},{x},{y}," for x, y in zip(CHANNELS, SIGNAL[0], strict=True)]
    found = understood("\n".join(lines))
    built = answered(found, "Use only Transmittance").build()
    assert (built.meta.quantity, built.meta.unit) == ("Transmittance", "%")


def test_bwtek_has_axes_and_columns_to_choose_from():
    wave = np.round(1e7 / (1e7 / 785 - SHIFTS), 3)
    head = ["Pixel", "Wavelength", "Wavenumber", "Raman Shift", "Dark", "Raw data #1", "Dark Subtracted #1", ""]
    rows = [
        [at, wave[at], round(1e7 / wave[at], 3), SHIFTS[at], 1093 + at % 2, COUNTS[at] + 1093, COUNTS[at], ""]
        for at in range(N_SHIFTS)
    ]
    text = "File Version;BWRam4.15\nDate;2025-02-19\nmodel;BTC\n" + lines_of([head, *rows], ";").replace(".", ",")
    found = understood(text, name="a.txt")
    assert asked(found) == ["axis column", "quantities"]
    found = answered(answered(found, "Raman Shift"), "")
    assert asked(found) == ["quantities"] or found.open_questions == []
    built = answered(found, "Use the others").build() if found.open_questions else found.build()
    assert built.axis.unit == "cm-1"
    assert built.axis.positions.tolist() == SHIFTS.tolist()
    assert built.signal.tolist() == [COUNTS.tolist()]


@pytest.mark.parametrize(
    "head", ["#Wave\t\t#Intensity\n", "#Wave\t#Intensity\n", "#Acq. time (s)=\t10\n#Laser=\t532.17\n"]
)
def test_raman_without_a_unit_is_asked_about(head):
    found = understood(head + two_columns(SHIFTS, COUNTS), name="a.txt")
    assert asked(found) == ["axis unit"]
    assert answered(found, "Raman shift").build().signal[0].tolist() == COUNTS.tolist()


@pytest.mark.parametrize("names", ["#X\t\t#Y\t\t#Wave\t\t#Intensity\n", "x\ty\twavelength\tintensity\n"])
def test_a_map_as_a_list_has_a_spectrum_at_each_place(names):
    rows = [[k // 4 * 2.5, k % 4 * 1.5, x, y] for k in range(12) for x, y in zip(CHANNELS, SIGNAL[k], strict=True)]
    found = understood(names + lines_of(rows, "\t"), name="a.txt")
    assert np.array_equal(found.build().signal, SIGNAL)
    assert found.ids[:5] == ("0 0", "0 1.5", "0 3", "0 4.5", "2.5 0")


def test_plate_and_well_name_a_spectrum_together():
    rows = [[k // 3, "ABC"[k % 3], x, y] for k in range(12) for x, y in zip(CHANNELS, SIGNAL[k], strict=True)]
    found = understood(lines_of([["plate", "well", "wavelength", "od"], *rows]))
    assert np.array_equal(found.build().signal, SIGNAL)
    assert len(set(found.ids)) == 12


def test_comments_with_two_marks_are_no_jcamp():
    head = "## Instrument Name = x\n## First X Point = 400\n## Wave number - Absorbance value\n"
    built = understood(head + two_columns(CHANNELS, SIGNAL[0], " "), name="a.asc").build()
    assert built.signal[0].tolist() == SIGNAL[0].tolist()


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("Длина волны (нм)", ("Wavelength", "nm")),
        ("波長 (nm)", ("Wavelength", "nm")),
        ("波长(nm)", ("Wavelength", "nm")),
        ("Волновое число, см-1", ("Wavenumber", "cm-1")),
        ("Longueur d'onde (nm)", ("Wavelength", "nm")),
        ("Wellenzahl", ("Wavenumber", "cm-1")),
        ("um", ("Wavelength", "µm")),
        ("Wavelength (Å)", ("Wavelength", "Å")),
        ("Frequency (THz)", ("Frequency", "THz")),
        ("Wavenumber (10^3 cm-1)", ("Wavenumber", "10^3 cm-1")),
    ],
)
def test_axes_are_known_in_other_tongues_and_units(name, named):
    assert axis_named(name) == named
    assert only_axis(name)
    rows = [[CHANNELS[at], *SIGNAL[:, at]] for at in range(len(CHANNELS))]
    found = understood(lines_of([[name.replace(",", ""), *IDS], *rows]))
    assert found.prepared.axis_unit == named[1]
    assert asked(found) == (["axis unit"] if "^" in named[1] else [])
    assert np.array_equal(found.table.signal, SIGNAL)


@pytest.mark.parametrize("mark", ["{}.1", "X{}.1"])
def test_a_position_that_pandas_or_r_made_unique_is_one_that_comes_again(mark):
    names = [mark[:-4].format() + str(at) for at in CHANNELS]
    names[8] = mark.format(CHANNELS[7])
    text = lines_of([["id", *names], *([one, *row] for one, row in zip(IDS, SIGNAL, strict=True))])
    assert asked(understood(text)) == ["repeated channels"]
    fine = [f"{350 + at / 10:.10g}" for at in range(20)]  # 350, 350.1, 350.2: decimals
    text = lines_of([["id", *fine], *([one, *row] for one, row in zip(IDS, SIGNAL, strict=True))])
    assert understood(text).build().axis.positions.tolist() == [350 + at / 10 for at in range(20)]
