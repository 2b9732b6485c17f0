"""Every kind of question of an import, as a visitor meets it: asked, shown as each answer reads it, chosen, saved."""

import ast
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from spectra_core import datasets
from spectra_core.store import Store
from tests.datasets.tables import CHANNELS, CU, IDS, SIGNAL, N, lines_of, stacked, tall
from tests.datasets.test_spc import FLOATS, X, Y, spc
from tests.datasets.workbooks import BODY, NAMES, book_of
from tests.pages.test_dataset import click, kept, opened, text_of

ASKED = ":material/help: **Please decide.**"
HEAD = ["sample", "Cu", *map(str, CHANNELS)]
ROWS = [[one, value, *row] for one, value, row in zip(IDS, CU, SIGNAL, strict=True)]
NUMBERS = [float(value) for value in CU]
LESS = np.delete(SIGNAL, 3, axis=0)
LESS_NUMBERS = NUMBERS[:3] + NUMBERS[4:]
SMALL, SMALL_NUMBERS = np.array([row[2:] for row in BODY]), [row[1] for row in BODY]
SMALL_AXIS = [float(name) for name in NAMES[2:]]


@dataclass
class Case:
    """Files, words of the first question, the answers in turn, and what is kept then.

    Parameters
    ----------
    assumed
        Words beside Save before it is clicked.
    shown
        How many readings stand side by side under the first question; 0 where the answers read the same spectra, and
        one less where an answer cannot be read, which is said in its place.
    """

    files: Sequence[tuple[str, str | bytes]]
    question: str
    answers: Sequence[str]
    signal: np.ndarray
    positions: Sequence[float]
    targets: Sequence[float] | None
    assumed: str
    shown: int


def case(
    content: str | bytes | list[str | bytes],
    question: str,
    *answers: str,
    signal: np.ndarray = SIGNAL,
    positions: Sequence[float] = tuple(CHANNELS.tolist()),
    targets: Sequence[float] | None = None,
    assumed: str = "Axis: Wavelength, nm",
    shown: int = 0,
    name: str = "f.csv",
) -> Case:
    contents = content if isinstance(content, list) else [content]
    files = [(f"{number or ''}{name}", one) for number, one in enumerate(contents)]
    return Case(files, question, answers, signal, positions, targets, assumed, shown)


def with_cell(row: int, column: int, cell: object) -> str:
    changed = [[*one[:column], cell, *one[column + 1 :]] if at == row else one for at, one in enumerate(ROWS)]
    return lines_of([HEAD, *changed])


def with_column(name: str, cells: Sequence[object], at: int = len(HEAD)) -> str:
    return lines_of(
        [[*HEAD[:at], name, *HEAD[at:]], *([*r[:at], c, *r[at:]] for r, c in zip(ROWS, cells, strict=True))]
    )


def in_columns(names: Sequence[object], *columns: Sequence[float]) -> str:
    return lines_of([names, *zip(*columns, strict=True)])


