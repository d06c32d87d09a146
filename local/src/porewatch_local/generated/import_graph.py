"""Which module of ours imports which, read from the source; folders in the order that follows.

Imports under `if TYPE_CHECKING:` are names for the reader, not dependencies, and are left out.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[4]
ROOTS = {
    "porewatch": ROOT / "layers/common/python/porewatch",
    "functions": ROOT / "functions",
    "porewatch_worker": ROOT / "worker/src/porewatch_worker",
    "porewatch_cli": ROOT / "cli/src/porewatch_cli",
    "porewatch_local": ROOT / "local/src/porewatch_local",
}
ELSEWHERE = ("engine_side", "sam_side")
"""Run by the interpreters of the embedded AWS and of SAM, which have nothing of ours."""


def modules() -> Iterator[tuple[str, Path]]:
    """(dotted name, file) of all our code."""
    for root, folder in ROOTS.items():
        for path in sorted(folder.rglob("*.py")):
            if path.relative_to(folder).parts[0] in ELSEWHERE:
                continue
            parts = path.relative_to(folder).with_suffix("").parts
            yield ".".join([root, *(part for part in parts if part != "__init__")]), path


MODULES = dict(modules())


def imported(source: str, module: str, is_package: bool = False) -> Iterator[str]:
    """What a module imports when it runs, as dotted names: `from a import b` gives `a.b`."""
    package = module if is_package else module.rpartition(".")[0]
    for node in _running(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, package)
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _running(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for other in child.orelse:
                yield from (other, *_running(other))
            continue
        yield child
        yield from _running(child)


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    above = package.split(".")[: len(package.split(".")) - node.level + 1]
    return ".".join([*above, *([node.module] if node.module else [])])


def module_of(name: str) -> str | None:
    """The module of ours that a dotted name lies in; None when it is nobody's."""
    while name not in MODULES:
        name, _, _ = name.rpartition(".")
        if not name:
            return None
    return name


def arrows(
    place: Callable[[str], str], sources: dict[str, str] | None = None
) -> dict[str, set[str]]:
    """Place -> the places that its modules import; `place` gives the place of a module."""
    found: dict[str, set[str]] = {}
    for module, path in MODULES.items():
        source = (sources or {}).get(module) or path.read_text(encoding="utf-8")
        found.setdefault(place(module), set())
        for name in imported(source, module, path.name == "__init__.py"):
            other = module_of(name)
            if other is not None and place(other) != place(module):
                found[place(module)].add(place(other))
    return found


def levels(between: dict[str, set[str]]) -> dict[str, int]:
    """How many arrows deep each place stands; what imports nothing of ours stands at 0.

    Raises ValueError when places import each other.
    """
    found: dict[str, int] = {}

    def level(place: str, above: tuple[str, ...]) -> int:
        if place in above:
            raise ValueError(f"they import each other: {' -> '.join([*above, place])}")
        if place not in found:
            below = [level(other, (*above, place)) for other in sorted(between.get(place, ()))]
            found[place] = 1 + max(below, default=-1)
        return found[place]

    for place in sorted(between):
        level(place, ())
    return found
