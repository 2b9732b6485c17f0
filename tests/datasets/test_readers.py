"""Every reader against files written elsewhere, and against damaged ones."""

import io
import struct
import zipfile

import h5py
import numpy as np
import pytest
import scipy.io

from benchmarks.fuzz_readers import mutated
from spectra_core.contracts import random_stream
from spectra_core.datasets import Recipe, understand
from spectra_core.datasets.parts import Curve
from spectra_core.datasets.readers import READERS, parse, reader_of
from spectra_core.datasets.readers.base import Dialect
from spectra_core.errors import ReadError
from tests.datasets import files
from tests.datasets.files import FILES, SPECTRA, X, Y

OPTIONAL = {"opus": "brukeropus", "foreign": "nirs4all_formats", "rdata": "rdata"}


def test_every_reader_has_a_file_of_its_own_or_needs_a_package():
    assert set(FILES) | set(OPTIONAL) == set(READERS)


@pytest.mark.parametrize("name", FILES)
class TestEveryReader:
    def test_is_found_by_content_whatever_the_ending_says(self, name):
        _, content, _ = FILES[name]
        assert reader_of(content, "upload.bin") == name

    def test_reads_the_numbers_that_were_written(self, name):
        title, content, first = FILES[name]
        table = understand({title: content}, Recipe(signal_quantity="Absorbance")).table
        tolerance = 2.0**-30 if name == "spc" else 1e-12  # SPC keeps 32-bit integers
        assert np.allclose(table.signal[0], first, rtol=0, atol=tolerance)
        assert table.positions is not None

    def test_says_what_it_is_in_plain_words(self, name):
        assert READERS[name].title
        assert READERS[name].explanation.endswith(".")

    def test_a_damaged_file_is_refused_in_a_sentence_or_read(self, name):
        title, content, _ = FILES[name]
        sentences = []
        for number in range(12):
            damaged = mutated(content, random_stream(0, name, number))
            try:
                understand({title: damaged})
            except ReadError as error:
                sentences.append(str(error))
        assert all(sentence.endswith(".") for sentence in sentences)


def test_cuts_at_every_length_are_never_read_as_a_shorter_file():
    for name in ("spc", "npy", "perkin_elmer", "ocean_optics", "jasco", "jcamp"):
        title, content, _ = FILES[name]
        for size in range(40, len(content) - 60, max(1, len(content) // 40)):
            with pytest.raises(ReadError):
                parse(content[:size], title, Dialect())


def test_jcamp_difference_form_gives_the_same_values_and_checks_itself():
    (curve,) = parse(files.jcamp_packed(), "a.jdx", Dialect())
    assert isinstance(curve, Curve)
    assert np.allclose(curve.y, Y, atol=1e-12)
    lines = files.jcamp_packed().decode().split("\n")
    start = lines.index("##XYDATA= (X++(Y..Y))") + 1
    broken = "\n".join([*lines[: start + 1], *lines[start + 2 :]]).encode()
    with pytest.raises(ReadError, match="check value is"):
        parse(broken, "a.jdx", Dialect())


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("100 1 2 3", [1, 2, 3]),
        ("100+1-2+3", [1, -2, 3]),
        ("100 1.5E+02 2E-1 -3", [150, 0.2, -3]),
        ("100A1b2C3", [11, -22, 33]),  # squeezed
        ("100A1JjK", [11, 12, 11, 13]),  # differences
        ("100A1T", [11, 11]),  # one repeat
        ("100A1JU", [11, 12, 13, 14]),  # a repeated difference
        ("100 1 ? 3", [1, np.nan, 3]),
    ],
)
def test_jcamp_ordinate_forms_of_the_standard(text, values):
    from spectra_core.datasets.readers.jcamp_values import ordinates

    found, starts = ordinates([text], 10, "x")
    assert np.array_equal(found, np.array(values, dtype=float), equal_nan=True)
    assert [start.position for start in starts] == [100.0]


def test_spc_old_format_with_swapped_halves_and_its_own_float_form():
    (curve,) = parse(files.old_spc(), "old.spc", Dialect())
    assert np.allclose(curve.y, Y, atol=2.0**-30)
    content = files.spc_header(0, 1, exponent=-128) + bytes(32) + Y.astype("<f4").tobytes()
    (curve,) = parse(content, "float.spc", Dialect())
    assert np.array_equal(curve.y, Y.astype(np.float32))
    assert curve.x[[0, -1]].tolist() == [X[0], X[-1]]


def test_spc_with_own_positions_per_spectrum():
    content = files.spc_header(0x04 | 0x40 | 0x80, 2, 0)
    for shift in (0.0, 0.5):
        content += struct.pack("<Bb H fff ii f 4x", 0, -128, 0, 0, 0, 0, len(X), 0, 0)
        content += (X + shift).astype("<f4").tobytes() + Y.astype("<f4").tobytes()
    one, two = parse(content, "xy.spc", Dialect())
    assert np.array_equal(one.x, X)
    assert np.array_equal(two.x, X + 0.5)


