"""Whatever leaves a page as a file is written by one of the writers that make names harmless; a new way is noticed."""

import ast
from html.parser import HTMLParser
from pathlib import Path

import plotly.graph_objects as go

from ui.exports import html_page

ROOT = Path(__file__).parents[2]
WRITERS = {
    *("table_csv", "table_file"),  # tables: formulas guarded
    *("as_html", "html_page", "_report", "_card"),  # pages: names escaped
    *("export_calibration", "export_model", "_capsule"),  # files of our own, read back strictly
    "cache.table",  # sets, by the writers of `datasets`
    *("to_json", "json.dumps"),  # plain ASCII
    "archive",  # simulated tables, by `spectra_core.datasets.simulator`
}


def test_every_download_goes_through_a_known_writer_and_starts_no_run_that_would_lose_it():
    unknown, n_found = [], 0
    for path in [*(ROOT / "ui").rglob("*.py"), *(ROOT / "pages").rglob("*.py"), ROOT / "app.py"]:
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
                if call.func.attr != "download_button":
                    continue
                n_found += 1
                # A run that starts while a file is being written clears the answer that says where it lies.
                assert {one.arg: ast.unparse(one.value) for one in call.keywords}.get("on_click") == "'ignore'", path
                named = [one.value for one in call.keywords if one.arg == "data"]
                data = ast.unparse([*call.args[1:2], *named][0])
                if not any(writer in data for writer in WRITERS):
                    unknown.append(f"{path.relative_to(ROOT)}:{call.lineno}: {data}")
    assert n_found > 10
    assert not unknown


def test_every_out_of_a_command_goes_through_a_known_writer():
    known = WRITERS | {"export(", "json_bytes", "content", ".encode()"}
    unknown = []
    for path in (ROOT / "spectra_core" / "cli").glob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call):
                continue
            name = ast.unparse(call.func)
            assert name.rpartition(".")[2] not in {"write_bytes", "write_text", "savez", "savetxt", "to_parquet"}, path
            if name == "write_at" and not any(writer in ast.unparse(call.args[1]) for writer in known):
                unknown.append(f"{path.name}:{call.lineno}: {ast.unparse(call.args[1])}")
    assert not unknown


def test_a_figure_as_a_page_holds_no_element_and_no_script_of_a_name():
    name = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\u202e\0" + "x" * 10_000
    figure = go.Figure(go.Scatter(x=[1, 2], y=[1, 2], name=name, text=[name, name], hovertext=name))
    figure.update_layout(title=name, xaxis_title=name)
    found: list[str] = []
    page = HTMLParser()
    page.handle_starttag = lambda tag, attributes: found.append(tag)
    page.feed(html_page(figure).decode())
    plain: list[str] = []
    page = HTMLParser()
    page.handle_starttag = lambda tag, attributes: plain.append(tag)
    page.feed(html_page(go.Figure()).decode())
    assert found == plain
