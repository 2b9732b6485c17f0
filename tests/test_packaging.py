"""What a person installs and what the library asks for are kept in step."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

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
