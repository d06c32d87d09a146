"""The OpenAPI document: of all routes, current, valid, and what the API serves."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from porewatch_local.generated import openapi
from porewatch_local.generated.api_routes import ROUTES
from porewatch_local.stack_template.template import Template

TEMPLATE = Template.load(openapi.ROOT / "template.yaml")
DOCUMENT = openapi.document()


def routes_of_template() -> set[tuple[str, str]]:
    found = set()
    for function in TEMPLATE.of_type("AWS::Serverless::Function").values():
        for event in (function.get("Events") or {}).values():
            if event["Type"] == "Api":
                asked = event["Properties"]
                found.add((asked["Method"].lower(), asked["Path"]))
    return {(method, path) for method, path in found if not path.startswith("/web") and path != "/"}


def test_every_route_is_in_the_document_and_no_other() -> None:
    assert {(route.method, route.path) for route in ROUTES} == routes_of_template()
    assert len({route.name for route in ROUTES}) == len(ROUTES)


@pytest.mark.parametrize("file", [openapi.PAGE, openapi.SERVED], ids=str)
def test_the_document_is_current(file: Any) -> None:
    stale = "run `python -m porewatch_local.generated.openapi`"
    assert file.read_text(encoding="utf-8") == openapi.text(), stale


def test_every_reference_leads_somewhere() -> None:
    for ref in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(DOCUMENT)):
        place: Any = DOCUMENT
        for step in ref.split("/"):
            place = place[step]


def test_path_parameters_are_those_of_the_path() -> None:
    for path, operations in DOCUMENT["paths"].items():
        for operation in operations.values():
            said = [p["name"] for p in operation.get("parameters", []) if p["in"] == "path"]
            assert said == re.findall(r"\{(\w+)\}", path)
