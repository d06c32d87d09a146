"""A whole sign-in at the local stand-in for Globus, in a real browser; and its page by itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Browser, Page

from porewatch.adapters.people.oidc_client import OidcClient
from porewatch.domain.people.oidc import Attempt, Identity, Provider
from porewatch_local.embedded.identity_provider import USERS, start_identity, stop_identity
from porewatch_local.paths import IdentityProvider, find_home

pytestmark = pytest.mark.web
LOOKS = pytest.mark.parametrize(
    ("dark", "width"), [(False, 1200), (True, 1200), (False, 320)], ids=["light", "dark", "phone"]
)


class Porewatch:
    """A site that does nothing but sign people in."""

    def __init__(self, local: IdentityProvider) -> None:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                if parts.path == "/sign-in":
                    site.attempt = site.client.begin("/runs")
                    self._redirect(site.attempt.url)
                elif parts.path == "/back":
                    assert site.attempt is not None
                    query = dict(parse_qsl(parts.query))
                    site.identity = site.client.finish(site.attempt, query)
                    self._redirect(site.attempt.return_to)
                else:
                    self.send_response(200)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def _redirect(self, url: str) -> None:
                self.send_response(303)
                self.send_header("Location", url)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        provider = {**local.model_dump(), "redirect_uri": f"{self.url}/back"}
        self.client = OidcClient(Provider.model_validate(provider))
        self.attempt: Attempt | None = None
        self.identity: Identity | None = None
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IdentityProvider]:
    home = find_home(tmp_path_factory.mktemp("identity"))
    try:
        yield start_identity(home).ready()
    finally:
        stop_identity(home)


@pytest.fixture
def porewatch(local: IdentityProvider) -> Iterator[Porewatch]:
    site = Porewatch(local)
    yield site
    site.server.shutdown()
    site.server.server_close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Anything that the browser complains of, or asks of another machine, fails the test."""
    opened = browser.new_page()
    troubles: list[str] = []
    opened.on("console", lambda message: troubles.append(message.text))
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.on("request", lambda request: troubles.extend(_elsewhere(request.url)))
    yield opened
    opened.close()
    assert [one for one in troubles if "favicon" not in one] == []


def _elsewhere(url: str) -> list[str]:
    return [] if urlsplit(url).hostname == "127.0.0.1" else [url]


def test_a_person_signs_in_by_a_click(porewatch: Porewatch, page: Page) -> None:
    page.goto(f"{porewatch.url}/sign-in")
    assert page.get_by_text("This is not Globus.").is_visible()
    page.get_by_role("button", name="Mateo Ruiz").click()
    page.wait_for_url(f"{porewatch.url}/runs")
    assert porewatch.identity is not None
    assert porewatch.identity.email == "mateo.ruiz@lab.example"


def test_and_by_the_keyboard_alone(porewatch: Porewatch, page: Page) -> None:
    page.goto(f"{porewatch.url}/sign-in")
    names = []
    for _ in USERS:
        page.keyboard.press("Tab")
        names.append(page.locator("button:focus strong").inner_text())
    assert names == [user["name"] for user in USERS]
    outline = page.locator("button:focus").evaluate("b => getComputedStyle(b).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    page.wait_for_url(f"{porewatch.url}/runs")
    assert porewatch.identity is not None
    assert porewatch.identity.name == "Robin Vale"
    assert not porewatch.identity.email_verified


@LOOKS
def test_the_page_has_no_accessibility_violation(
    porewatch: Porewatch, browser: Browser, axe: str, dark: bool, width: int
) -> None:
    page = browser.new_page(
        viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light"
    )
    page.goto(f"{porewatch.url}/sign-in")
    page.evaluate(axe)
    found = page.evaluate("axe.run()")["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background != "rgb(255, 255, 255)") is dark
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()
