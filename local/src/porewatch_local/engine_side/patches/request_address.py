"""A function behind a REST API sees the address that was asked: host, and the whole path.

Why: the engine leaves `requestContext.domainName` out, and says the path as it would be on AWS; its
own are `/restapis/ID/STAGE/_user_request_/...`. Pages make their links from it.
Delete when: the engine says both as its clients see them.
"""

from __future__ import annotations

from typing import Any

from ministack.services import apigateway_v1

from ..rewriting import rewrite


def address(api_id: str, stage: str, path: str, headers: dict[str, Any]) -> dict[str, str]:
    """`domainName` and `path` of a request context."""
    host = next((v for k, v in headers.items() if k.lower() == "host"), "localhost")
    named = ".execute-api." in str(host)
    before = f"/{stage}" if named else f"/restapis/{api_id}/{stage}/_user_request_"
    return {"domainName": str(host), "path": before + path}


def apply() -> None:
    rewrite(
        apigateway_v1,
        "_build_lambda_event_v1",
        (
            '            "path": f"/{stage_name}{request_path}",\n',
            "            **_porewatch_address(api_id, stage_name, request_path, headers),\n",
        ),
        _porewatch_address=address,
    )
