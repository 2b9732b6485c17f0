"""One import for a notebook: main names, loaded when they are used, and known to type checkers."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import spectra_core

STUB = ast.parse(Path(spectra_core.__file__).with_suffix(".pyi").read_text("utf-8"))
IN_STUB = {alias.name: node.module for node in STUB.body if isinstance(node, ast.ImportFrom) for alias in node.names}


def test_importing_it_loads_nothing_else():
    code = "import sys; before = set(sys.modules); import spectra_core; print(*(set(sys.modules) - before))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    # Of the package nothing but itself, and no library at all.
    assert "spectra_core" in loaded
    assert {name.partition(".")[0] for name in loaded} <= sys.stdlib_module_names | {"spectra_core"}
    assert not [name for name in loaded if name.startswith("spectra_core.")]


def test_type_checkers_are_told_the_same_names():
    assert {*IN_STUB, "__version__"} == set(spectra_core.__all__)


@pytest.mark.parametrize("name", sorted(IN_STUB))
def test_a_name_is_that_of_its_room(name):
    assert getattr(spectra_core, name) is getattr(import_module(IN_STUB[name]), name)
    assert name in dir(spectra_core)


def test_another_name_is_refused_as_python_does():
    with pytest.raises(AttributeError, match="module 'spectra_core' has no attribute 'nonsense'"):
        spectra_core.nonsense  # noqa: B018
    with pytest.raises(ImportError):
        exec("from spectra_core import nonsense")


def test_the_lines_of_the_readme_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPECTRA_HOME", str(tmp_path))
    readme = (Path(spectra_core.__file__).parents[1] / "README.md").read_text("utf-8")
    code = readme.partition("```python\n")[2].partition("```")[0]
    assert code.count("import ") == 1
    assert len(code.strip().splitlines()) <= 10
    exec(code, {})
    printed = capsys.readouterr().out
    assert "200 generated spectra" in printed
    assert "verdict" in printed
