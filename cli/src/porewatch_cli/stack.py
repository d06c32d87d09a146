"""Find the stack: the local embedded AWS, or a deployed stack.

`--stack NAME` (with `--profile`, `--region`) means AWS. Without it, the embedded AWS of this
folder is used if it runs (its `local.json` has the endpoint).
"""

from __future__ import annotations

import json
import os
import socket
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
)

from porewatch.adapters.accounting.statements import Accounting
from porewatch.adapters.audit.anchors import Anchors
from porewatch.adapters.audit.audit_key import AuditKey
from porewatch.adapters.audit.locked_anchors import LockedAnchors
from porewatch.adapters.audit.signatures import Signatures
from porewatch.adapters.clients import ADDRESSED
from porewatch.adapters.ledger.alerts import AlertLedger
from porewatch.adapters.ledger.known_bundles import Shelf
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.ledger.stages import StageLedger
from porewatch.adapters.money.charges import Charges
from porewatch.adapters.money.facility_rates import FacilityRates
from porewatch.adapters.objects import Objects
from porewatch.adapters.people.accounts import Accounts
from porewatch.adapters.people.project_runs import ProjectRuns
from porewatch.adapters.s3.bundle_store import BundleStore
from porewatch.adapters.table import Table
from porewatch.domain.errors import NotFound, Unavailable
from porewatch_cli.home import home

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LOCAL_FILE = "local.json"


@dataclass(frozen=True)
class Control:
    """The control endpoint of the local instance host (for `porewatch chaos`)."""

    url: str
    token: str


@dataclass(frozen=True)
class Stack:
    """A deployed Porewatch, with its AWS session and clients."""

    name: str
    session: boto3.Session
    outputs: dict[str, str]
    endpoint: str | None = None
    control: Control | None = None
    folder: Path | None = None

    @property
    def references(self) -> Path | None:
        """The folder of bundles of the embedded AWS; None for a stack on AWS."""
        if self.folder is None:
            return None
        return Path(os.environ.get("POREWATCH_REFERENCES") or self.folder / "references")

    @property
    def is_local(self) -> bool:
        return self.endpoint is not None

    def output(self, name: str) -> str:
        """A stack output; NotFound when the deployed template is older than this command."""
        try:
            return self.outputs[name]
        except KeyError:
            raise NotFound(
                f"stack {self.name} has no output {name}.",
                remedy="deploy the template of this version.",
            ) from None

    @cached_property
    def s3(self) -> S3Client:
        config = Config(
            retries={"mode": "standard", "max_attempts": 8},
            max_pool_connections=32,
            signature_version="s3v4",  # links by version 2 open in old regions only
            s3=ADDRESSED,
        )
        return self.session.client("s3", endpoint_url=self.endpoint, config=config)

    @cached_property
    def anchors(self) -> Anchors | None:
        """Signed heads of audit trails; None for a stack of an earlier version."""
        key = self.outputs.get("AuditKeyArn")
        kms = self.session.client("kms", endpoint_url=self.endpoint)
        return Anchors(self.table, self.name, key, kms) if key else None

    @property
    def locked_days(self) -> dict[date, str]:
        """Day -> digest of its record's locked copy; none without AnchorLockDays."""
        bucket = self.outputs.get("AnchorsBucketName")
        return LockedAnchors(bucket, self.s3).digests() if bucket else {}

    @cached_property
    def signatures(self) -> Signatures | None:
        """Signatures of reports; None for a stack of an earlier version."""
        key = self.outputs.get("AuditKeyArn")
        kms = self.session.client("kms", endpoint_url=self.endpoint)
        return Signatures(self.table, self.name, AuditKey(key, kms)) if key else None

    @cached_property
    def table(self) -> Table:
        client = self.session.client("dynamodb", endpoint_url=self.endpoint)
        return Table(self.output("LedgerTable"), client)

    @cached_property
    def people(self) -> Table:
        client = self.session.client("dynamodb", endpoint_url=self.endpoint)
        return Table(self.output("PeopleTable"), client)

    @cached_property
    def accounts(self) -> Accounts:
        return Accounts(self.people)

    @cached_property
    def accounting(self) -> Accounting:
        rates = FacilityRates(self.people)
        return Accounting(Charges(self.table), rates, self.accounts, self.project_runs)

    @cached_property
    def project_runs(self) -> ProjectRuns:
        return ProjectRuns(self.table)

    @cached_property
    def runs(self) -> RunLedger:
        return RunLedger(self.table)

    @cached_property
    def alerts(self) -> AlertLedger:
        return AlertLedger(self.table)

    @cached_property
    def stages(self) -> StageLedger:
        return StageLedger(self.table)

    def bucket(self, life: str) -> Objects:
        """The bucket of one lifecycle class: `Raw`, `Results`, `Reports` or `References`."""
        return Objects(self.output(f"{life}BucketName"), self.s3)

    @property
    def default_bundle(self) -> str:
        """The current bundle for runs that name none. NotFound for a stack of an earlier
        version."""
        return Shelf(self.table).default(self.output("DefaultBundle"))

    @cached_property
    def bundles(self) -> BundleStore | None:
        """The bundles that were pushed to the stack; None for a stack of an earlier version."""
        if "ReferencesBucketName" not in self.outputs:
            return None
        return BundleStore(self.bucket("References"), alone=not self.is_local)


