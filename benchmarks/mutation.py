"""How many one-line faults do the tests catch? Changes one operator, constant or return at a time and runs the tests.

    python benchmarks/mutation.py spectra_core/evaluation spectra_core/splits.py --mutants 40 --out survivors.md

Faults are put into a temporary copy of the working tree, and only the tests that mirror the changed file run: its
doctests, those named like it or importing it, else all of its room. These run once without any fault, which shows that
they pass and what they cost; then the cheapest come first. Every fault is tried in a fork of a process that has
imported the large libraries, so that most take a second or two. A survivor is a question to a person: a missing test,
or an equal program.
"""

import argparse
import ast
import copy
import difflib
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LIBRARIES = ("numpy", "pandas", "scipy.stats", "scipy.signal", "sklearn.decomposition", "torch", "numba", "pytest")
QUIETLY = ("-x", "-q", "-p", "no:cacheprovider", "-p", "_hypothesis_pytestplugin", "--tb=short")
SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
WORDS = (ast.JoinedStr, ast.Raise, ast.Assert, ast.AnnAssign, ast.arg)
"""Sentences and annotations: faults in them are no faults of a number. Values of annotated names are looked at."""


@dataclass(frozen=True)
class Fault:
    """One changed expression of one file."""

    path: str
    line: int
    text: str

    def diff(self, original: str) -> str:
        """Return the changed lines alone."""
        lines = difflib.unified_diff(original.splitlines(), self.text.splitlines(), n=0, lineterm="")
        return "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))


def faults_of(path: str, source: str) -> Iterator[Fault]:
    """Yield every fault of a file."""
    starts = [0]
    for line in source.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    raw = source.encode()
    for node in _looked_at(ast.parse(source)):
        for changed in _changed(node):
            begin = starts[node.lineno - 1] + node.col_offset
            end = starts[node.end_lineno - 1] + node.end_col_offset
            new = ast.unparse(changed)
            new = new if isinstance(node, ast.Return | ast.Constant) else f"({new})"
            yield Fault(path, node.lineno, (raw[:begin] + new.encode() + raw[end:]).decode())


def _looked_at(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.AnnAssign) and child.value is not None:
            yield child.value
            yield from _looked_at(child.value)
        elif not isinstance(child, WORDS) and child is not getattr(node, "returns", None):
            yield child
            yield from _looked_at(child)


