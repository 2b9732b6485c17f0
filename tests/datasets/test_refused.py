"""Files of other kinds are called by their name, whatever they are called, alone or in an archive."""

import bz2
import gzip
import io
import lzma
import pickle
import sqlite3
import zipfile

import numpy as np
import pytest
import scipy.io

from spectra_core.datasets.readers import parse
from spectra_core.datasets.readers.base import Dialect
from spectra_core.datasets.recipe import Recipe
from spectra_core.errors import ConfigError, ReadError
from spectra_core.experiment import Experiment
from tests.datasets import files

NOISE = bytes(range(256)) * 8


def zipped(members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def classic_netcdf():
    stream = io.BytesIO()
    file = scipy.io.netcdf_file(stream, "w")
    file.createDimension("x", 3)
    file.createVariable("x", "f4", ("x",))[:] = [1, 2, 3]
    file.flush()
    return stream.getvalue()


def database(tmp_path):
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute("create table t (x)")
    connection.close()
    return (tmp_path / "a.db").read_bytes()


KINDS = {
    "a PNG picture": b"\x89PNG\r\n\x1a\n" + NOISE,
    "a JPEG picture": b"\xff\xd8\xff\xe0" + NOISE,
    "a GIF picture": b"GIF89a" + NOISE,
    "a PDF document": b"%PDF-1.7\n" + NOISE,
    "a FITS file": b"SIMPLE  =                    T" + b" " * 3000,
    "netCDF file of the classic format": classic_netcdf(),
    "an HDF4 file": b"\x0e\x03\x13\x01" + NOISE,
    "a 7-Zip archive": b"7z\xbc\xaf\x27\x1c" + NOISE,
    "bzip2": bz2.compress(NOISE),
    "packed with xz": lzma.compress(NOISE),
    "a Thermo OMNIC SPA file": b"Spectral Data File" + NOISE,
    "a Renishaw WDF file": b"WDF1" + NOISE,
    "a PerkinElmer .sp file": b"PEPE" + NOISE,
    "an ASD file": b"as7" + NOISE,
    "a JASCO .jws file": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "Y-Data".encode("utf-16-le") + NOISE,
    "a Bruker OPUS file": b"\x0a\x0a\xfe\xfe" + NOISE,
    "an R data file": b"RDX3\nX\n" + NOISE,
    "a Python pickle": pickle.dumps(np.arange(3), 5),
    "Python pickle or": pickle.dumps({"a": 1}, 0),
    "a document or presentation": zipped({"[Content_Types].xml": "<x/>", "word/document.xml": "<x/>"}),
    "a JSON text": b'{"wavelength": [1, 2, 3]}',
    "an XML document": b'<?xml version="1.0"?><mzML/>',
}


@pytest.mark.parametrize("name", ["file.csv", "file.bin"])
@pytest.mark.parametrize("what", KINDS)
def test_other_kinds_are_called_by_their_name(what, name):
    with pytest.raises(ReadError, match=what):
        parse(KINDS[what], name, Dialect())


@pytest.mark.parametrize("what", ["a PNG picture", "a Python pickle", "a Thermo OMNIC SPA file"])
def test_they_are_named_inside_an_archive_too(what):
    with pytest.raises(ReadError, match=f"In the archive, 'a.csv': This is {what}"):
        parse(zipped({"a.csv": KINDS[what]}), "a.zip", Dialect())
    with pytest.raises(ReadError, match=what):
        parse(gzip.compress(KINDS[what]), "a.csv.gz", Dialect())


def test_a_database_is_named(tmp_path):
    with pytest.raises(ReadError, match="an SQLite database"):
        parse(database(tmp_path), "a.csv", Dialect())


@pytest.mark.parametrize("text", ["concentration\n1\n2\n", "c\nd\n", "BM,1,2\nx,3,4\n", "MZ,400,401\n1,2,3\n2,3,4\n"])
def test_honest_text_is_not_taken_for_another_kind(text):
    from spectra_core.datasets.readers import reader_of

    assert reader_of(text.encode(), "a.csv") == "text"


WORDS_OF_LIBRARIES = ("Buffer", "Expecting", "calamine", "h5py", "Arrow", "codec", "Errno", "Traceback", "object at 0x")


@pytest.mark.parametrize("reader", files.FILES)
def test_damaged_files_are_refused_in_our_own_words(reader):
    name, content, _ = files.FILES[reader]
    said = []
    for damaged in (content[: len(content) // 2], content[:40], content[:-30] + bytes(30)):
        try:
            parse(damaged, name, Dialect())
        except ReadError as error:
            said.append(str(error))
    assert not any(word in sentence for sentence in said for word in WORDS_OF_LIBRARIES)


@pytest.mark.parametrize("read", [Recipe.from_json, Experiment.from_json])
def test_a_text_that_is_no_json_is_refused_in_our_own_words(read):
    with pytest.raises(ConfigError, match="is not valid JSON: something is wrong in line 2, at letter 2") as caught:
        read("{\n x: 1}")
    assert "Expecting" not in str(caught.value)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_member_is_refused_however_it_is_packed(method):
    stream = io.BytesIO()
    rows = "".join(f"{200 + at},{at * at % 97}\n" for at in range(400))
    with zipfile.ZipFile(stream, "w", method) as archive:
        archive.writestr("spectrum.csv", f"wavelength,absorbance\n{rows}")
    info, whole = archive.infolist()[0], stream.getvalue()
    begin = info.header_offset + 30 + len(info.filename)
    for at in np.linspace(begin + 20, begin + info.compress_size - 20, 25).astype(int):
        damaged = bytearray(whole)
        damaged[at] ^= 0x55
        with pytest.raises(ReadError, match=r"'spectrum\.csv' in the archive cannot be unpacked"):
            parse(bytes(damaged), "spectra.zip", Dialect())
