"""The types of what commands print with `--json`; the published schemas are made of these.

Loads the worker and the models; commands do not import it.
"""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from porewatch.compute.estimate import Forecast
from porewatch.domain.base import Model
from porewatch.domain.calls.references import BundleManifest
from porewatch.domain.calls.stored_bundles import StoredBundle
from porewatch.domain.choices import KnownBundle
from porewatch.domain.facts.alerts import AlertView
from porewatch.domain.forecast.prices import PriceList
from porewatch.domain.money.budget import Books, Reservation
from porewatch.domain.money.charges import MonthCharges, Statement
from porewatch.domain.money.cost import Bill
from porewatch.domain.people.accounts import Membership, Project, User
from porewatch.domain.results.report import Report
from porewatch.domain.retention.orders import Deleted, Held
from porewatch.domain.rules.cancelling import Cancelled
from porewatch.domain.rules.orphan_cleanup import Reaped
from porewatch.domain.signatures.answers import SignatureList, SignatureView
from porewatch.domain.tiers.caps import KeptCap
from porewatch.domain.tiers.my_tier import MyTier
from porewatch_cli.money.charges import RatesKept
from porewatch_cli.operate.accounts import Adopted
from porewatch_cli.operate.chaos_archive import ArchiveTrouble
from porewatch_cli.operate.default_bundle import DefaultNow
from porewatch_cli.operate.doctor_checks import Check
from porewatch_cli.operate.redrive import Letters
from porewatch_cli.operate.registry import Rebuilt
from porewatch_cli.remote.login import Login
from porewatch_cli.remote.watch_run import RemoteRun
from porewatch_cli.reports.audit_document import Audit
from porewatch_cli.runs.listed_run import ListedRun
from porewatch_cli.runs.run_view import RunView
from porewatch_cli.submit.submission import Submission
from porewatch_cli.watch_folder.lines import WatchedFile, WatchedFolder
from porewatch_worker.report.compare import Comparison
from porewatch_worker.validation.result import Validation


class Fault(Model):
    """A fault: problem, place and remedy. `code`: for programs (docs/reference/refusal-codes.md),
    with its `values`. `record`, `line`: of `file`, counted from 1."""

    error: str
    code: str
    values: dict[str, Any]
    problem: str
    file: str | None
    record: int | None
    line: int | None
    column: str | None
    remedy: str | None


class Problem(Fault):
    """Printed on one line when the command fails. `faults`: of several files."""

    faults: list[Fault] = []


class SheetFault(Model):
    row: int | None
    column: str | None
    code: str
    values: dict[str, Any]
    problem: str
    remedy: str | None


class SheetCheck(Model):
    """`samples`: as they would be screened, with row and key of file names."""

    file: str
    usable: bool
    encoding: str | None
    samples: list[dict[str, Any]]
    faults: list[SheetFault]
    remarks: list[str]


class SheetTemplate(Model):
    """`file` is null without --out."""

    file: str | None
    sheet: str


class Logs(Model):
    """`logs`: texts by stage and epoch. `facts`: kind and fields, oldest first (docs/events.md)."""

    logs: dict[str, str]
    facts: list[tuple[str, dict[str, Any]]]


class Cost(Bill):
    """The bill; `over`: the run has ended. `budget`: what counts against the caps, in USD."""

    run_id: str
    over: bool
    budget: Books
    reservations: tuple[Reservation, ...]


class FreshPrices(Model):
    snapshot: str
    file: str
    remark: str


class Interruption(Model):
    run_id: str
    instance_id: str
    done: str


class Embedded(Model):
    """The embedded AWS: its endpoint, outputs of the stack, process ids by name."""

    endpoint: str
    region: str
    account: str
    stack_name: str | None
    outputs: dict[str, str]
    pids: dict[str, int]


class Stopped(Model):
    """The stopped processes, by name."""

    stopped: list[str]


class Pages(Model):
    """`address`: of the pages of the stack."""

    address: str


