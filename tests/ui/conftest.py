"""A data folder of its own for every test of the app."""

from pathlib import Path

import pytest

from spectra_core.store import Store


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The store that the app under test uses, empty."""
    monkeypatch.setenv("SPECTRA_HOME", str(tmp_path))
    return Store(tmp_path)


@pytest.fixture(autouse=True)
def opened_quickly(components_found_once: None) -> None:
    """See the fixture asked for."""
