"""What a printed report consists of: sections of prose, facts, tables and figures.

HTML and PDF print the same `Document`, so they cannot disagree. All texts and numbers in it are
ready for print; the renderers only choose type and layout.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Tone = Literal["plain", "good", "warn", "bad"]


@dataclass(frozen=True)
class Cell:
    """One cell of a table: text, a quiet second line, a tone (shown as a labelled badge)."""

    text: str
    note: str = ""
    tone: Tone | None = None
    link: str = ""  # the anchor that this cell leads to
    anchor: str = ""  # what links lead to; once a document
    label: str = ""  # a linked mark as text, for screen readers
    hatched: bool = False


@dataclass(frozen=True)
class Column:
    """A table column. The first column of a table heads its rows. `width` is a share of 1."""

    head: str
    number: bool = False
    width: float = 1.0
    code: bool = False


@dataclass(frozen=True)
class Table:
    """`empty` is the text in place of a table without rows."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    empty: str = ""
    total: tuple[Cell, ...] = ()
    grid: bool = False  # many narrow cells: marks, no notes
    kind: Literal["table"] = "table"


@dataclass(frozen=True)
class Prose:
    text: str
    tone: Tone = "plain"
    kind: Literal["prose"] = "prose"


@dataclass(frozen=True)
class Bullets:
    items: tuple[str, ...]
    kind: Literal["bullets"] = "bullets"


@dataclass(frozen=True)
class Facts:
    """Names and values, in two columns."""

    pairs: tuple[tuple[str, str], ...]
    kind: Literal["facts"] = "facts"


@dataclass(frozen=True)
class Figure:
    """A picture: `alt` describes it, `caption` interprets it."""

    svg: str
    caption: str
    alt: str


@dataclass(frozen=True)
class Figures:
    """Figures side by side (up to three), or one across the page."""

    figures: tuple[Figure, ...]
    kind: Literal["figures"] = "figures"


@dataclass(frozen=True)
class Term:
    """A term that the page uses and what it means here."""

    anchor: str
    name: str
    meaning: str


@dataclass(frozen=True)
class Terms:
    """A glossary."""

    terms: tuple[Term, ...]
    kind: Literal["terms"] = "terms"


Block = Table | Prose | Bullets | Facts | Figures | Terms


@dataclass(frozen=True)
class Section:
    """`folded`: closed at first on screen, because there is much of it; never left out."""

    id: str
    title: str
    blocks: tuple[Block, ...]
    parts: tuple[Section, ...] = ()
    folded: bool = False


@dataclass(frozen=True)
class Document:
    """`front` is the first page; `body` is the rest; `labels` are the fixed texts of the page;
    `letterhead` has no pairs without a stated laboratory or client; `explained`: heads of tables,
    and the anchors of the terms that explain them."""

    title: str
    run_id: str
    subtitle: str
    language: str
    labels: dict[str, str]
    letterhead: Facts
    synthetic: bool
    verdict: Cell
    found: Cell
    decision: str
    action: str
    remarks: tuple[str, ...]
    facts: Facts
    front: tuple[Section, ...]
    body: tuple[Section, ...]
    explained: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """A page of sections alone, such as a comparison; shown by `page.html.j2`."""

    title: str
    subtitle: str
    language: str
    labels: dict[str, str]
    synthetic: bool
    sections: tuple[Section, ...]
    explained: dict[str, str] = field(default_factory=dict)
