"""Scripts of benchmarks/ follow the package: each can still be loaded, so that a name that moved is noticed."""

import importlib
from pathlib import Path

import pytest

SCRIPTS = sorted(path.stem for path in (Path(__file__).parents[1] / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_can_be_loaded(script):
    importlib.import_module(f"benchmarks.{script}")
