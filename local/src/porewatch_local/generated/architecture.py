"""Draws docs/architecture.svg and writes the maps of docs/architecture.md from the source:
`python -m porewatch_local.generated.architecture`.

A room is a distribution or a first folder of the shared package. An arrow is an import; one that
follows from two others is left out.
"""

from __future__ import annotations

import ast
import sys
from itertools import pairwise
from xml.sax.saxutils import escape

from porewatch_local.generated.import_graph import MODULES, ROOT, ROOTS, arrows, levels

PAGE = ROOT / "docs" / "architecture.md"
PICTURE = ROOT / "docs" / "architecture.svg"
BEGIN, END = "<!-- generated: folders -->", "<!-- end of what is generated -->"
WIDTH, BOX, HEIGHT, GAP = 900, 150, 46, 44
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1b2733}rect{fill:#eef3f7;stroke:#5b7083}"
    "polyline{stroke:#5b7083;fill:none}.tip{fill:#5b7083}@media(prefers-color-scheme:dark){text{fill:#e6edf3}"
    "rect{fill:#1f2b36;stroke:#8aa0b4}polyline{stroke:#8aa0b4}.tip{fill:#8aa0b4}}"
)


def room_of(module: str) -> str:
    """`porewatch.domain.runs` -> `domain`; `porewatch_worker.main` -> `worker`."""
    root, *below = module.split(".")
    if root != "porewatch":
        return root.removeprefix("porewatch_")
    return below[0] if below else "porewatch"


def rooms() -> dict[str, set[str]]:
    """Room -> the rooms it imports; without the shared package's root, which holds a version."""
    found = {room: others - {"porewatch"} for room, others in arrows(room_of).items()}
    del found["porewatch"]
    return found


def drawn_arrows(between: dict[str, set[str]]) -> dict[str, set[str]]:
    """Without those that follow from two others."""

    def reach(place: str) -> set[str]:
        return {other for near in between[place] for other in (near, *reach(near))}

    return {
        place: {one for one in near if not any(one in reach(other) for other in near - {one})}
        for place, near in between.items()
    }


def picture(between: dict[str, set[str]]) -> str:
    """Rooms in rows, importers above what they import. A long arrow passes between boxes."""
    level = levels(between)
    rows = _rows(between, level)
    middle = {
        room: (WIDTH * (number + 1) / (len(row) + 1), 12 + at * (HEIGHT + GAP) + HEIGHT / 2)
        for at, row in enumerate(rows)
        for number, room in enumerate(row)
    }
    tall = 24 + len(rows) * (HEIGHT + GAP) - GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {tall}" role="img">',
        f"<title>Rooms of the source and their imports</title><style>{STYLE}</style>",
        '<defs><marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
        ' orient="auto"><path d="M0 0L8 4L0 8z" class="tip"/></marker></defs>',
    ]
    for room, others in sorted(drawn_arrows(between).items()):
        for other in sorted(others):
            points = _route(middle[room], middle[other], rows, middle)
            path = " ".join(f"{x:.0f},{y:.0f}" for x, y in points)
            parts.append(f'<polyline points="{path}" marker-end="url(#a)"/>')
    for room, (x, y) in sorted(middle.items()):
        parts.append(
            f'<rect x="{x - BOX / 2:.0f}" y="{y - HEIGHT / 2:.0f}" width="{BOX}" '
            f'height="{HEIGHT}" rx="6"/><text x="{x:.0f}" y="{y + 5:.0f}" '
            f'text-anchor="middle">{escape(room)}</text>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _rows(between: dict[str, set[str]], level: dict[str, int]) -> list[list[str]]:
    """From the top; in a row, each room stands near the middle of those that import it."""
    rows: list[list[str]] = []
    where: dict[str, float] = {}
    for at in range(max(level.values()), -1, -1):
        row = sorted(room for room in level if level[room] == at)
        above = {
            room: [where[one] for one, others in between.items() if room in others] for room in row
        }
        row.sort(key=lambda room: sum(above[room]) / len(above[room]) if above[room] else 0.5)
        where |= {room: (number + 1) / (len(row) + 1) for number, room in enumerate(row)}
        rows.append(row)
    return rows


def _route(
    start: tuple[float, float],
    end: tuple[float, float],
    rows: list[list[str]],
    middle: dict[str, tuple[float, float]],
) -> list[tuple[float, float]]:
    """From the lower edge of a box to the upper edge of another, by gaps of the rows between."""
    (x, y), (u, v) = start, end
    points = [(x, y + HEIGHT / 2)]
    for row in rows:
        at = middle[row[0]][1]
        if not y < at < v:
            continue
        straight = x + (u - x) * (at - y) / (v - y)
        centres = [middle[room][0] for room in row]
        edges = [-BOX / 2 + 8, *centres, WIDTH + BOX / 2 - 8]
        gaps = [(left + right) / 2 for left, right in pairwise(edges)]
        gap = min(gaps, key=lambda one: abs(one - straight))
        points += [(gap, at - HEIGHT / 2), (gap, at + HEIGHT / 2)]
    return [*points, (u, v - HEIGHT / 2 - 1)]


def maps() -> str:
    """Rooms and their folders, what is imported first, with the first line of their docstrings."""
    lines: list[str] = []
    level, room_level = levels(arrows(_folder)), levels(rooms())
    for root, folder in ROOTS.items():
        if root == "functions":
            continue
        packages = (
            module
            for module, path in MODULES.items()
            if path.name == "__init__.py" and module.startswith(f"{root}.")
        )
        rows = sorted((room_level[room_of(m)], room_of(m), level[m], m) for m in packages)
        where = folder.relative_to(ROOT).as_posix()
        lines += [f"### `{where}/`", "", "| folder | what it holds |", "|---|---|"]
        for *_, module in rows:
            below = module.removeprefix(f"{root}.").replace(".", "/")
            lines.append(f"| `{below}/` | {_first_line(module)} |")
        lines.append("")
    return "\n".join(lines)


def _folder(module: str) -> str:
    """A package's folder; a file at a distribution's root, or beside folders, is its own."""
    if MODULES[module].name == "__init__.py":
        return module
    parent = module.rpartition(".")[0]
    return parent if parent.count(".") >= _depth(parent) else module


def _depth(parent: str) -> int:
    """From where on a folder is one: files at a room's root stand for themselves."""
    return 2 if parent.startswith("porewatch.") else 1


def _first_line(module: str) -> str:
    text = ast.get_docstring(ast.parse(MODULES[module].read_text(encoding="utf-8"))) or ""
    return " ".join(text.split("\n\n")[0].split()).replace("|", "\\|")


def page(text: str) -> str:
    """The page with its maps renewed."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n\n{maps()}\n{END}{tail}"


def main() -> int:
    PICTURE.write_text(picture(rooms()), encoding="utf-8")
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
