"""docs/architecture.md and its picture follow the imports; the glossary's files exist."""

from __future__ import annotations

import re

import pytest

from porewatch_local.generated import architecture
from porewatch_local.generated.import_graph import MODULES, ROOT, ROOTS, arrows, levels

GLOSSARY = ROOT / "docs/glossary.md"
ROW = re.compile(
    r"^\| (?P<term>[^|]+) \| (?P<meaning>[^|]+) \| `(?P<where>[^`]+)` \|$", re.MULTILINE
)


def test_page_and_picture_are_fresh() -> None:
    text = architecture.PAGE.read_text(encoding="utf-8")
    assert architecture.page(text) == text
    assert architecture.picture(architecture.rooms()) == architecture.PICTURE.read_text()


def test_every_folder_says_what_it_holds() -> None:
    assert "| `domain/money/` | What was spent" in architecture.maps()
    assert not [line for line in architecture.maps().splitlines() if line.endswith("|  |")]


def rows_of(text: str, root: str) -> dict[str, int]:
    """Package -> its place in the table of a distribution, from above."""
    heading = f"### `{ROOTS[root].relative_to(ROOT).as_posix()}/`"
    table = text.partition(heading)[2].partition("###")[0]
    names = re.findall(r"^\| `([^`]+)/` \|", table, re.MULTILINE)
    return {f"{root}.{name.replace('/', '.')}": place for place, name in enumerate(names)}


@pytest.mark.parametrize("root", [root for root in ROOTS if root != "functions"])
def test_no_row_imports_what_stands_further_down(root: str) -> None:
    rows = rows_of(architecture.PAGE.read_text(encoding="utf-8"), root)
    assert len(rows) > 4
    imports = arrows(lambda module: module)
    against = [
        f"{module} imports {other}"
        for module in MODULES
        for other in imports[module]
        if (row := row_of(module, rows)) and (below := row_of(other, rows))
        if rows[row] < rows[below] and not stands_for_itself(module, below)
    ]
    assert against == []


def row_of(module: str, rows: dict[str, int]) -> str:
    folder = module if module in rows else module.rpartition(".")[0]
    return folder if folder in rows else ""


def stands_for_itself(module: str, other: str) -> bool:
    """A file at the root of the room in which the other lies, as the page says."""
    room = module.rpartition(".")[0]
    return room.count(".") == 1 and room.startswith("porewatch.") and other.startswith(f"{room}.")


def test_what_follows_from_two_arrows_is_not_drawn() -> None:
    between = {"a": {"b", "c"}, "b": {"c"}, "c": set[str]()}
    assert architecture.drawn_arrows(between) == {"a": {"b"}, "b": {"c"}, "c": set()}
    assert levels(between) == {"c": 0, "b": 1, "a": 2}
    with pytest.raises(ValueError, match="a -> b -> a"):
        levels({"a": {"b"}, "b": {"a"}})


def test_the_glossary_has_forty_terms_and_names_what_exists() -> None:
    rows = list(ROW.finditer(GLOSSARY.read_text(encoding="utf-8")))
    assert len(rows) >= 40
    known = {path.as_posix() for path in ROOT.rglob("*.py") if ".venv" not in path.parts}
    folders = {path.rpartition("/")[0] + "/" for path in known}
    for row in rows:
        assert any(name.endswith(f"/{row['where']}") for name in known | folders), row["where"]
