"""The stand-in behind HTTP, on this machine alone."""

from __future__ import annotations

import json
import re
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from porewatch_local.stripe_stand_in.books import ApiProblem, Books, Thing
from porewatch_local.stripe_stand_in.pages import checkout_page, paid_page, portal_page
from porewatch_local.stripe_stand_in.sender import Sender, posting_to

HOST = "127.0.0.1"
UNKNOWN = "the stand-in has no such part of the API"


class Verb(Enum):
    GET, POST, DELETE = range(3)


class StandIn(ThreadingHTTPServer):
    """`key`: the API key that it takes; `secret`: by which events are signed; `sending`: as of
    `Sender`. `down`: it answers nobody with anything but 503."""

    daemon_threads = True

    def __init__(self, key: str, secret: str, port: int = 0, **sending: Any) -> None:
        super().__init__((HOST, port), _Handler)
        self.key, self.down = key, False
        self.sender = Sender(secret, **sending)
        self.address = f"http://{HOST}:{self.server_address[1]}"
        self.books = Books(self.address, self.sender.emit)

    def switch(self, name: str, order: Thing) -> Thing:
        """What is done to it, and not by Stripe's API: docs/how-to/connect-stripe.md."""
        match name:
            case "webhook":
                self.sender.post = posting_to(order["url"])
            case "down" | "up":
                self.down = name == "down"
            case "drop" | "deliver":
                self.sender.dropping = name == "drop"
            case "hold":
                self.sender.holding = True
            case "let_go":
                self.sender.let_go()
            case "replay":
                self.sender.replay()
            case "renew" | "end":
                getattr(self.books, name)(order["subscription"])
            case "state":
                pass
            case _:
                raise ApiProblem(404, f"there is no switch {name!r}")
        return {
            "subscriptions": list(self.books.subscriptions.values()),
            "payments": list(self.books.payments.values()),
            "events": len(self.sender.sent),
        }


class _Handler(BaseHTTPRequestHandler):
    server: StandIn

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: it is a process in the background."""

    def do_GET(self) -> None:
        self._answered(Verb.GET)

    def do_POST(self) -> None:
        self._answered(Verb.POST)

    def do_DELETE(self) -> None:
        self._answered(Verb.DELETE)

    def _answered(self, verb: Verb) -> None:
        address = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        sent = self.rfile.read(length).decode()
        order = _nested(parse_qsl(address.query) + parse_qsl(sent))
        parts = [part for part in address.path.split("/") if part]
        try:
            self._route(verb, parts, order)
        except ApiProblem as problem:
            self._json(problem.body(), problem.status)

    def _route(self, verb: Verb, parts: list[str], order: Thing) -> None:
        match parts:
            case ["stand-in", name] if verb is Verb.POST:
                self._json(self.server.switch(name, order))
            case _ if self.server.down:
                self._json({"error": {"type": "api_error", "message": "down"}}, 503)
            case ["v1", *rest]:
                self._json(self._api(verb, rest, order))
            case ["checkout", checkout_id]:
                self._checkout(verb, checkout_id, order)
            case ["portal", portal_id]:
                self._portal(verb, portal_id, order)
            case _:
                raise ApiProblem(404, "no such page")

    def _api(self, verb: Verb, parts: list[str], order: Thing) -> Thing:
        if self.headers.get("Authorization") != f"Bearer {self.server.key}":
            raise ApiProblem(401, "this is not the key")
        if verb is Verb.POST:
            return self._made(parts, order)
        return self._read(verb, parts, order)

    def _made(self, parts: list[str], order: Thing) -> Thing:
        books = self.server.books
        makers = {
            "customers": books.make_customer,
            "checkout/sessions": books.make_checkout,
            "billing_portal/sessions": books.make_portal,
            "refunds": books.refund,
        }
        if len(parts) == 2 and parts[0] == "subscriptions":
            return books.change(parts[1], order)
        if len(parts) == 4 and parts[:2] == ["checkout", "sessions"] and parts[3] == "expire":
            return books.expire(parts[2])
        make = makers.get("/".join(parts))
        if make is None:
            raise ApiProblem(404, UNKNOWN)
        return books.once(self.headers.get("Idempotency-Key"), order, make)

    def _read(self, verb: Verb, parts: list[str], order: Thing) -> Thing:
        books = self.server.books
        match parts:
            case ["customers", customer]:
                deleting = verb is Verb.DELETE
                return (books.delete_customer if deleting else books.customer)(customer)
            case ["checkout", "sessions", checkout_id]:
                return books.checkout(checkout_id)
            case ["subscriptions"]:
                found = books.of_customer(order["customer"])
                return {
                    "object": "list",
                    "data": found,
                    "has_more": False,
                    "url": "/v1/" + parts[0],
                }
            case ["subscriptions", subscription_id]:
                if verb is Verb.DELETE:
                    books.end(subscription_id)
                return books.subscription(subscription_id)
        raise ApiProblem(404, UNKNOWN)

    def _checkout(self, verb: Verb, checkout_id: str, order: Thing) -> None:
        books = self.server.books
        if verb is Verb.GET:
            return self._page(checkout_page(books.checkout(checkout_id)))
        try:
            paid = books.pay(checkout_id, order.get("card", ""))
        except ApiProblem as problem:
            return self._page(checkout_page(books.checkout(checkout_id), str(problem)), 402)
        return self._page(paid_page(paid["success_url"]))

    def _portal(self, verb: Verb, portal_id: str, order: Thing) -> None:
        books = self.server.books
        portal = books.portal(portal_id)
        mine = books.of_customer(portal["customer"])
        if verb is Verb.POST:
            wanted = [one["id"] for one in mine if one["id"] == order.get("subscription")]
            for one in wanted:
                (books.end if order.get("do") == "end" else books.cancel_at_end)(one)
            return self._go(portal["url"])
        return self._page(portal_page(portal, mine))

    def _json(self, body: Thing, status: int = 200) -> None:
        self._send(json.dumps(body).encode(), "application/json", status)

    def _page(self, text: str, status: int = 200) -> None:
        self._send(text.encode(), "text/html; charset=utf-8", status)

    def _send(self, content: bytes, kind: str, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _go(self, url: str) -> None:
        self.send_response(303)
        self.send_header("Location", url)
        self.send_header("Content-Length", "0")
        self.end_headers()


def _nested(pairs: list[tuple[str, str]]) -> Thing:
    """`a[b]=c` as {"a": {"b": "c"}}."""
    found: Thing = {}
    for name, value in pairs:
        keys = re.findall(r"[^\[\]]+", name)
        place = found
        for key in keys[:-1]:
            place = place.setdefault(key, {})
        place[keys[-1]] = value
    return found
