"""schemathesis asks every route of the OpenAPI document for what the document says, and for what it
does not say, by the authorizer and the real functions: it finds nothing."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from threading import Thread
from typing import Any, NamedTuple

import pytest
import schemathesis
from hypothesis import strategies as st
from moto.dynamodb.models import dynamodb_backends
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.engine.run import PhaseName
from werkzeug.serving import WSGIRequestHandler, make_server

from porewatch.adapters.table import Table
from porewatch.domain.people.roles import Role, Scope
from porewatch.settings import settings
from porewatch_local.generated.openapi import SERVED
from tests.functional.conftest import ACCOUNT, REGION
from tests.functional.gateway import STAGE, Answer, Gateway, Request
from tests.functional.test_routes_by_role import World
from tests.functional.test_webhooks import surroundings
from tests.functional.test_who_asks import api_key, token_of  # noqa: F401 - a fixture
from tests.mocked import make_ledger

LABELS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9 .äß猪]{0,60}[a-z]", fullmatch=True)
USUAL = ("2xx", "401", "403", "404", "409")
DEPENDS = {
    "register_run": ["400", "422"],  # on the layouts of this stack; on a key's first use
    "declare_files": ["400"],  # on the paths among each other
    "link_parts": ["400"],  # on the size of the file, and how it was declared
    "keep_sheet": ["400", "422"],  # on the words in it; it comes as rows or as base64
    "seal_run": ["400"],  # on what lies in the run
    "set_rates": ["400"],  # on the month that it is
    "list_alerts": ["400"],  # on the filters for which its cursor was given
}
"""Operations that may refuse what a schema allows: whether they do depends on more than one field,
or on what was sent before. Those with an Idempotency-Key also with 422: it may be a used one."""


class Ids:
    """What exists, by path parameter, in one's own place and in a foreign one."""

    def __init__(self, world: World) -> None:
        self._names = world.names

    def of(self, path: str, name: str) -> list[str]:
        place = "uploads" if path.startswith("/runs") and "shares" not in path else ""
        place = place or path.split("/")[1].removesuffix("s") + "_id"
        found = [names.get(f"{place}/{name}", names.get(name)) for names in self._names]
        return [one for one in found if one is not None]


class Finding(NamedTuple):
    operation: str
    check: str
    what: str

    def __str__(self) -> str:
        return f"{self.operation}: {self.check}: {self.what}"


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:
        """A test shows what was found, and no log of its server."""


