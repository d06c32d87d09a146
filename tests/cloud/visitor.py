"""Somebody at the pages of the embedded AWS, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page

from tests.cloud.conftest import Cloud

Look = tuple[str, str, int]
"""Locale, colour scheme, width in pixels."""
LOOKS: list[Look] = [
    ("en-GB", "light", 1200),
    ("ja-JP", "dark", 1200),
    ("en-GB", "dark", 360),
    ("ja-JP", "light", 360),
]


class Visitor:
    """A browser window, and what it complained of."""

    def __init__(self, context: BrowserContext, stack: Cloud) -> None:
        self.root = stack.outputs["WebUrl"]
        context.set_default_timeout(60_000)  # the first call of a function here compiles it
        self.context, self.page = context, context.new_page()
        self.troubles: list[str] = []
        self.page.on("console", lambda message: self.troubles.append(message.text))
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("request", lambda request: self.troubles.extend(_elsewhere(request.url)))

    def open(self, path: str) -> Page:
        self.page.goto(f"{self.root}/{path}".rstrip("/"))
        return self.page

    def sign_in(self, name: str, to: str = "/web/runs") -> Page:
        self.open(f"sign-in?to={to}")
        self.page.get_by_role("button", name=name).click()
        self.page.wait_for_url(f"**{to}")
        return self.page


@contextmanager
def window(browser: Browser, stack: Cloud, look: Look) -> Iterator[Visitor]:
    """A visitor with this locale, colour scheme and width."""
    locale, scheme, width = look
    context = browser.new_context(
        locale=locale,
        color_scheme=scheme,  # type: ignore[arg-type]
        viewport={"width": width, "height": 900},
    )
    yield Visitor(context, stack)
    context.close()


def _elsewhere(url: str) -> list[str]:
    return [] if urlsplit(url).hostname in ("127.0.0.1", "localhost") else [url]


def accessible(page: Page, axe: str, width: int) -> None:
    """No violation that axe finds, and nothing wider than the window."""
    page.evaluate(axe)
    found = page.evaluate("axe.run({iframes: false})")["violations"]
    problems = [(page.url, one["id"], one["nodes"][0]["html"]) for one in found]
    assert not problems, problems
    assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url
