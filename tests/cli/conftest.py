"""A data folder of its own, and a table to begin with."""

import pytest

from spectra_core.cli.shared import wide_table


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SPECTRA_HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.fixture
def table(home, mixtures):
    path = home / "mixtures.csv"
    wide_table(mixtures).to_csv(path, index=False)
    return path
