"""Answers with scripts and styles."""

from __future__ import annotations

from http import HTTPStatus

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from porewatch.web.assets import asset
from porewatch.web.render import ALWAYS, KEPT, transport
from porewatch.web.router import Visit


def add_routes(api: APIGatewayRestResolver) -> None:
    @api.get("/web/static/<name>")
    def static(name: str) -> Response[str]:
        found = asset(name)
        headers: dict[str, str | list[str]] = {
            **ALWAYS,
            "Content-Security-Policy": "default-src 'none'",
            "Cache-Control": KEPT,
            **transport(Visit(api).site),
        }
        return Response(
            status_code=HTTPStatus.OK,
            content_type=found.media_type,
            body=found.content,
            headers=headers,
        )
