"""Templates, and the headers of what is answered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from porewatch.domain.figures import figure
from porewatch.edge.site import Site
from porewatch.web.assets import asset_path

HTML = "text/html; charset=utf-8"
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
KEPT = "public, max-age=31536000, immutable"
REPORT_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
)
"""A report brings its own style; it runs nothing, and is of no origin."""


def policy(*connections: str) -> str:
    """Content-Security-Policy of a page, which may also connect to `connections` (S3)."""
    reach = " ".join(("'self'", *connections))
    return (
        f"default-src 'self'; connect-src {reach}; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    )


def page_headers(site: Site, *connections: str) -> dict[str, str | list[str]]:
    """Of a page: nobody keeps it, nobody frames it, and it loads nothing from elsewhere."""
    headers: dict[str, str | list[str]] = {
        **ALWAYS,
        "Content-Security-Policy": policy(*connections),
        "X-Frame-Options": "DENY",
        "Cache-Control": "no-store",
        "Vary": "Cookie, Accept-Language",
    }
    return headers | transport(site)


def transport(site: Site) -> dict[str, str | list[str]]:
    return {"Strict-Transport-Security": "max-age=31536000"} if site.secure else {}


def redirect(
    site: Site, path: str, cookies: tuple[str, ...] = (), status: int = HTTPStatus.SEE_OTHER
) -> Response[str]:
    """To a path of this site, or to a whole address."""
    address = path if path.startswith(("https://", "http://")) else site.to(path)
    headers: dict[str, str | list[str]] = {**page_headers(site), "Location": address}
    if cookies:
        headers["Set-Cookie"] = list(cookies)
    return Response(status_code=status, content_type=HTML, body="", headers=headers)


def filled(template: str, values: Mapping[str, Any]) -> str:
    """A template's text. Everything that is put in is escaped."""
    return _templates().get_template(template).render(values)


@cache
def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader("porewatch.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["asset"] = asset_path
    made.filters["moment"] = moment
    made.filters["day"] = day
    made.filters["usd"] = usd
    made.filters["size"] = size
    made.filters["figure"] = figure
    return made


def moment(at: datetime | None) -> str | Markup:
    """`2026-11-30 17:41`, in UTC, which the page says once."""
    if at is None:
        return ""
    html = Markup('<time datetime="{}">{}</time>')
    return html.format(f"{at:%Y-%m-%dT%H:%M:%SZ}", f"{at:%Y-%m-%d %H:%M}")


def day(at: datetime) -> Markup:
    """`2026-11-30`, in UTC."""
    return Markup('<time datetime="{0}">{0}</time>').format(f"{at:%Y-%m-%d}")


def usd(amount: float) -> str:
    """US dollars, with cents; less than a cent with the digits that matter.

    >>> usd(12.3456), usd(0.001234), usd(0)
    ('$12.35', '$0.0012', '$0.00')
    """
    return f"${amount:,.4f}" if 0 < amount < 0.01 else f"${amount:,.2f}"


def size(count: int) -> str:
    """Bytes, in the largest unit that leaves a whole number.

    >>> size(999), size(1_500_000)
    ('999 B', '1.5 MB')
    """
    value, unit = float(count), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 1000 or unit == "TB":
            break
        value /= 1000
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