def npz(**arrays: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def uncomputed() -> bytes:
    def fill(sheet, style):
        for at in range(6):
            sheet.write_formula(at + 1, 1, "=ROW()", None, "")

    return book_of(fill)


def cary() -> str:
    rows = [[p, 99.5, p, a, p, b] for p, a, b in zip(CHANNELS, SIGNAL[0], SIGNAL[1], strict=True)]
    names = ["Wavelength (nm)", "%T", *["Wavelength (nm)", "Abs"] * 2]
    return lines_of([["Baseline", "", "A1", "", "A2", ""], names, *rows])


def jcamp(unit: str) -> str:
    records = (
        f"##TITLE=a\n##JCAMP-DX=4.24\n##DATA TYPE=UV\n##XUNITS={unit}\n##YUNITS=ABSORBANCE\n##XFACTOR=1\n##YFACTOR=1"
    )
    body = "\n".join(f"{place} {value}" for place, value in zip(CHANNELS, SIGNAL[0], strict=True))
    ends = f"##FIRSTX={CHANNELS[0]}\n##LASTX={CHANNELS[-1]}\n##NPOINTS={len(CHANNELS)}"
    return f"{records}\n{ends}\n##XYDATA=(X++(Y..Y))\n{body}\n##END=\n"


def repeats() -> str:
    return lines_of([["sample", *HEAD[2:]], *([f"A{k // 2}_{k % 2 + 1}", *row] for k, row in enumerate(SIGNAL))])


SHIFTED = in_columns(["nm", *IDS], CHANNELS + 2.0, *SIGNAL)
TABLE = lines_of([HEAD, *ROWS])
SPECTRA = lines_of([["sample", *HEAD[2:]], *([one, *row] for one, row in zip(IDS, SIGNAL, strict=True))])
TARGETS = lines_of([["id", "Cu"], *([f"Probe {k}", CU[k]] for k in reversed(range(N)))])
CASES = {
    "orientation": case(
        tall([["Cu (mg/L)", *CU]], corner="sample"), "can be read in two ways", "One spectrum a column",
        targets=NUMBERS, shown=2, assumed="Target: Cu (mg/L)",
    ),
    "dialect": case(
        "".join(f"{place},{place % 7 + 1}\n" for place in CHANNELS), "one number with a decimal comma", "Two numbers",
        signal=np.array([[place % 7 + 1.0 for place in CHANNELS]]), shown=1,
    ),
    "decimal marks": case(
        lines_of([[*HEAD, "Zn"], *([*row, CU[k].replace(".", ",")] for k, row in enumerate(ROWS))], ";"),
        "Say which mark is the decimal one", "Decimal points", targets=NUMBERS, shown=1, assumed="Target: Cu",
    ),
    "encoding": case(
        lines_of([["проба", "медь", *HEAD[2:]], *ROWS]).encode("cp1251"), "in which encoding its letters are",
        "Cyrillic (Windows): проба, медь", targets=NUMBERS, assumed="Target: медь",
    ),
    "contradictions": case(
        spc(FLOATS, FLOATS) + b"more", "contradicts itself", "Read the data as they stand", name="a.spc",
        signal=Y.astype("f4")[None].astype(float), positions=X.tolist(), assumed="",
    ),
    "brackets": case(
        with_cell(0, 2, f"({SIGNAL[0, 0]})"), "numbers in brackets", "They are negative", targets=NUMBERS, shown=2,
        signal=np.where(np.arange(N * len(CHANNELS)).reshape(SIGNAL.shape) == 0, -SIGNAL, SIGNAL),
    ),
    "no axis": case(
        lines_of(np.hstack([SIGNAL, SIGNAL]).tolist()), "Nothing says where the 40 channels lie", "Number the channels",
        signal=np.hstack([SIGNAL, SIGNAL]), positions=range(1, 41), assumed="Signal: Absorbance",
    ),
    "axis unit": case(tall(corner="Wavelength (mm)"), "'mm' as the unit of its axis", "Keep 'mm'", assumed="Signal"),
    "repeated channels": case(
        with_column(str(CHANNELS[-1]), SIGNAL[:, 0]), "repeats a position", "Keep the first", targets=NUMBERS,
    ),
    "axis order": case(
        lines_of([[*HEAD[:2], *HEAD[4:6], *HEAD[2:4], *HEAD[6:]],
                  *([*row[:2], *row[4:6], *row[2:4], *row[6:]] for row in ROWS)]),
        "does not rise or fall steadily", "Sort channels and spectra together", targets=NUMBERS,
    ),
    "axis column": case(
        in_columns(["Wavelength (nm)", "Wavenumber (cm-1)", *IDS], CHANNELS, np.round(1e7 / CHANNELS, 1), *SIGNAL),
        "several axes for the same spectra", "Wavelength (nm)", shown=2,
    ),
    "channels apart": case(
        lines_of([["sample", *(f"raw_{p}" for p in CHANNELS), *(f"snv_{p}" for p in CHANNELS)],
                  *([one, *row, *np.round(3 * row, 4)] for one, row in zip(IDS, SIGNAL, strict=True))]),
        "Two sets of columns are named by positions", f"Only snv_{CHANNELS[0]} to snv_{CHANNELS[-1]}",
        signal=np.round(3 * SIGNAL, 4), shown=2,
    ),
    "columns without a position": case(
        with_column("35O", CU, 7), "have no position as a name", "Do not use them", targets=NUMBERS,
    ),
    "numbers as names": case(
        tall().replace(",".join(IDS), ",".join(CU)), "The spectra are named by numbers", "Values of a target",
        targets=NUMBERS,
    ),
    "signal column": case(
        lines_of(stacked(["sample", "wavelength", "value", "noise"])), "Several columns", "value",
        signal=SIGNAL[:5], shown=2,
    ),
    "several matrices": case(
        npz(raw=SIGNAL, treated=2 * SIGNAL, wavelength=CHANNELS.astype(float)), "2 matrices of one size", "Use treated",
        signal=2 * SIGNAL, shown=2, name="a.npz", assumed="Axis",
    ),
    "mixed quantities": case(
        cary(), "one set holds one quantity", "Use only Absorbance", signal=SIGNAL[:2], shown=4, assumed="",
    ),
    "mixed axes": case(
        [jcamp("NANOMETERS"), jcamp("1/CM")], "their axes in different units", "All are in nm", name="a.jdx",
        signal=SIGNAL[[0, 0]], assumed="",
    ),
    "different grids": case(
        [in_columns(["nm", *IDS], CHANNELS, *SIGNAL), SHIFTED.replace("s", "t")], "different grids",
        "Resample linearly", signal=np.vstack([SIGNAL[:, 2:], SIGNAL[:, :-2]]), positions=CHANNELS[2:].tolist(),
    ),
    "same spectra": case(
        [TABLE, lines_of([HEAD, *([*row[:2], *(9 * v for v in row[2:])] for row in ROWS)])], "name the same spectra",
        "Use only f.csv", targets=NUMBERS, shown=3,
    ),
    "join by numbers": case(
        [SPECTRA, TARGETS], "the numbers in them agree", "Join by these numbers", targets=NUMBERS, shown=3,
    ),
    "join by order": case(
        [SPECTRA, lines_of([["id", "Cu"], *(["abcdefghijkl"[k], CU[k]] for k in range(N))])], "shares no ids",
        "Join by order", targets=NUMBERS, shown=2,
    ),
    "nameless columns": case(
        lines_of(zip(CHANNELS + 0.5, SIGNAL[0], SIGNAL[1], strict=True)), "without names", "Use column 2 alone",
        signal=SIGNAL[:1], positions=(CHANNELS + 0.5).tolist(), shown=3,
    ),
    "computed column": case(
        with_column("Total", SIGNAL.sum(axis=1)), "is the sum of each spectrum", "Do not use Total", targets=NUMBERS,
    ),
    "formulas": case(
        uncomputed(), "were never computed", "Do not use Cu", name="a.xlsx", signal=SMALL, positions=SMALL_AXIS,
    ),
    "unit column": case(
        with_column("unit", ["mg/L", "g/L"] * (N // 2), 2), "holds different units", "Do not use Cu",
    ),
    "censored": case(
        with_cell(3, 1, "<0.2"), "<0.2", "Half the limit", targets=[*NUMBERS[:3], 0.1, *NUMBERS[4:]],
    ),
    "sentinels": case(
        with_cell(3, 5, -9999), "lie far outside all others", "Leave out", signal=LESS, targets=LESS_NUMBERS,
    ),
    "gaps": case(with_cell(3, 5, ""), "is missing", "Leave out 1 spectrum", signal=LESS, targets=LESS_NUMBERS),
    "target gaps": case(with_cell(3, 1, ""), "lacks a target", "Leave out", signal=LESS, targets=LESS_NUMBERS),
    "hidden rows": case(
        book_of(lambda sheet, style: sheet.set_row(4, None, None, {"hidden": True})), "hidden in the file",
        "Leave them out", name="a.xlsx", signal=np.delete(SMALL, 3, axis=0), positions=SMALL_AXIS,
        targets=SMALL_NUMBERS[:3] + SMALL_NUMBERS[4:],
    ),
    "blank ids": case(
        lines_of([HEAD, *([IDS[k] if k % 2 == 0 else "", *row[1:]] for k, row in enumerate(ROWS))]),
        "spectra have no sample", "They belong to the one above", targets=NUMBERS,
    ),
    "replicates": case(repeats(), "repeated measurements of one sample", "Keep them together"),
}  # fmt: skip

ELSEWHERE = {"quantities", "unknown ids"}
"""Asked in `test_dataset`, and below."""


@pytest.mark.parametrize("kind", CASES)
def test_a_question_is_asked_shown_answered_and_kept(kind: str, store: Store):
    given = CASES[kind]
    files = [(name, one if isinstance(one, bytes) else one.encode()) for name, one in given.files]
    app = opened(store, *files)
    said = text_of(app).replace("\\", "")
    assert ASKED in said
    assert given.question in said
    assert app.button(key="import_save").disabled
    shown = [frame.value for frame in app.dataframe if "Id" in frame.value and "Used" not in frame.value]
    assert len(shown) == given.shown
    assert all(0 < len(table) <= 3 for table in shown)
    for number, answer in enumerate(given.answers):
        names = [one.label for one in app.button]
        (label,) = [name for name in names if name.replace("\\", "").startswith(answer)]
        app = click(app, label)
        if number == 0 and shown:
            first = [{float(v) for v in table.iloc[0] if isinstance(v, int | float)} for table in shown]
            assert any(set(given.signal[0, :2].tolist()) <= values for values in first)
    said = text_of(app).replace("\\", "")
    assert ASKED not in said
    beside_save = next((line for line in said.splitlines() if line.startswith("Assumed, since nobody")), "")
    assert given.assumed in beside_save
    click(app, "Save and use")
    spectra = kept(store)
    assert spectra.signal.tolist() == pytest.approx(given.signal)
    assert spectra.axis.positions.tolist() == pytest.approx(list(given.positions))
    assert spectra.n_targets == (given.targets is not None)
    if given.targets is not None:
        assert spectra.target_values[:, 0].tolist() == pytest.approx(list(given.targets))


def test_an_id_that_no_spectrum_has_is_asked_about_when_it_is_left_out(store: Store):
    app = opened(store, ("f.csv", TABLE.encode()))
    (field,) = [one for one in app.text_input if one.label == "Leave out spectra, by id"]
    field.set_value("s3; s33")
    app = click(app, "Apply")
    assert ASKED in text_of(app)
    assert "s33" in text_of(app)
    click(click(app, "Go on without"), "Save and use")
    assert np.array_equal(kept(store).signal, LESS)


def blocking_kinds() -> set[str]:
    """Return the kinds of problems that stop an import and have answers, as they stand in the code."""
    found = set()
    for path in Path(datasets.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Problem"):
                continue
            kind, _, *rest = node.args
            has_answers = bool(rest) and not (isinstance(rest[0], ast.Tuple) and not rest[0].elts)
            is_remark = len(rest) > 1 and isinstance(rest[1], ast.Constant) and rest[1].value is False
            if isinstance(kind, ast.Constant) and has_answers and not is_remark:
                found.add(str(kind.value))
    return found


def test_every_question_of_the_code_is_asked_here():
    asked = {kind.removesuffix(" by numbers").removesuffix(" by order") for kind in CASES} | ELSEWHERE
    assert blocking_kinds() == asked
