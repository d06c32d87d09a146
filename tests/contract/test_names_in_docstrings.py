"""Modules, files and names that a docstring puts in backticks exist: moves and renames reach text.

A name is known when a module, a definition, a parameter or a whole string of ours has it, or the
template or the state machine. So a name that is left over is found unless something else bears it.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from porewatch_local.generated.import_graph import MODULES, ROOT
from tests.contract.test_docs import PAGES, files, name, prose

TICKED = re.compile(r"(?<!`)`([A-Za-z_][\w.]*)`(?!`)")
PLAIN = re.compile(r"[a-z][a-z_]{2,}")
DOTTED_IN_A_PAGE = re.compile(r"(?<![\w./-])(porewatch(?:_\w+)?(?:\.[a-z_]\w+)+)")
DATA = re.compile(r"\.(json|toml|tsv|html|pdf|tar|bam|fa)$")
"""Files that people send or a run writes."""
EXAMPLES = {
    "acgu": "letters of a sequence",
    "evidence_reads": "a column, as it is made of a path",
    "serve_forever": "of the standard library's server",
    "table.column": "what a key of a table looks like",
}
"""What no code of ours has, and why it is written."""


def docstrings(tree: ast.AST) -> Iterator[str]:
    """Docstrings: of modules, classes and functions, and those below a constant or a field."""
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield text


def defined(body: list[ast.stmt]) -> Iterator[str]:
    """Names that a module or a class defines, its classes' names included."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.ClassDef):
            yield node.name
            yield from defined(node.body)
        elif isinstance(node, ast.AnnAssign | ast.Assign):
            yield from (one.id for one in ast.walk(node) if isinstance(one, ast.Name))


def used(tree: ast.AST) -> Iterator[str]:
    """All identifiers of a module, attributes and parts of imports included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.keyword):
            yield node.arg or ""
        elif isinstance(node, ast.alias):
            yield from node.name.split(".")


@cache
def tree_of(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


@cache
def known() -> frozenset[str]:
    found = set(dir(builtins)) | {part for module in MODULES for part in module.split(".")}
    for module in MODULES:
        tree = tree_of(module)
        found |= set(defined(tree.body))
        found |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    sources = (path for top in ("functions", "layers", "worker", "cli", "local", "images")
               for path in (ROOT / top).rglob("*.py"))  # fmt: skip
    for path in sources:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found.add(path.stem)
        found |= {str(n.value) for n in ast.walk(tree) if isinstance(n, ast.Constant)}
    for path in (ROOT / "template.yaml", *(ROOT / "statemachine").iterdir()):
        found |= {path.name.split(".")[0], *re.findall(r"\w+", path.read_text(encoding="utf-8"))}
    return frozenset(found)


@cache
def ends() -> dict[str, tuple[str, ...]]:
    """`units`, `count.units`, `science.count.units`, ... -> the modules that end so."""
    found: dict[str, tuple[str, ...]] = {}
    for module in MODULES:
        parts = module.split(".")
        for start in range(len(parts)):
            end = ".".join(parts[start:])
            found[end] = (*found.get(end, ()), module)
    return found


@cache
def file_names() -> frozenset[str]:
    return frozenset(path.name for path in files())


def leads_somewhere(dotted: str) -> bool:
    """Whether it is a module, or a name that a module of its first part has."""
    before, _, last = dotted.rpartition(".")
    modules = ends().get(before, ())
    return dotted in ends() or any(last in used_in(module) for module in modules)


@cache
def used_in(module: str) -> frozenset[str]:
    return frozenset((*used(tree_of(module)), *defined(tree_of(module).body)))


def is_unknown(ticked: str, module: str) -> bool:
    if ticked in EXAMPLES or DATA.search(ticked):
        return False
    if ticked.endswith(".py"):
        return not (MODULES[module].parent / ticked).exists()
    first, dot, _ = ticked.partition(".")
    if dot:
        ours = first in ends() and first not in used_in(module)
        return ours and not leads_somewhere(ticked) and ticked not in file_names()
    plain = PLAIN.fullmatch(ticked) is not None
    return plain and ticked not in known() and ticked not in used_in(module)


def unknown(module: str, text: str) -> list[str]:
    return [ticked for ticked in TICKED.findall(text) if is_unknown(ticked, module)]


def test_names_in_docstrings_exist() -> None:
    found = {
        module: missing
        for module in MODULES
        if (
            missing := [
                one for text in docstrings(tree_of(module)) for one in unknown(module, text)
            ]
        )
    }
    assert found == {}


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page.name != "CHANGELOG.md" and "adr" not in page.parts],
    ids=name,
)
def test_modules_that_a_page_names_exist(page: Path) -> None:
    """A decision may name what is gone."""
    assert [one for one in DOTTED_IN_A_PAGE.findall(prose(page)) if not leads_somewhere(one)] == []


def test_a_name_that_leads_nowhere_is_seen() -> None:
    module = "porewatch_worker.science.read.demultiplex"
    text = "See `no_such_thing`, `science.no_such`, `porewatch.reads.NoSuch` and `no_such.py`."
    assert len(unknown(module, text)) == 4
    right = "See `split`, `barcodes.py`, `science.read.barcodes`, `kits.kit_sequences`, `a.b`, `X`."
    assert unknown(module, right) == []


def test_every_example_is_needed() -> None:
    texts = " ".join(text for module in MODULES for text in docstrings(tree_of(module)))
    assert [one for one in EXAMPLES if one in known() or f"`{one}`" not in texts] == []
