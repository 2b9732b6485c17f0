"""Tables of all pairs by blocks: scipy's distances, and the same bits whatever the number of threads."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import cdist

from spectra_core.evaluation import row_blocks
from spectra_core.evaluation.row_blocks import by_blocks
from spectra_core.evaluation.similarity import point_clouds
from spectra_core.evaluation.similarity.distances import nearest
from spectra_core.evaluation.similarity.point_clouds import CloudPair, PointCloud


@pytest.fixture(params=[1, 3], ids=["one processor", "three processors"])
def processors(request, monkeypatch):
    monkeypatch.setattr(row_blocks, "n_processors", lambda: request.param)


def clouds(n=150):
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(n, 7)), rng.normal(size=(n, 7))
    one[n - 1], other[3] = one[0], one[5]  # copies in the first and the last block, and in the other cloud
    return PointCloud(one), PointCloud(other)


@pytest.mark.parametrize(("n_rows", "size"), [(0, 4), (3, 4), (8, 4), (9, 4)])
def test_every_row_is_in_one_block(processors, n_rows, size):
    seen = np.zeros(n_rows, dtype=int)

    def work(block):
        assert block.stop - block.start <= size
        seen[block] += 1

    by_blocks(n_rows, size, work)
    assert_array_equal(seen, 1)


def test_what_a_block_raises_is_raised(processors):
    def work(block):
        if block.start == 8:
            raise ValueError("the third")

    with pytest.raises(ValueError, match="the third"):
        by_blocks(20, 4, work)


@pytest.mark.parametrize("block", [32, 128, 1000])
def test_distances_are_those_of_scipy(processors, block, monkeypatch):
    monkeypatch.setattr(point_clouds, "BLOCK_ROWS", block)
    one, other = clouds()
    assert_allclose(one.within, cdist(one.points, one.points), rtol=1e-9, atol=1e-12)
    assert_array_equal(one.within, one.within.T)
    assert_array_equal(np.diag(one.within), 0.0)
    assert one.within[0, 149] == one.within[149, 0] == 0.0
    between = CloudPair(one, other, None).between
    assert_allclose(between, cdist(other.points, one.points), rtol=1e-9, atol=1e-12)
    assert between[3, 5] == 0.0
    nearest_others = np.sort(cdist(one.points, one.points) + np.diag([np.inf] * 150), axis=1)
    for k in (1, 5, 16):
        assert_allclose(one.to_neighbour(k), nearest_others[:, k - 1], rtol=1e-9, atol=1e-12)


def test_the_number_of_processors_changes_no_bit(monkeypatch):
    monkeypatch.setattr("spectra_core.evaluation.similarity.distances.CHUNK_VALUES", 1000)
    found = []
    for number in (1, 2, 5):
        monkeypatch.setattr(row_blocks, "n_processors", lambda number=number: number)
        one, other = clouds(300)
        found.append((one.within, CloudPair(one, other, None).between, *nearest(other.points, one.points, 3)))
    for again in found[1:]:
        for ours, theirs in zip(again, found[0], strict=True):
            assert_array_equal(ours, theirs)