def _changed(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare():
            for number, operator in enumerate(node.ops):
                new = copy.deepcopy(node)
                new.ops[number] = SWAPPED[type(operator)]()
                yield new
        case ast.BinOp() | ast.BoolOp() if type(node.op) in SWAPPED:
            new = copy.deepcopy(node)
            new.op = SWAPPED[type(node.op)]()
            yield new
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield node.operand
        case ast.Constant(value=bool()):
            yield ast.Constant(not node.value)
        case ast.Constant(value=int()):
            yield ast.Constant(node.value + 1)
        case ast.Constant(value=float()):
            yield ast.Constant(1.5 * node.value if node.value else 1.0)
        case ast.Return(value=ast.expr()) if not isinstance(node.value, ast.Constant):
            yield ast.Return(ast.Constant(None))


def tests_of(path: str) -> list[str]:
    """Return the tests that mirror a source file: named like it or importing it, else naming it, else of its room."""
    source = Path(path)
    room = Path("tests", *source.parts[1:-1])
    while not any(room.glob("**/test_*.py")):
        room = room.parent
    all_of_it = sorted(room.glob("test_*.py" if room == Path("tests") else "**/test_*.py"))
    texts = {one: one.read_text() for one in all_of_it}
    module = ".".join(source.with_suffix("").parts)
    package, name = module.rsplit(".", 1)
    known = rf"(?m)^\s*(from {re.escape(module)} import|from {re.escape(package)} import .*\b{name}\b)"
    mirror = [one for one in all_of_it if one.stem == f"test_{name}" or re.search(known, texts[one])]
    words = "|".join(name.split("_"))
    named = [one for one in all_of_it if re.search(rf"(?i)\b({words})\b", texts[one])]
    return [str(one) for one in (source, *(mirror or named or all_of_it))]


def tried(fault: Fault | None, tests: list[str], log: Path, most: float) -> tuple[str, float]:
    """Run the tests in a fork, on the faulty file, for at most so many seconds of processor time.

    Returns
    -------
    verdict, seconds
        "caught", "survived", "no tests" or "endless", which is caught as well; processor time.
    """
    if fault is not None:
        original, times = Path(fault.path).read_text(), os.stat(fault.path)
        Path(fault.path).write_text(fault.text)
    child = os.fork()
    if child == 0:
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        resource.setrlimit(resource.RLIMIT_CPU, (int(most), int(most)))
        sys.dont_write_bytecode = fault is not None
        import pytest

        os._exit(int(pytest.main([*QUIETLY, *tests])))
    _, status, used = os.wait4(child, 0)
    if fault is not None:
        Path(fault.path).write_text(original)
        os.utime(fault.path, ns=(times.st_atime_ns, times.st_mtime_ns))
    code = os.waitstatus_to_exitcode(status)
    verdict = "endless" if code < 0 else {0: "survived", 5: "no tests"}.get(code, "caught")
    return verdict, used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rooms", nargs="+", help="files or folders below spectra_core")
    parser.add_argument("--mutants", type=int, default=50, help="drawn from all faults of each room")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--most", type=float, default=100.0, help="seconds of processor time for a file of tests; others are left out"
    )
    parser.add_argument("--out", type=Path, help="where survivors are written, as they come")
    asked = parser.parse_args()
    out = asked.out.resolve() if asked.out else None
    tree = Path(tempfile.mkdtemp(prefix="mutation-"))
    try:
        for name in subprocess.check_output(["git", "ls-files", "-z"], text=True).split("\0"):
            if name and Path(name).exists():
                (tree / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(name, tree / name)
        os.chdir(tree)
        sys.path.insert(0, str(tree))
        os.environ.update(PYTHONPATH=str(tree), OMP_NUM_THREADS="1", PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
        for name in LIBRARIES:
            __import__(name)
        _try_all(asked, out, tree / "log")
    finally:
        shutil.rmtree(tree, ignore_errors=True)


def _try_all(asked: argparse.Namespace, out: Path | None, log: Path) -> None:
    drawn = {room: _drawn(Path(room), asked.mutants, asked.seed) for room in asked.rooms}
    plans = {fault.path: tests_of(fault.path) for faults in drawn.values() for fault in faults}
    costs = {test: _cost(test, log, asked.most) for test in sorted({test for plan in plans.values() for test in plan})}
    plans = {path: sorted((test for test in plan if costs[test]), key=costs.get) for path, plan in plans.items()}
    price = {path: sum(map(costs.get, plan)) for path, plan in plans.items()}
    told = {room: Counter[str]() for room in drawn}
    queue = sorted(
        ((room, fault) for room, faults in drawn.items() for fault in faults), key=lambda one: price[one[1].path]
    )
    for number, (room, fault) in enumerate(queue, 1):
        verdict, used = tried(fault, plans[fault.path], log, 10 + 3 * price[fault.path])
        told[room][verdict] += 1
        print(f"{number}/{len(queue)} {verdict} {fault.path}:{fault.line} {used:.1f} s", flush=True)
        if verdict in ("survived", "no tests") and out:
            with out.open("a") as stream:
                stream.write(f"{verdict} {fault.path}:{fault.line}\n{fault.diff(Path(fault.path).read_text())}\n\n")
    for room, counted in told.items():
        caught = counted["caught"] + counted["endless"]
        print(f"{room}: {dict(counted)}: {caught / max(1, counted.total()):.0%} caught")


def _drawn(room: Path, number: int, seed: int) -> list[Fault]:
    """Return faults of one room, drawn from all of them."""
    sources = sorted([room] if room.suffix else room.rglob("*.py"))
    every = [fault for path in sources for fault in faults_of(str(path), path.read_text())]
    return random.Random(seed).sample(every, min(number, len(every)))


def _cost(test: str, log: Path, most: float) -> float:
    """Return the seconds a file of tests takes; 0 where it fails or takes too long, so that it is left out."""
    if not test.startswith("tests/"):
        return 0.1  # the doctests of a source file
    verdict, used = tried(None, [test], log, most)
    out = {"caught": f", fails without any fault:\n{log.read_text()[-1000:]}", "endless": ", takes too long"}
    print(f"{test}: {used:.1f} s{out.get(verdict, '')}", flush=True)
    return 0.0 if verdict in out else used


if __name__ == "__main__":
    main()