def find_stack(
    name: str | None = None,
    *,
    profile: str | None = None,
    region: str | None = None,
    folder: Path | None = None,
) -> Stack:
    """The stack of the options, or the embedded one (of `folder`, if given).

    Raises NotFound with a remedy.
    """
    if folder is None and name is None and profile is None:
        name = os.environ.get("POREWATCH_STACK")
    if name is None and profile is None:
        return _local_stack(folder or home())
    session = boto3.Session(profile_name=profile, region_name=region)
    return Stack(name or "porewatch", session, _outputs(session, name or "porewatch"))


def _local_stack(folder: Path) -> Stack:
    path = folder / LOCAL_FILE
    if not path.exists():
        raise NotFound(
            f"there is no embedded Porewatch in {folder}, and no stack was named.",
            remedy="run `porewatch up` here; or change to the folder where it runs (or set "
            "POREWATCH_HOME to its .porewatch); or add --stack NAME for a deployed one.",
        )
    settings = json.loads(path.read_text())
    _refuse_stopped(settings["endpoint"], folder)
    keys = settings["credentials"]
    session = boto3.Session(
        aws_access_key_id=keys["access_key_id"],
        aws_secret_access_key=keys["secret_access_key"],
        region_name=settings["region"],
    )
    control = settings.get("control")
    return Stack(
        name=settings["stack_name"] or "porewatch",
        session=session,
        outputs=settings["outputs"],
        endpoint=settings["endpoint"],
        control=Control(control["url"], control["token"]) if control else None,
        folder=folder,
    )


def _refuse_stopped(endpoint: str, folder: Path) -> None:
    """Raises Unavailable, with the command to run, when the embedded AWS does not answer."""
    address = urlsplit(endpoint)
    try:
        socket.create_connection((address.hostname or "", address.port or 80), timeout=5).close()
    except OSError as error:
        raise Unavailable(
            f"the embedded AWS of {folder} is stopped ({endpoint} does not answer).",
            remedy=f"start it: porewatch up (in {folder.parent}); its runs are still there.",
        ) from error


def _outputs(session: boto3.Session, name: str) -> dict[str, str]:
    try:
        found = session.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    except EndpointConnectionError as error:
        raise Unavailable(
            f"AWS did not answer: {error}", remedy="check the network, and --region."
        ) from error
    except (NoCredentialsError, NoRegionError) as error:
        raise Unavailable(
            f"AWS was not called: {error}",
            remedy="add --profile and --region, or log in (aws configure, aws sso login).",
        ) from error
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            raise NotFound(
                f"there is no stack {name} in {session.region_name}.",
                remedy="check --stack, --profile and --region.",
            ) from error
        raise
    return {o["OutputKey"]: o["OutputValue"] for o in found.get("Outputs", [])}
