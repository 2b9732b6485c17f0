"""What a person installs and what the library asks for are kept in step."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import spectra_core

ROOT = Path(__file__).parents[1]
LIBRARY = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def listed(name: str) -> dict[str, Requirement]:
    lines = (ROOT / name).read_text().splitlines()
    wanted = [Requirement(line.partition("#")[0].strip()) for line in lines if re.match(r"[A-Za-z]", line)]
    return {one.name.lower(): one for one in wanted}


APPLICATION = listed("requirements.txt")
NEEDED = [Requirement(line) for line in [*LIBRARY["dependencies"], *LIBRARY["optional-dependencies"]["app"]]]


@pytest.mark.parametrize("needed", NEEDED, ids=lambda one: one.name)
def test_what_the_library_needs_is_installed_within_its_range(needed):
    chosen = APPLICATION[needed.name.lower()]
    lowest = {spec.version for spec in chosen.specifier if spec.operator == ">="}
    assert all(needed.specifier.contains(version) for version in lowest)


def test_nothing_else_is_installed_for_the_app():
    assert set(APPLICATION) == {one.name.lower() for one in NEEDED}


def test_torch_is_capped_where_a_person_installs_and_free_in_the_library():
    assert any(spec.operator == "<=" for spec in APPLICATION["torch"].specifier)
    (library,) = [one for one in NEEDED if one.name == "torch"]
    assert all(spec.operator == ">=" for spec in library.specifier)


def test_the_tests_install_the_application_set_too():
    assert "-r requirements.txt" in (ROOT / "requirements-dev.txt").read_text()


def test_the_check_of_a_change_calls_the_test_command_of_the_readme():
    readme = (ROOT / "README.md").read_text()
    pattern = r"requirements-dev\.txt && pytest$"
    assert len(re.findall(pattern, readme, flags=re.MULTILINE)) == 2  # one form for Windows
    assert pattern in (ROOT / ".ci" / "run").read_text()


def test_a_next_major_release_is_not_taken_unseen():
    free = {one.name for one in NEEDED if not any(spec.operator in {"<", "<="} for spec in one.specifier)}
    assert free == {"torch", "pyarrow"}  # decision 135


def test_no_extra_brings_the_package_under_another_kind_of_licence():
    extras = [Requirement(line).name for lines in LIBRARY["optional-dependencies"].values() for line in lines]
    assert "nirs4all-formats" not in extras


def test_versions_are_the_same_everywhere():
    version = LIBRARY["version"]
    assert spectra_core.__version__ == version
    assert f"version: {version}" in (ROOT / "CITATION.cff").read_text()
    assert re.search(r"^## \[(\d.*?)\]", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)[1] == version
