"""The app as a visitor meets it, with a data folder of its own for every test."""

from pathlib import Path

import pytest

from spectra_core.store import Store


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The store that the app under test uses, empty."""
    monkeypatch.setenv("SPECTRA_HOME", str(tmp_path))
    return Store(tmp_path)


@pytest.fixture(autouse=True)
def pace(monkeypatch: pytest.MonkeyPatch, components_found_once: None) -> None:
    """A computer of known speed: what pages offer depends on it. It is measured in tests/experiment and browsers."""
    monkeypatch.setattr("spectra_core.experiment.pace._measured", lambda member, cost, spectra: 0.02)
