"""The house as its imports show it: rooms, arrows, circles, arrows upward; and lines by kind.

    python -m benchmarks.structure [COMMIT]

A room is a folder or a lone file of `spectra_core`, or a folder beside it; an arrow says that one imports another at
least once, wherever in a file, for type checkers only too. Lines that hold code are those without docstrings, comments
and blanks.
"""

import ast
import io
import subprocess
import sys
import tokenize
import tomllib
from collections import Counter
from collections.abc import Iterator

import networkx

CORE = "spectra_core"
NO_ROOM = {"spectra_core", "__init__", "__main__", "setup"}
BESIDE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


def sources(commit: str) -> Iterator[tuple[str, str]]:
    """Yield path and text of every Python file of a commit."""
    names = subprocess.check_output(["git", "ls-tree", "-r", "--name-only", commit], text=True).split("\n")
    for name in names:
        if name.endswith(".py"):
            yield name, subprocess.check_output(["git", "show", f"{commit}:{name}"], text=True)


def room_of(module: str) -> str:
    first, *rest = module.split(".")
    return rest[0] if first == CORE and rest else first


def imported(text: str) -> Iterator[str]:
    """Yield what a file imports, as modules or names in them."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def arrows(files: dict[str, str]) -> dict[str, set[str]]:
    """Return which rooms every room imports."""
    found: dict[str, set[str]] = {}
    for path, text in files.items():
        room = room_of(path.removesuffix(".py").replace("/", "."))
        if room not in NO_ROOM:
            found.setdefault(room, set()).update(map(room_of, imported(text)))
    return {room: {other for other in others if other in found and other != room} for room, others in found.items()}


def upward(found: dict[str, set[str]], layers: list[str]) -> list[tuple[str, str]]:
    """Return arrows that point to a room above, or beside, by the layers of import-linter."""
    rank = {room.strip(): number for number, layer in enumerate(layers) for room in layer.split("|")}
    pairs = [(room, other) for room, others in found.items() for other in others]
    return sorted((room, other) for room, other in pairs if rank.get(room, -1) >= rank.get(other, len(layers)))


def lines_of_code(text: str) -> int:
    docs: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            docs.update(range(node.lineno, node.end_lineno + 1))
    held: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in BESIDE:
            held.update(range(token.start[0], token.end[0] + 1))
    return len(held - docs)


def main() -> None:
    commit = sys.argv[1] if len(sys.argv) > 1 else "HEAD"
    files = dict(sources(commit))
    found = arrows(files)
    graph = networkx.DiGraph(found)
    circles = [sorted(group) for group in networkx.strongly_connected_components(graph) if len(group) > 1]
    settings = tomllib.loads(subprocess.check_output(["git", "show", f"{commit}:pyproject.toml"], text=True))
    contracts = settings["tool"]["importlinter"]["contracts"]
    layers = next(one["layers"] for one in contracts if one["type"] == "layers")
    print(f"{len(found)} rooms, {graph.number_of_edges()} arrows; circles: {circles or 'none'}")
    print(f"not downhill: {upward(found, layers) or 'none'}")
    kinds = Counter[str]()
    numbers = Counter[str]()
    for path, text in files.items():
        kind = path.split("/")[0] if "/" in path else "top"
        kinds[kind] += lines_of_code(text)
        numbers[kind] += 1
        if kind == CORE:
            kinds[f"  {room_of(path.removesuffix('.py').replace('/', '.'))}"] += lines_of_code(text)
    for kind in sorted(kinds):
        print(f"{kind:24} {kinds[kind]:6} lines of code" + (f" in {numbers[kind]} files" if kind in numbers else ""))
    print(f"{'all but tests':24} {sum(kinds[kind] for kind in numbers if kind != 'tests'):6}")
    print(f"longest: {max((len(text.splitlines()), path) for path, text in files.items())}")


if __name__ == "__main__":
    main()