def test_cary_pairs_on_two_grids_ask_about_units_and_grids():
    understanding = understand({"two.csv": files.cary()})
    kinds = [problem.kind for problem in understanding.open_questions]
    assert kinds == ["mixed quantities"]
    recipe = Recipe(convert_signal="Absorbance", resample="linear")
    built = understand({"two.csv": files.cary()}, recipe).build()
    inside = np.interp(built.axis.positions, X + 0.5, -np.log10(Y))
    assert len(built) == 2
    assert np.allclose(built.signal[1], inside, atol=2e-4)  # interpolation and logarithm do not commute exactly


def test_dataset_object_of_pls_toolbox_keeps_axis_and_names():
    cell = np.empty((2, 1), dtype=object)
    cell[0, 0], cell[1, 0] = np.array([]), X
    label = np.empty((2, 1), dtype=object)
    label[0, 0], label[1, 0] = np.array(["a", "b", "c"]), np.array([])
    stream = io.BytesIO()
    scipy.io.savemat(stream, {"nir": {"data": SPECTRA, "axisscale": cell, "label": label}})
    built = understand({"nir.mat": stream.getvalue()}).build()
    assert np.array_equal(built.axis.positions, X)
    assert built.samples["id"].tolist() == ["a", "b", "c"]


def test_what_a_dataset_object_excludes_is_asked_about():
    cells = [np.empty((2, 1), dtype=object) for _ in range(3)]
    for cell, one, two in zip(
        cells,
        (np.array([]), np.array(["a", "b", "c"]), np.array([1.0, 3.0])),
        (X, np.array([]), np.arange(3.0, len(X) + 1)),
        strict=True,
    ):
        cell[0, 0], cell[1, 0] = one, two
    stream = io.BytesIO()
    axis, label, include = cells
    scipy.io.savemat(stream, {"nir": {"data": SPECTRA, "axisscale": axis, "label": label, "include": include}})
    found = understand({"nir.mat": stream.getvalue()})
    assert [problem.kind for problem in found.open_questions] == ["hidden rows"]
    assert any("2 of 50 variables are excluded" in said.replace(str(len(X)), "50") for said in found.warnings)
    built = understand({"nir.mat": stream.getvalue()}, Recipe(hidden_rows="leave out")).build()
    assert built.samples["id"].tolist() == ["a", "c"]


def test_a_struct_of_matlab_is_named_with_what_to_do():
    stream = io.BytesIO()
    scipy.io.savemat(stream, {"data": {"X": SPECTRA, "wavelength": X}})
    with pytest.raises(ReadError, match="In 'data' there may be some: save -struct"):
        understand({"nir.mat": stream.getvalue()})


def test_hdf5_links_and_external_storage_are_refused(tmp_path):
    secret = tmp_path / "secret.bin"
    secret.write_bytes(b"\1" * 80)
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.create_dataset("X", (10,), "f8", external=[(str(secret), 0, 80)])
    with pytest.raises(ReadError, match="another file"):
        parse(stream.getvalue(), "a.h5", Dialect())
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file["X"] = h5py.ExternalLink("/etc/hostname", "/x")
    with pytest.raises(ReadError, match="is a link"):
        parse(stream.getvalue(), "a.h5", Dialect())


def test_npy_with_objects_is_refused():
    stream = io.BytesIO()
    np.save(stream, np.array([print, 1], dtype=object), allow_pickle=True)
    with pytest.raises(ReadError, match="could run code"):
        parse(stream.getvalue(), "a.npy", Dialect())


def test_a_sheet_with_two_cells_far_apart_is_refused_before_it_is_read():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(
            "xl/worksheets/sheet1.xml",
            '<worksheet><sheetData><row r="1"><c r="A1"><v>1</v></c></row>'
            '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>',
        )
    with pytest.raises(ReadError, match="1,048,576 x 16,384 cells"):
        parse(stream.getvalue(), "far.xlsx", Dialect())


def test_gzip_bomb_and_archive_in_archive_are_refused():
    import gzip

    with pytest.raises(ReadError, match="would unpack"):
        parse(gzip.compress(bytes(60_000_000)), "bomb.csv.gz", Dialect())
    with pytest.raises(ReadError, match="archive inside an archive"):
        parse(gzip.compress(files.zipped()), "a.gz", Dialect())


def test_an_axis_with_a_hole_is_named_not_crashed_over():
    content = files.shimadzu()
    at = content.index(np.float64(700.0).tobytes(), 1024)
    holed = content[: at + 8] + np.float64(np.nan).tobytes() + content[at + 16 :]
    with pytest.raises(ReadError, match="1 positions of the axis are no numbers, the first at channel 2"):
        understand({"one.spc": holed}).build()
