"""A store with nothing in it, and a small set to keep."""

import os

import numpy as np
import pytest

from spectra_core.store import Store


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "home")


@pytest.fixture
def small(mixtures):
    return mixtures.take(np.arange(6))


def raises(code):
    """Return what fails as a disk does, with an error of the system."""

    def fail(*args, **kwargs):
        raise OSError(code, os.strerror(code), "/a/private/path")

    return fail
