"""API Gateway before the real functions, as a WSGI application: routes and what the gateway answers
itself by template.yaml, the real authorizer before each function, events as AWS makes them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

from porewatch_local.stack_template.template import Template, folder_of
from simulator.handlers import ROOT, door
from tests.functional.doors import Context

STAGE = "/v1"
HOST = "abcdef1234.execute-api.eu-central-1.amazonaws.com"
TEMPLATE = Template.load(ROOT / "template.yaml")
DEFAULT_STATUS = {"UNAUTHORIZED": 401, "ACCESS_DENIED": 403, "MISSING_AUTHENTICATION_TOKEN": 403}
"""What the gateway answers unless the template says otherwise."""


class Route(NamedTuple):
    method: str
    resource: str
    function: str

    @property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.resource))


class Answer(NamedTuple):
    status: int
    headers: dict[str, list[str]]
    body: str


class Request(NamedTuple):
    """`path` as it was sent, below the stage."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


def routes_of_template() -> tuple[Route, ...]:
    """Of the API, without the pages."""
    return tuple(
        Route(event["Properties"]["Method"].upper(), event["Properties"]["Path"], folder_of(name))
        for name, function in TEMPLATE.functions.items()
        for event in function.get("Events", {}).values()
        if event["Type"] == "Api" and not event["Properties"]["Path"].startswith("/web")
    )


class Gateway:
    """`decoded`: functions get the path percent-decoded. AWS's kinds of API differ in that, and no
    route may rest on one of them. `remembers`: who asks is not asked again for the same headers,
    method and route, as a gateway does that keeps an authorizer's answers (ours does not).
    `answered` is called with each request and its answer."""

    def __init__(self, *, decoded: bool = False, remembers: bool = False) -> None:
        self.decoded, self.remembers = decoded, remembers
        self._judged: dict[Any, Any] = {}
        self.answered: Callable[[Request, Answer], None] = lambda request, answer: None
        self.routes = routes_of_template()
        self.doors: dict[str, Any] = {}
        self.own: dict[str, Any] = TEMPLATE.resources["RestApi"]["Properties"]["GatewayResponses"]

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        request = request_of(environ)
        answer = self.ask(request)
        self.answered(request, answer)
        start(
            f"{answer.status} {HTTPStatus(answer.status).phrase}",
            [(name, value) for name, values in answer.headers.items() for value in values],
        )
        return [answer.body.encode()]

    def ask(self, request: Request) -> Answer:
        found = self._route(request)
        if found is None:
            return self._refuse("MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token")
        route, parameters = found
        event = self._event(request, route, parameters)
        try:
            judged = self._authorized(event)
        except Exception as error:
            if str(error) != "Unauthorized":
                raise
            return self._refuse("UNAUTHORIZED", "Unauthorized")
        if judged["policyDocument"]["Statement"][0]["Effect"] == "Deny":
            return self._refuse("ACCESS_DENIED", "User is not authorized to access this resource")
        event["requestContext"]["authorizer"] = judged["context"]
        said = self._door(route.function)(event, Context())
        assert not said["isBase64Encoded"]
        return Answer(said["statusCode"], said["multiValueHeaders"], said["body"])

    def _authorized(self, event: dict[str, Any]) -> Any:
        shown = ("authorization", "cookie", "x-api-key", "x-csrf-token")
        headers = {name.lower(): value for name, value in event["headers"].items()}
        key = (event["resource"], event["httpMethod"], *map(headers.get, shown))
        if not (self.remembers and key in self._judged):
            self._judged[key] = self._door("authorizer")({**event, "type": "REQUEST"}, Context())
        return self._judged[key]

    def _door(self, function: str) -> Any:
        if function not in self.doors:
            self.doors[function] = door(function)
        return self.doors[function]

    def _route(self, request: Request) -> tuple[Route, dict[str, str]] | None:
        path = re.sub("/+", "/", request.path)
        for route in self.routes:
            if route.method == request.method and (match := route.pattern.fullmatch(path)):
                return route, match.groupdict()
        return None

    def _event(self, request: Request, route: Route, parameters: dict[str, str]) -> dict[str, Any]:
        path = unquote(request.path) if self.decoded else request.path
        query: dict[str, list[str]] = {}
        for name, value in parse_qsl(request.query, keep_blank_values=True):
            query.setdefault(name, []).append(value)
        return {
            "resource": route.resource, "path": path, "httpMethod": request.method,
            "methodArn": f"arn:aws:execute-api:r:1:a/v1/{request.method}{path}",
            "headers": request.headers,
            "multiValueHeaders": {name: [value] for name, value in request.headers.items()},
            "queryStringParameters": {k: v[-1] for k, v in query.items()} or None,
            "multiValueQueryStringParameters": query or None,
            "pathParameters": parameters or None,
            "body": request.body.decode(errors="replace") or None, "isBase64Encoded": False,
            "requestContext": {"path": STAGE + path, "domainName": HOST, "stage": STAGE[1:]},
        }  # fmt: skip

    def _refuse(self, kind: str, message: str) -> Answer:
        said = self.own.get(kind) or self.own["DEFAULT_4XX"]
        body = said["ResponseTemplates"]["application/json"]
        body = body.replace("$context.error.messageString", json.dumps(message))
        body = body.replace("$context.error.responseType", kind)
        headers = said["ResponseParameters"]["Headers"]
        return Answer(
            said.get("StatusCode", DEFAULT_STATUS[kind]),
            {name: [value.strip("'")] for name, value in headers.items()},
            body,
        )


def request_of(environ: dict[str, Any]) -> Request:
    path, _, query = str(environ["REQUEST_URI"]).partition("?")
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_") or name in ("CONTENT_TYPE", "CONTENT_LENGTH")
    }
    size = int(environ.get("CONTENT_LENGTH") or 0)
    return Request(
        method=environ["REQUEST_METHOD"],
        path=path.removeprefix(STAGE),
        query=query,
        headers=headers,
        body=environ["wsgi.input"].read(size),
    )
