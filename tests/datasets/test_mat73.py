"""DataSet objects in MATLAB 7.3 files: axis, labels and exclusions stand behind references, and are read."""

import io

import h5py
import numpy as np
import pytest

from tests.datasets.tables import CHANNELS, IDS, SIGNAL, N
from tests.datasets.test_strangers import answered, asked, understood

_HEAD = b"MATLAB 7.3 MAT-file, Platform: PCWIN64, Created on: Mon Jan 15 11:00:00 2024 HDF5 schema 1.00 ."


class Writer:
    """Writes variables as MATLAB does: columns first, texts as numbers of letters, cells as references."""

    def __init__(self, file):
        self.file, self.hidden, self.n_cells = file, file.create_group("#refs#"), 0

    def numbers(self, group, key, values):
        item = group.create_dataset(key, data=np.atleast_2d(np.asarray(values, float)).T)
        item.attrs["MATLAB_class"] = np.bytes_("double")
        return item

    def texts(self, group, key, words):
        width = max(map(len, words))
        item = group.create_dataset(key, data=np.array([list(map(ord, word.ljust(width))) for word in words], "u2").T)
        item.attrs["MATLAB_class"] = np.bytes_("char")
        return item

    def nothing(self, group, key, _):
        item = group.create_dataset(key, data=np.zeros(2, "u8"))
        item.attrs["MATLAB_class"], item.attrs["MATLAB_empty"] = np.bytes_("double"), np.uint8(1)
        return item

    def cells(self, group, key, modes):
        """Write a cell array with one row per mode, of which the second column is empty."""
        table = np.empty((2, len(modes)), dtype=h5py.ref_dtype)
        for at, (make, value) in enumerate(modes):
            for column, (made, of) in enumerate([(make, value), (self.nothing, None)]):
                self.n_cells += 1
                table[column, at] = made(self.hidden, f"c{self.n_cells}", of).ref
        item = group.create_dataset(key, data=table, dtype=h5py.ref_dtype)
        item.attrs["MATLAB_class"] = np.bytes_("cell")


def dataset_object(*, excluded=(), labels=IDS, axis=CHANNELS):
    stream = io.BytesIO()
    with h5py.File(stream, "w", userblock_size=512) as file:
        writer = Writer(file)
        group = file.create_group("nir")
        group.attrs["MATLAB_class"] = np.bytes_("dataset")
        writer.numbers(group, "data", SIGNAL)
        none = (writer.nothing, None)
        included = [at + 1 for at in range(N) if at not in excluded]
        writer.cells(group, "axisscale", [none, none if axis is None else (writer.numbers, axis)])
        writer.cells(group, "label", [none if labels is None else (writer.texts, labels), none])
        writer.cells(group, "include", [(writer.numbers, included), (writer.numbers, range(1, len(CHANNELS) + 1))])
    return _HEAD.ljust(124) + b"\0\2IM" + bytes(384) + stream.getvalue()[512:]


def test_axis_and_labels_behind_references_are_read():
    found = understood(dataset_object(), name="a.mat")
    assert asked(found) == []
    built = found.build()
    assert np.array_equal(built.signal, SIGNAL)
    assert built.axis.positions.tolist() == CHANNELS.tolist()
    assert built.samples["id"].tolist() == IDS


def test_samples_that_are_excluded_are_asked_about():
    found = understood(dataset_object(excluded=(3, 4)), name="a.mat")
    assert asked(found) == ["hidden rows"]
    assert np.array_equal(answered(found, "Leave them out").build().signal, np.delete(SIGNAL, [3, 4], axis=0))


@pytest.mark.parametrize(("given", "question"), [({"labels": None}, []), ({"axis": None}, ["no axis"])])
def test_what_the_object_lacks_is_asked_or_numbered(given, question):
    found = understood(dataset_object(**given), name="a.mat")
    assert asked(found) == question
    assert np.array_equal(found.table.signal, SIGNAL)
