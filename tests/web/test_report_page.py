"""The HTML report in a real browser."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from porewatch_worker.report.pages.run_record.terms import ORDER

pytestmark = pytest.mark.web
REPORTS = ["rich", "clean", "empty", "crowded", "quantified", "perv", "many"]
ALL = [*REPORTS, *(f"{name}.ja" for name in REPORTS)]
EVERY = pytest.mark.parametrize("name", ALL)
IN_EITHER = pytest.mark.parametrize(
    "name",
    [n if n in (*REPORTS, "rich.ja") else pytest.param(n, marks=pytest.mark.slow) for n in ALL],
)
"""Where the language makes no difference: all reports in one, one in the other."""


def _open(browser: Browser, path: Path, width: int = 1200) -> tuple[Page, list[str]]:
    page = browser.new_page(viewport={"width": width, "height": 900})
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
    page.on("request", lambda request: troubles.append(f"request: {request.url}"))
    page.goto(path.as_uri())
    own = f"request: {path.as_uri()}"
    return page, [t for t in troubles if t != own and not t.startswith("request: data:,")]


@IN_EITHER
def test_the_page_asks_for_nothing_outside_itself_and_logs_nothing(
    name: str, browser: Browser, pages: dict[str, Path]
) -> None:
    page, troubles = _open(browser, pages[name])
    assert troubles == []
    assert page.title().endswith("demo-2026-03-14")
    page.close()


@IN_EITHER
def test_headings_descend_one_level_at_a_time(
    name: str, browser: Browser, pages: dict[str, Path]
) -> None:
    page, _ = _open(browser, pages[name])
    levels = page.eval_on_selector_all("h1,h2,h3,h4,h5,h6", "all => all.map(h => +h.tagName[1])")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    page.close()


@pytest.mark.parametrize(
    "name", [*(n for n in ALL if "crowded" not in n), "compare.en", "compare.ja", "validation"]
)
def test_axe_finds_no_accessibility_violation(
    name: str, browser: Browser, pages: dict[str, Path], axe: str
) -> None:
    _no_violation(browser, pages[name], axe)


@pytest.mark.parametrize("name", ["many", "perv.ja", "compare.en", "validation"])
def test_axe_finds_none_in_the_dark_either(
    name: str, browser: Browser, pages: dict[str, Path], axe: str
) -> None:
    page = _no_violation(browser, pages[name], axe, dark=True)
    paper, ink = page.evaluate(
        "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
    )
    assert (paper, ink) == ("rgb(20, 25, 30)", "rgb(228, 232, 236)")


@pytest.mark.parametrize("name", ["rich", "perv.ja", "compare.en", "validation"])
def test_axe_finds_none_on_a_phone_where_rows_are_cards(
    name: str, browser: Browser, pages: dict[str, Path], axe: str
) -> None:
    page = _no_violation(browser, pages[name], axe, width=360)
    roles = page.eval_on_selector_all(".cards table", "all => all.map(t => t.getAttribute('role'))")
    assert roles and set(roles) == {"table"}, "as a block it would be none to a screen reader"


def _no_violation(
    browser: Browser, path: Path, axe: str, *, dark: bool = False, width: int = 1200
) -> Page:
    page, _ = _open(browser, path, width)
    page.emulate_media(color_scheme="dark" if dark else "light")
    page.evaluate(axe)
    found = page.evaluate("axe.run({resultTypes: ['violations']})")
    told = [(v["id"], [n["html"][:120] for n in v["nodes"][:3]]) for v in found["violations"]]
    assert told == []
    assert len(found["passes"]) > 20
    return page


LABELS = """() => {
  // The box of the ink, not of the line: fonts differ in the height of a line (Noto CJK: 1.45 em).
  const canvas = document.createElement('canvas').getContext('2d');
  const ink = text => {
    const style = getComputedStyle(text), start = text.getStartPositionOfChar(0), to = text.getScreenCTM();
    canvas.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    const size = canvas.measureText(text.textContent);
    const top = start.y - size.actualBoundingBoxAscent, bottom = start.y + size.actualBoundingBoxDescent;
    const left = start.x - size.actualBoundingBoxLeft, right = start.x + size.actualBoundingBoxRight;
    const at = [[left, top], [right, top], [left, bottom], [right, bottom]].map(
      ([x, y]) => new DOMPoint(x, y).matrixTransform(to));
    const xs = at.map(p => p.x), ys = at.map(p => p.y);
    return {left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys)};
  };
  const seen = [];
  for (const svg of document.querySelectorAll('svg')) {
    const frame = svg.getBoundingClientRect();
    const boxes = [...svg.querySelectorAll('text')].filter(t => t.textContent.trim()).map(t => [t.textContent, ink(t)]);
    for (const [words, b] of boxes)
      if (b.left < frame.left - 1 || b.right > frame.right + 1 || b.top < frame.top - 1 || b.bottom > frame.bottom + 1)
        seen.push('outside: ' + words + ' in ' + svg.getAttribute('aria-label'));
    for (let i = 0; i < boxes.length; i++) for (let j = i + 1; j < boxes.length; j++) {
      const [a, p] = boxes[i], [b, q] = boxes[j];
      if (p.left < q.right && q.left < p.right && p.top < q.bottom && q.top < p.bottom)
        seen.push('overlap: ' + a + ' / ' + b + ' in ' + svg.getAttribute('aria-label'));
    }
  }
  return seen;
}"""  # noqa: E501


@pytest.mark.parametrize("name", [*ALL, "validation"])
def test_no_label_of_a_plot_is_clipped_or_written_over_another(
    name: str, browser: Browser, pages: dict[str, Path]
) -> None:
    page, _ = _open(browser, pages[name])
    page.eval_on_selector_all("details", "all => all.forEach(d => d.open = true)")
    assert page.locator("svg").count() > 0
    assert page.evaluate(LABELS) == []
    page.close()


def test_a_label_that_lies_on_another_is_seen(browser: Browser, pages: dict[str, Path]) -> None:
    page, _ = _open(browser, pages["rich.ja"])
    page.evaluate("""() => {
      const [one, other] = document.querySelector('svg').querySelectorAll('text');
      other.setAttribute('x', one.getAttribute('x'));
      other.setAttribute('y', +one.getAttribute('y') + 5);
    }""")
    assert any(words.startswith("overlap: ") for words in page.evaluate(LABELS))
    page.close()


@pytest.mark.parametrize("width", [390, pytest.param(1200, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", [*ALL, "validation"])
def test_the_page_never_scrolls_sideways(
    name: str, width: int, browser: Browser, pages: dict[str, Path]
) -> None:
    page, _ = _open(browser, pages[name], width)
    overhang = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(overhang) <= 0
    page.close()


def test_everything_that_scrolls_or_opens_can_be_reached_by_keyboard(
    browser: Browser, pages: dict[str, Path]
) -> None:
    page, _ = _open(browser, pages["crowded"])
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the decision"
    shut = page.locator("details:not([open]) summary")
    assert shut.count() > 80
    shut.first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details[open]").count() == 1
    page.close()


def test_a_folded_sample_is_printed_unfolded(browser: Browser, pages: dict[str, Path]) -> None:
    page, _ = _open(browser, pages["crowded"])
    hidden = page.locator("#quality-50 svg").first
    assert not hidden.is_visible()
    page.emulate_media(media="print")
    height = hidden.evaluate("e => e.getBoundingClientRect().height")
    assert height > 50
    page.close()


def test_the_synthetic_banner_comes_first_and_only_when_it_is_due(
    browser: Browser, pages: dict[str, Path]
) -> None:
    page, _ = _open(browser, pages["rich"])
    assert page.locator("body").inner_text().split("\n")[1].startswith("SYNTHETIC")
    page.close()
    page, _ = _open(browser, pages["clean"])
    assert "SYNTHETIC" not in page.content()
    page.close()


@pytest.mark.parametrize("name", ["rich", "rich.ja", "perv.ja", "compare.en", "validation"])
def test_on_a_phone_a_row_is_a_card_with_its_heads(
    name: str, browser: Browser, pages: dict[str, Path]
) -> None:
    page, _ = _open(browser, pages[name], 360)
    page.eval_on_selector_all("details", "all => all.forEach(d => d.open = true)")
    assert page.evaluate(CARDS) == []
    assert page.locator(".cards td").count() > 10
    captions = "all => Math.max(...all.map(c => c.getBoundingClientRect().right))"
    assert page.eval_on_selector_all("caption, figcaption", captions) <= 360
    page.close()


CARDS = """() => {
  const wrong = [];
  for (const cell of document.querySelectorAll('.cards td, .cards tbody th')) {
    const box = cell.getBoundingClientRect();
    if (box.left < 0 || box.right > innerWidth) wrong.push('outside: ' + cell.textContent.trim());
    if (cell.tagName == 'TD' && getComputedStyle(cell, '::before').content != JSON.stringify(cell.dataset.head))
      wrong.push('no head: ' + cell.textContent.trim());
    if (cell.scrollWidth > cell.clientWidth + 8) wrong.push('cut: ' + cell.textContent.trim());
  }
  return wrong;
}"""  # noqa: E501


def test_on_a_phone_the_matrix_scrolls_beside_its_samples(
    browser: Browser, pages: dict[str, Path]
) -> None:
    page, _ = _open(browser, pages["rich"], 360)
    frame = page.locator("#found .grid")
    frame.evaluate("e => e.scrollLeft = 200")
    assert frame.evaluate("e => e.scrollLeft") > 20
    assert page.locator("#found tbody th").first.evaluate(
        "e => e.getBoundingClientRect().left"
    ) == pytest.approx(16, abs=2)
    narrow = "all => Math.min(...all.map(cell => cell.getBoundingClientRect().width))"
    assert page.eval_on_selector_all("#found td", narrow) > 28
    page.close()


@pytest.mark.parametrize(("width", "place"), [(1280, "beside"), (900, "above"), (360, "above")])
def test_the_contents_stay_in_sight_and_hide_nothing(
    width: int, place: str, browser: Browser, pages: dict[str, Path]
) -> None:
    page, _ = _open(browser, pages["rich"], width)
    page.emulate_media(reduced_motion="reduce")
    page.evaluate("location.hash = '#cost'")
    box = page.locator("nav").bounding_box()
    title = page.locator("#cost h2").bounding_box()
    assert box is not None and title is not None
    assert 0 <= box["y"] < 900
    assert page.locator("nav a").first.is_visible()
    assert 0 <= title["y"] < 900
    if place == "beside":
        assert box["x"] + box["width"] < title["x"]
    else:
        assert box["y"] + box["height"] <= title["y"]
        assert box["height"] < 60
    page.close()


@pytest.mark.parametrize("name", ["rich", "perv.ja"])
def test_heads_lead_to_their_terms_and_each_term_is_explained(
    name: str, browser: Browser, pages: dict[str, Path]
) -> None:
    page, _ = _open(browser, pages[name])
    targets = page.eval_on_selector_all("a.term", "all => all.map(a => a.hash.slice(1))")
    assert {"term-breadth", "term-lod95", "term-call", "term-reportable"} <= set(targets)
    explained = page.eval_on_selector_all("#terms .terms > div", "all => all.map(d => d.id)")
    assert set(targets) <= set(explained) == {f"term-{term}" for term in ORDER}
    told = page.eval_on_selector_all("#terms dd", "all => all.map(d => d.textContent.length)")
    assert len(told) == len(ORDER) and min(told) > 15
    page.close()
