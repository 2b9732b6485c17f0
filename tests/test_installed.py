"""What `pip install` brings: one command, the core, and the app as a package of its own beside it."""

import shutil
import subprocess
import sys
import zipfile
from configparser import ConfigParser
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = ("app.py", "pages", "ui", "spectra_core", ".streamlit", "pyproject.toml", "setup.py", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built without network from a copy, so that nothing is left in the sources."""
    folder = tmp_path_factory.mktemp("build")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / name)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "-w", "dist", "."], cwd=folder, check=True, timeout=120)
    (built,) = (folder / "dist").glob("*.whl")
    with zipfile.ZipFile(built) as opened:
        yield opened


def of_the_sources(*folders):
    files = (path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file())
    return {path.relative_to(ROOT).as_posix() for path in files if "__pycache__" not in path.parts}


def test_nothing_stands_at_the_top_but_the_core_and_the_app(wheel):
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"spectra_core", "latent_spectra_app"}


def test_the_app_is_whole_and_lies_as_in_a_clone(wheel):
    app = {name.removeprefix("latent_spectra_app/") for name in wheel.namelist() if name.startswith("latent_spec")}
    app = {name for name in app if ".dist-info" not in name}
    assert app == {"app.py", ".streamlit/config.toml"} | of_the_sources("pages", "ui")


def test_the_core_is_whole_and_says_that_it_is_typed(wheel):
    core = {name for name in wheel.namelist() if name.startswith("spectra_core/")}
    assert core == {name for name in of_the_sources("spectra_core") if not name.endswith(".md")}
    assert "spectra_core/py.typed" in core


def test_the_command_is_there(wheel):
    (name,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    scripts = ConfigParser()
    scripts.read_string(wheel.read(name).decode())
    module, _, function = scripts["console_scripts"]["latent-spectra"].partition(":")
    assert callable(getattr(import_module(module), function))
