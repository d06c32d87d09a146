"""An authorizer's `usageIdentifierKey` is the API key when the API says so.

Why: the engine takes the key from the header `x-api-key` alone, so a REST API whose key source is
AUTHORIZER answers 403 to everybody. On AWS the header does not count there. A stack's
`ApiKeySourceType` gets lost when the API is made from a document.
Delete when: the engine reads `apiKeySource`, and CloudFormation there sets it.
"""

from __future__ import annotations

from typing import Any

from ministack.services import apigateway_v1
from ministack.services.cloudformation import provisioners

from ..rewriting import rewrite

_NAME = "porewatch usageIdentifierKey"
"""No context value can have it: names of context values have no blank."""


def key_headers(
    api: dict[str, Any], headers: dict[str, Any], context: dict[str, Any] | None
) -> dict[str, Any]:
    """The headers among which the API key is looked for."""
    key = context.pop(_NAME, "") if context else ""
    return {"x-api-key": key} if api.get("apiKeySource") == "AUTHORIZER" else headers


def apply() -> None:
    rewrite(
        apigateway_v1,
        "_authorize_request_v1",
        (
            '        auth_ctx = _stringify_context(policy.get("context"))\n',
            '        auth_ctx = _stringify_context(policy.get("context"))\n'
            f'        auth_ctx["{_NAME}"] = str(policy.get("usageIdentifierKey") or "")\n',
        ),
    )
    rewrite(
        apigateway_v1,
        "_execute_in_scope",
        (
            "    key_error, api_key = _check_api_key(method_obj, api_id, stage_name, headers)\n",
            "    metered = _porewatch_key_headers(api, headers, authorizer_context)\n"
            "    key_error, api_key = _check_api_key(method_obj, api_id, stage_name, metered)\n",
        ),
        (
            "        api_key or _resolve_api_key(_api_key_from_request(headers)))\n",
            "        api_key or _resolve_api_key(_api_key_from_request(metered)))\n",
        ),
        _porewatch_key_headers=key_headers,
    )
    rewrite(
        provisioners,
        "_apigw_rest_api_create",
        (
            "    return api_id, _apigw_rest_api_attrs(api_id)\n",
            '    source = props.get("ApiKeySourceType", "HEADER")\n'
            '    _apigw_v1._rest_apis[api_id]["apiKeySource"] = source\n'
            "    return api_id, _apigw_rest_api_attrs(api_id)\n",
        ),
    )
