"""What the docs say is there: what links lead to, commands with their options, and code that runs."""

import re
import shlex
from pathlib import Path

import pytest

import spectra_core as sc
from spectra_core.cli.commands import _parser
from spectra_core.cli.shared import wide_table
from spectra_core.datasets.formulas import table_csv
from spectra_core.figures.names import typeset
from spectra_core.figures.svg import svg
from tests.conftest import beer_lambert_set
from tests.experiment.test_advice import CRIPPLED, quick

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^ *```(?P<language>\w*)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> list[tuple[str, str]]:
    return [(one["language"], one["text"]) for one in FENCE.finditer(page.read_text("utf-8"))]


def prose(page: Path) -> str:
    return FENCE.sub("", page.read_text("utf-8"))


def anchors(page: Path) -> set[str]:
    """As GitHub makes them: lower case, no punctuation, hyphens for spaces; repeated ones are numbered from 1."""
    found: list[str] = []
    for heading in re.findall(r"^#+ +(.*?) *$", prose(page), re.MULTILINE):
        words = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)
        found.append(re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-"))
    return {f"{one}-{n}" if (n := found[:place].count(one)) else one for place, one in enumerate(found)}


def dead_links(page: Path, root: Path = ROOT) -> list[str]:
    text = re.sub(r"`[^`\n]*`", "", prose(page))
    inline = re.findall(r"\]\(\s*<?([^)>\s]+)", text) + re.findall(r"""(?:src|href)=["']([^"']+)""", text)
    found = []
    for target in inline + re.findall(r"^\[[^]]+\]: *(\S+)", text, re.MULTILINE):
        name, _, anchor = target.partition("#")
        meant = (page.parent / name).resolve() if name else page
        there = meant.exists() and meant.is_relative_to(root) and (not anchor or anchor in anchors(meant))
        if not (there or re.match(r"[a-z]+:", target)):
            found.append(target)
    return found


def test_links_and_images_lead_somewhere():
    assert {page.name: dead for page in PAGES if (dead := dead_links(page))} == {}


def test_what_leads_nowhere_is_found(tmp_path):
    page, other = tmp_path / "page.md", tmp_path / "other.md"
    other.write_text("# Errors & verdicts, told\n\n## Why?\n\n## Why?\n\n```\n# no heading\n```\n")
    assert anchors(other) == {"errors--verdicts-told", "why", "why-1"}
    alive = (
        "[a](other.md#why-1) ![b](https://x.org/b.png) `[c](code.md)` [d](#mine)\n\n```\n[e](code.md)\n```\n\n# Mine\n"
    )
    page.write_text(alive + "\n[f](gone.md) [g](other.md#why-2) ![h](h.png) [i](#yours) [j](../..)\n\n[k]: k.md\n")
    assert dead_links(page, tmp_path) == ["gone.md", "other.md#why-2", "h.png", "#yours", "../..", "k.md"]


def test_tables_and_sentences_of_the_docs_typeset_ions():
    """But in code, and where they speak of how a person may write one."""
    as_written = re.compile(r"`[^`\n]*`|\bCV\+|\"[^\"\n]*\"|<!--.*?-->")
    raw = []
    for page in PAGES:
        if page.name == "CHANGELOG.md":
            continue
        tables_only = page.parent.name == "decisions"
        lines = [line for line in prose(page).splitlines() if not tables_only or line.startswith("|")]
        told = [as_written.sub("", line) for line in lines]
        raw += [(page.name, line) for line in told if typeset(line) != line]
    assert raw == []


def test_commands_of_the_docs_are_understood(capsys):
    parser, understood = _parser(), 0
    for page in PAGES:
        text = "\n".join(text for _, text in blocks(page)).replace("\\\n", " ")
        for line in re.findall(r"^ *(?:latent-spectra|python -m spectra_core) (.*)$", text, re.MULTILINE):
            try:
                parser.parse_args(shlex.split(line, comments=True))
            except SystemExit as ended:
                if ended.code:  # not --help
                    pytest.fail(f"{page.name}: latent-spectra {line}\n{capsys.readouterr().err}")
            understood += 1
    assert understood > 15


def test_commands_within_a_sentence_have_the_options_that_are_named(capsys):
    parser = _parser()
    for page in PAGES:
        for command, rest in re.findall(r"`latent-spectra ([a-z]+)([^`]*)`", page.read_text("utf-8")):
            with pytest.raises(SystemExit) as ended:
                parser.parse_args([command, "--help"])
            known = capsys.readouterr().out.split()
            assert ended.value.code == 0, f"{page.name}: {command}"
            assert set(re.findall(r"--[a-z-]+", rest)) <= set(known), f"{page.name}: {command}{rest}"


def test_python_of_the_docs_runs(tmp_path, monkeypatch):
    """With the files and names that the pages speak of; the lines of the README run in `test_main_names`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPECTRA_HOME", str(tmp_path / "home"))
    spectra = beer_lambert_set(40)
    (tmp_path / "solutions.csv").write_bytes(table_csv(wide_table(spectra)))
    (tmp_path / "unknown.csv").write_bytes(table_csv(wide_table(beer_lambert_set(4, seed=1).with_targets([]))))
    sc.save_calibration(sc.calibrate(spectra, regressor="ridge", n_folds=4), tmp_path / "calibration.zip")
    brief = {"reference": CRIPPLED, "pace": quick(spectra, names=("As now", "Ridge"))}
    ran = 0
    for page in PAGES:
        for language, code in blocks(page):
            if language == "python" and page.name != "README.md":
                known = {"spectra": spectra, "brief": brief}
                exec(compile(code.replace("minutes=3.0", "minutes=3.0, **brief"), page.name, "exec"), known)
                if page.name == "gallery.md":  # the site draws what each block of it makes
                    assert svg(known["figure"]).startswith("<svg")
                ran += 1
    assert ran >= 8
