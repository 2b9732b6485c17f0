"""What MkDocs is told besides mkdocs.yml: pages that lie elsewhere, and one of the API per room."""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import griffe
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
CORE = ROOT / "spectra_core"
PAGES = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
"""Files beside docs/ that are pages of the site, under another name."""
GALLERY = "gallery.md"


class Doctests(griffe.Extension):
    """Give doctests the heading that the numpy style wants, so that the site sets them as code."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        """Change the docstring as the site reads it; the file stays."""
        if obj.docstring and "Examples\n---" not in obj.docstring.value:
            obj.docstring.value = re.sub(r"\n\n(?=>>> )", "\n\nExamples\n--------\n", obj.docstring.value, count=1)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are no file of docs/, and name them in the navigation."""
    notebooks = {f"notebooks/{path.stem}.md": _notebook(path) for path in sorted(ROOT.glob("docs/notebooks/*.ipynb"))}
    api = {"api/index.md": _main_names(), **{f"api/{name}.md": _room(name) for name in _rooms()}}
    beside = {page: (ROOT / name).read_text("utf-8") for name, page in PAGES.items()}
    for page, text in {**beside, **notebooks, **api}.items():
        files.append(File.generated(config, page, content=text))
    decisions = sorted(one.src_uri for one in files if one.src_uri.startswith("decisions/"))
    nav = config.nav or []
    _fill(nav, {"Notebooks": [*notebooks], "Decisions": decisions, "API": [*api]})
    named = (ROOT / "mkdocs.yml").read_text("utf-8").split()
    at_top = [one.src_uri for one in files.documentation_pages() if "/" not in one.src_uri]
    nav += [{page.removesuffix(".md").capitalize(): page} for page in at_top if page not in named]
    return files


def on_page_markdown(markdown: str, *, page: Any, config: MkDocsConfig, **_: Any) -> str:
    """Lead links to files of the repository to where they are: pages of the site, or the repository."""
    here = page.file.src_uri
    markdown = _with_pictures(markdown) if here == GALLERY else markdown
    folder = ROOT if here in PAGES.values() else (ROOT / "docs" / here).parent

    def led(match: re.Match[str]) -> str:
        target, mark, anchor = match[1].partition("#")
        meant = (folder / target).resolve()
        if not target or not meant.exists() or not meant.is_relative_to(ROOT):
            return match[0]
        name = meant.relative_to(ROOT).as_posix()
        inside = PAGES.get(name) or (meant.is_file() and name.startswith("docs/") and name.removeprefix("docs/"))
        up = "../" * here.count("/")
        address = (
            f"{up}{inside.replace('.ipynb', '.md')}" if inside else f"{config.extra['repository']}/blob/main/{name}"
        )
        return f"]({address}{mark}{anchor})"

    return re.sub(r"\]\(([^()\s]+)\)", led, markdown)


def _fill(nav: list[Any], pages: Mapping[str, list[str]]) -> None:
    for entry in nav:
        for title, inside in entry.items():
            if title in pages:
                entry[title] = pages[title]
            elif isinstance(inside, list):
                _fill(inside, pages)


def _with_pictures(text: str) -> str:
    """Run the code of the gallery, and put under each block the figure that it makes."""
    sys.path.insert(0, str(ROOT))
    try:
        import spectra_core as sc
        from spectra_core.figures.svg import svg

        spectra = sc.simulate(sc.PRESETS["msu_like"], n_spectra=200, seed=0)
    except ImportError as error:
        return f"{text}\n\nThis site was built without the pictures: {error}. They need requirements.txt, too.\n"

    def pictured(match: re.Match[str]) -> str:
        known: dict[str, Any] = {"spectra": spectra}
        exec(match[1], known)  # noqa: S102  # a page of this repository, which the tests run, too
        return f'{match[0]}\n\n<figure style="width:100%;background:#fff">{svg(known["figure"])}</figure>\n'

    return re.sub(r"^```python\n(.*?)^```$", pictured, text, flags=re.MULTILINE | re.DOTALL)


def _notebook(path: Path) -> str:
    cells = [(cell["cell_type"], "".join(cell["source"])) for cell in json.loads(path.read_text("utf-8"))["cells"]]
    return "\n\n".join(f"```python\n{text}\n```" if kind == "code" else text for kind, text in cells)


def _rooms() -> list[str]:
    found = {path.relative_to(CORE).parts[0].removesuffix(".py") for path in CORE.rglob("*.py")}
    return sorted(name for name in found if not name.startswith("_"))


def _room(name: str) -> str:
    paths = [CORE / f"{name}.py"] if (CORE / f"{name}.py").is_file() else sorted((CORE / name).rglob("*.py"))
    modules = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in paths]
    return "\n\n".join([f"# {name}", *(f"::: {module}" for module in modules if "._" not in module)])


def _main_names() -> str:
    core = griffe.load("spectra_core", search_paths=[ROOT])
    ours = [name for name, one in core.members.items() if one.is_alias and one.target_path.startswith("spectra_core.")]
    where = {name: core[name].canonical_path for name in sorted(ours)}
    rows = [f"| [`{name}`][{path}] | `{path.rpartition('.')[0]}` |" for name, path in where.items()]
    words = "`import spectra_core as sc` gives these names; the others are in their rooms."
    return "\n".join(["# Main names", "", words, "", "| name | where it is |", "|---|---|", *rows])
