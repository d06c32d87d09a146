"""The hosted pages, as plain HTML."""

from __future__ import annotations

from html import escape
from typing import Any

from porewatch_local.stripe_stand_in.books import AMOUNT
from porewatch_local.stripe_stand_in.cards import CARDS

STYLE = (
    "body{font:1rem/1.5 sans-serif;max-width:32rem;margin:2rem auto;padding:0 1rem}"
    "label{display:block}button{font:inherit;padding:.5rem 1rem;margin:.5rem .5rem .5rem 0}"
)


def checkout_page(checkout: dict[str, Any], problem: str = "") -> str:
    """Pay by one of the known cards, or go back."""
    cards = "".join(
        f'<label><input type="radio" name="card" value="{number}"{" checked" * (n == 0)}> '
        f"{number} ({escape(what)})</label>"
        for n, (number, what) in enumerate(CARDS.items())
    )
    said = f'<p role="alert">{escape(problem)}</p>' if problem else ""
    form = (
        f"{said}<form method=post><fieldset><legend>Card</legend>{cards}</fieldset>"
        f"<button>Pay {AMOUNT / 100:.2f} USD</button></form>"
    )
    state = f"<p>This checkout is {escape(checkout['status'])}.</p>"
    back = f'<p><a href="{escape(checkout["cancel_url"])}">Back</a></p>'
    body = form if checkout["status"] == "open" else state
    return page("Porewatch Premium", body + back)


def paid_page(url: str) -> str:
    """It was paid: the browser goes back by itself."""
    back = escape(url)
    return page(
        "Paid",
        f'<meta http-equiv="refresh" content="0; url={back}"><p><a href="{back}">Back</a></p>',
    )


def portal_page(portal: dict[str, Any], subscriptions: list[dict[str, Any]]) -> str:
    """Cancel a subscription, at once or at the end of its month."""
    rows = "".join(
        f"<h2>{escape(one['id'])}: {escape(one['status'])}"
        f"{' until the end of the month' * one['cancel_at_period_end']}</h2>"
        f'<form method=post><input type=hidden name=subscription value="{escape(one["id"])}">'
        "<button name=do value=cancel_at_end>Cancel at the end of the month</button>"
        "<button name=do value=end>Cancel now</button></form>"
        for one in subscriptions
        if one["status"] != "canceled"
    )
    back = f'<p><a href="{escape(portal["return_url"])}">Back</a></p>'
    return page("Your subscription", (rows or "<p>There is none.</p>") + back)


def page(title: str, body: str) -> str:
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title>"
        f"<style>{STYLE}</style><main><h1>{escape(title)}</h1>"
        f"<p>A stand-in for Stripe: no money moves.</p>{body}</main></html>"
    )
