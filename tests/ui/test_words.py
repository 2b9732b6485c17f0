"""Sentences on pages use the words of the glossary."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SAID_IN = ("pages", "ui", "spectra_core/figures", "spectra_core/evaluation", "spectra_core/report")
REFUSED = re.compile(
    r"\bmeasured\s+(?:training\s+|and\s+\w+\s+)?(?:spectr|ones?\b|rows?\b|sets?\b)|per measured", re.IGNORECASE
)
"""Spectra in hand are experimental, also where the set is simulated; "measured" says how a set came about."""


def sentences(path: Path) -> Iterator[str]:
    """Yield the texts in a module that are no docstrings."""
    tree = ast.parse(path.read_text())
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.value


def test_spectra_in_hand_are_called_experimental():
    files = [path for folder in SAID_IN for path in sorted((ROOT / folder).rglob("*.py"))]
    assert len(files) > 50
    assert not [(path.name, text) for path in files for text in sentences(path) if REFUSED.search(text)]