@contextmanager
def served(gateway: Gateway) -> Iterator[str]:
    """The gateway's address, with the stage."""
    server = make_server("127.0.0.1", 0, gateway, threaded=True, request_handler=_Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{STAGE}"
    finally:
        server.shutdown()
        server.server_close()


class Tables:
    """Puts both tables back as they were after each change, so that what is asked later is there;
    `keep`: changes stay."""

    def __init__(self) -> None:
        self._tables = dynamodb_backends[ACCOUNT][REGION].tables
        self._before = {name: deepcopy(self._tables[name].items) for name in ("ledger", "people")}
        self.keep = False

    def answered(self, request: Request, answer: Answer) -> None:
        if request.method != "GET" and answer.status < 300 and not self.keep:
            self.back()

    def back(self) -> None:
        for name, rows in self._before.items():
            self._tables[name].items = deepcopy(rows)


@pytest.fixture
def world(cloud: Table, monkeypatch: pytest.MonkeyPatch) -> World:
    people = make_ledger("people")
    for name, value in surroundings().items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    return World(people, cloud)


def document(ids: Ids, gateway: Gateway, headers: dict[str, str]) -> Any:
    """The served document. What nobody can make up is in it: ids, and cursors that lists gave."""
    made = json.loads(SERVED.read_text(encoding="utf-8"))
    for path, operations in made["paths"].items():
        for operation in operations.values():
            for parameter in list(operation.get("parameters", ())):
                if parameter["in"] == "path":
                    found = ids.of(path, parameter["name"])
                    parameter["examples"] = {one: {"value": one} for one in found}
                elif parameter["schema"].get("format") == "cursor":
                    known = cursor(gateway, path, headers)
                    if known is None:
                        operation["parameters"].remove(parameter)
                    parameter["schema"]["enum"] = [known]
    return made


def cursor(gateway: Gateway, path: str, headers: dict[str, str]) -> str | None:
    """Of the second page of a list; None: it has none here."""
    answer = gateway.ask(Request("GET", path, "limit=1", headers, b""))
    found: str | None = json.loads(answer.body).get("next") if answer.status == 200 else None
    return found


def depends(made: Any) -> Iterator[tuple[str, set[str]]]:
    """DEPENDS, and operations with an Idempotency-Key, by operation."""
    for operations in made["paths"].values():
        for operation in operations.values():
            statuses = set(DEPENDS.get(operation["operationId"], ()))
            headers = {parameter["name"] for parameter in operation.get("parameters", ())}
            if statuses := statuses | ({"422"} if "Idempotency-Key" in headers else set()):
                yield operation["operationId"], statuses


def config_of(
    made: Any, headers: dict[str, str], address: str, examples: int, stateful: bool
) -> Any:
    ids: dict[str, set[str]] = defaultdict(set)
    for operations in made["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                ids[parameter["name"]] |= set(parameter.get("examples", ()))
    known = {name: sorted(values) for name, values in ids.items() if values}
    return SchemathesisConfig.from_dict(
        {
            "seed": 1,
            "base-url": address,
            "headers": headers,
            "continue-on-failure": True,
            "request-timeout": 120,  # machines that run tests are busy
            "dictionaries": {name: {"values": values} for name, values in known.items()},
            "parameters": {
                f"path.{name}": {"dictionary": name, "probability": 0.7} for name in known
            },
            "generation": {
                "max-examples": max(examples, 1),
                "deterministic": True,
                "no-shrink": True,
                "database": "none",
            },
            "phases": {
                "examples": {"enabled": False},
                "fuzzing": {"enabled": examples > 0},
                "stateful": {"enabled": stateful},
            },
            "operations": [
                {
                    "include-operation-id": operation,
                    "checks": {
                        "positive_data_acceptance": {
                            "expected-statuses": [*USUAL, *sorted(statuses)]
                        }
                    },
                }
                for operation, statuses in depends(made)
            ]
            # The gateway has one answer to all methods that it does not know; elsewhere it is the
            # one to nobody.
            + [
                {
                    "include-operation-id": operation,
                    "checks": {"unsupported_method": {"enabled": False}},
                }
                for operation in ("show_document", "hear_payment_provider")
            ],
        }
    )


def findings(
    world: World,
    headers: dict[str, str],
    *,
    examples: int = 0,
    decoded: bool = False,
    stateful: bool = False,
) -> tuple[list[Finding], int]:
    """What schemathesis finds as who these headers show, each thing once; and how often it
    asked."""
    schemathesis.openapi.format("label", LABELS)
    gateway = Gateway(decoded=decoded, remembers=not examples)
    tables, asked = Tables(), 0
    made = document(Ids(world), gateway, headers)
    gateway.answered = tables.answered
    found: dict[tuple[str, str, str], Finding] = {}
    with served(gateway) as address:
        config = config_of(made, headers, address, examples, stateful)
        schema = schemathesis.openapi.from_dict(made, config=config)
        for event in from_schema(schema).execute():
            if isinstance(event, events.PhaseStarted):
                tables.keep = event.phase.name is PhaseName.STATEFUL_TESTING
            if isinstance(event, events.ScenarioFinished):
                asked += len(event.recorder.interactions)
                for one in of_scenario(event):
                    found.setdefault((one.operation, one.check, one.what[:60]), one)
            elif isinstance(event, events.NonFatalError):
                one = Finding(event.label, "error", event.info.format())
                found[one] = one
            elif isinstance(event, events.FatalError):
                raise event.exception
    return sorted(found.values()), asked


def of_scenario(event: events.ScenarioFinished) -> Iterator[Finding]:
    recorder = event.recorder
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.failure_info is None:
                continue
            case, interaction = recorder.cases[case_id].value, recorder.interactions[case_id]
            answer = interaction.response
            said = f"{answer.status_code} {answer.content[:300]!r}" if answer else "nothing"
            asked = f"{interaction.request.method} {interaction.request.uri} {case.body!r:.300}"
            failure = check.failure_info.failure
            yield Finding(
                str(event.label or case.operation.label),
                check.name,
                f"{failure.title}. {failure.message}\n  asked: {asked}\n  said: {said}",
            )


def shown(world: World, who: str) -> dict[str, str]:
    """What somebody shows of himself."""
    if who == "nobody":
        return {}
    if who == "key":
        return {"x-api-key": "k" * 24}
    user = world.both if who == "admin" else world.users[Role(who)]
    return {"Authorization": f"Bearer {token_of(Table('people'), user, *Scope)}"}


def test_the_document_holds(world: World) -> None:
    """What the schemas allow and forbid, each once, by somebody who may do everything."""
    found, asked = findings(world, shown(world, "admin"))
    assert not found, "\n".join(map(str, found))
    assert asked > 500


@pytest.mark.slow
@pytest.mark.parametrize("who", ["admin", "operator", "submitter", "viewer", "key", "nobody"])
@pytest.mark.parametrize("decoded", [False, True])
def test_the_document_holds_for_everybody(who: str, decoded: bool, world: World) -> None:
    found, asked = findings(
        world, shown(world, who), examples=30, decoded=decoded, stateful=not decoded
    )
    assert not found, "\n".join(map(str, found))
    assert asked > 2_000