class Version(Model):
    version: str


OUTPUTS: dict[str, Any] = {
    "submit": Submission,
    "watch": RunView,
    "watch-folder": WatchedFolder,
    "list": list[ListedRun],
    "logs": Logs,
    "report": Report,
    "compare": Comparison,
    "audit": Audit,
    "tier": MyTier,
    "signatures": SignatureList,
    "sign": SignatureView,
    "amend": SignatureView,
    "alerts": list[AlertView],
    "ack": AlertView,
    "cancel": Cancelled,
    "hold": Held,
    "delete": Deleted,
    "doctor": list[Check],
    "web": Pages,
    "redrive": list[Letters],
    "reap": Reaped,
    "screen": Report,
    "validate": Validation,
    "up": Embedded,
    "down": Stopped,
    "version": Version,
    "login": Login,
    "references build": BundleManifest,
    "references list": list[BundleManifest] | list[StoredBundle],
    "references verify": BundleManifest,
    "references push": StoredBundle,
    "references default": DefaultNow,
    "references register": list[KnownBundle],
    "sheet template": SheetTemplate,
    "sheet check": SheetCheck,
    "cost run": Cost,
    "cost forecast": Forecast,
    "prices show": PriceList,
    "prices refresh": FreshPrices,
    "registry rebuild": Rebuilt,
    "charges month": MonthCharges,
    "charges statement": Statement,
    "charges rates": RatesKept,
    "people list": list[User],
    "people admin": User,
    "people disable": User,
    "people cap": KeptCap,
    "projects list": list[Project],
    "projects create": Project,
    "projects members": list[Membership],
    "projects adopt-runs": Adopted,
    "chaos interrupt": Interruption,
    "chaos kill": Interruption,
    "chaos archive": ArchiveTrouble,
}
"""Command -> what it prints. `references list` has the second form with --pushed or --stack."""
LINES = {
    "run": RunView,
    "remote": RemoteRun,
    "submitted": Submission,
    "folder": WatchedFolder,
    "file": WatchedFile,
}
"""Kind -> one line of a stream (STREAMS, with `--json`); each has `kind` and its own fields."""
STREAMS = ("watch", "watch-folder", "submit --wait")
ERROR = "error"


def schemas() -> dict[str, Any]:
    """One JSON Schema (2020-12): `$defs/command.NAME` is what a command prints, `$defs/line.KIND`
    one line of a stream, `$defs/error` what every command prints when it fails."""
    named = {f"command.{name.replace(' ', '.')}": kind for name, kind in OUTPUTS.items()}
    named |= {f"line.{kind}": model for kind, model in LINES.items()}
    named[ERROR] = Problem
    made, shared = TypeAdapter.json_schemas(
        [(name, "serialization", TypeAdapter(kind)) for name, kind in named.items()],
        ref_template="#/$defs/{model}",
    )
    defs = dict(shared["$defs"])
    for name in named:
        defs[name] = made[name, "serialization"]
    for kind in LINES:
        defs[f"line.{kind}"] = _with(defs, f"line.{kind}", kind={"const": kind})
    defs["command.watch"] = {"$ref": "#/$defs/line.run"}
    defs["command.watch-folder"] = {"$ref": "#/$defs/line.folder"}
    quoted = {"description": "the name that bills cite", "type": "string"}
    defs["command.prices.show"] = _with(defs, "command.prices.show", snapshot=quoted)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What porewatch prints with --json",
        "$defs": defs,
    }


def _with(defs: dict[str, Any], name: str, **fields: Any) -> dict[str, Any]:
    """The same object with more fields."""
    definition = defs[name]
    own = (
        dict(defs[definition["$ref"].rsplit("/", 1)[1]])
        if "$ref" in definition
        else dict(definition)
    )
    own["properties"] = {**fields, **own["properties"]}
    own["required"] = [*fields, *own.get("required", [])]
    return own
