"""Documents: links lead somewhere, each page is in the menu, named files exist, the site builds."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]
DOCS = REPOSITORY / "docs"
ZENSICAL = REPOSITORY / ".porewatch/docs/bin/zensical"
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
CODE_BLOCK = re.compile(r"^( *)```.*?^\1```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
NAMED = re.compile(r"`([\w./<>-]+/[\w.-]+\.(?:py|ya?ml|json|toml|tsv|sh|md))`")
NOT_IN_THE_REPOSITORY = ("runs/", "quarantine/", "inbox/", ".porewatch/", "manifests/")
"""Keys of buckets, and files that are made when the product runs."""


def files(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [path for line in listed.splitlines() if (path := REPOSITORY / line).is_file()]


PAGES = files("*.md")


def name(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def prose(page: Path) -> str:
    return CODE_BLOCK.sub("", page.read_text(encoding="utf-8"))


@cache
def anchors(page: Path) -> set[str]:
    """As GitHub and Python-Markdown make them of plain headings."""
    made: set[str] = set()
    for heading in HEADING.findall(prose(page)):
        text = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", heading).replace("`", "").replace("*", "")
        made.add(re.sub(r"[\s]+", "-", re.sub(r"[^\w\s-]", "", text.lower()).strip()))
    return made


def broken(page: Path, text: str) -> Iterator[str]:
    """Links of a page that lead nowhere, or, from docs/, to where the site cannot follow."""
    for link in LINK.findall(text):
        if re.match(r"[a-z]+:", link) or link.startswith("../blob/main/"):
            continue
        path, _, anchor = link.partition("#")
        goal = (page.parent / path).resolve() if path else page
        if not goal.exists():
            yield f"{link}: no such file"
        elif DOCS in page.parents and DOCS not in (goal, *goal.parents):
            yield f"{link}: leaves docs/, where the site cannot follow"
        elif DOCS in page.parents and goal.is_dir():
            yield f"{link}: a folder is no page of the site"
        elif anchor and anchor not in anchors(goal):
            yield f"{link}: no such heading"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_link_is_broken(page: Path) -> None:
    assert list(broken(page, prose(page))) == []


@pytest.mark.parametrize(
    "text",
    [
        "[a](nowhere.md)",
        "![a](nowhere.svg)",
        "[a](events.md#no-such-heading)",
        "[a](#no-such-heading)",
        "[a](../README.md)",
        "[a](adr/)",
    ],
)
def test_a_broken_link_is_seen(text: str) -> None:
    assert list(broken(DOCS / "index.md", text))


def test_every_page_is_in_the_nav_and_the_nav_names_pages_only() -> None:
    def leaves(part: object) -> Iterator[str]:
        if isinstance(part, str):
            yield part
        else:
            for one in part.values() if isinstance(part, dict) else part:  # type: ignore[attr-defined]
                yield from leaves(one)

    nav = yaml.safe_load((REPOSITORY / "mkdocs.yml").read_text())["nav"]
    pages = sorted(p.relative_to(DOCS).as_posix() for p in PAGES if DOCS in p.parents)
    assert sorted(leaves(nav)) == pages


@pytest.mark.parametrize("page", [p for p in PAGES if "adr" not in p.parts], ids=name)
def test_files_that_a_page_names_exist(page: Path) -> None:
    """A decision may name what is gone; everything else follows when a file moves."""
    if page.name == "CHANGELOG.md":
        pytest.skip("history")
    known = ["/" + name(path) for path in files()]
    named = {one for one in NAMED.findall(prose(page)) if not one.startswith(NOT_IN_THE_REPOSITORY)}
    patterns = {one: re.compile("/" + re.sub(r"<[^>]*>", "[^/]+", one) + "$") for one in named}
    assert [one for one, p in patterns.items() if not any(p.search(k) for k in known)] == []


TEST_FOLDERS = sorted({path.relative_to(REPOSITORY).parts[1] for path in files("tests/*/*.py")})


@pytest.mark.parametrize("folder", TEST_FOLDERS)
def test_every_test_folder_says_what_belongs_there_and_what_may_be_faked(folder: str) -> None:
    readme = REPOSITORY / "tests" / folder / "README.md"
    assert readme.exists(), "write what belongs here, and what may be faked"
    assert re.search(r"^# .+\n\n.+\n\n\*\*May be faked\*\*: .", readme.read_text(), re.DOTALL)


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    """The site of a copy of docs/, because the builder reads nothing outside its folder."""
    if not ZENSICAL.exists():
        pytest.fail("no documentation environment: `make docs` once")
    shutil.copy(REPOSITORY / "mkdocs.yml", folder)
    return subprocess.run(
        [ZENSICAL, "build", "--strict", "--clean", "--config-file", "mkdocs.yml"],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_site_builds_strictly(tmp_path: Path) -> None:
    shutil.copytree(DOCS, tmp_path / "docs")
    built = build(tmp_path)
    assert built.returncode == 0, built.stdout + built.stderr
    assert (tmp_path / "site/index.html").exists()


def test_a_strict_build_fails_on_a_broken_link(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/index.md").write_text("# A\n\n[b](b.md)\n")
    assert build(tmp_path).returncode != 0
