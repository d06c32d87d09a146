"""Adapters of the functions, each made from the settings in one place.

They are made for each invocation, because they hold nothing: AWS clients are kept by the process
(`adapters.clients`). What a single function uses, it makes itself.
"""

from __future__ import annotations

from porewatch.adapters.ledger.budget import Budget
from porewatch.adapters.ledger.idempotency import Inbox
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.ledger.stages import StageLedger
from porewatch.adapters.messages.deliveries import Deliveries
from porewatch.adapters.messages.notices import Topic
from porewatch.adapters.objects import Objects
from porewatch.adapters.s3.manifests import Manifests
from porewatch.adapters.table import Table
from porewatch.settings import settings


def table() -> Table:
    return Table(settings().ledger_table)


def runs() -> RunLedger:
    return RunLedger(table())


def stages() -> StageLedger:
    return StageLedger(table())


def budget(price_snapshot: str = "") -> Budget:
    """With the caps of the stack."""
    config = settings()
    return Budget(
        table(),
        run_usd=config.run_budget_usd,
        account_usd=config.account_budget_usd,
        price_snapshot=price_snapshot,
    )


def inbox() -> Inbox:
    """Idempotency keys."""
    return Inbox(table())


def raw() -> Objects:
    return Objects(settings().raw_bucket)


def results() -> Objects:
    return Objects(settings().results_bucket)


def reports() -> Objects:
    return Objects(settings().reports_bucket)


def manifests() -> Manifests:
    """Sealed manifests: noted in the ledger, kept in the raw bucket."""
    return Manifests(runs(), raw())


def notices() -> Topic:
    return Topic(settings().notice_topic_arn)


def again(receipt: str, receives: int) -> None:
    """Change the visibility timeout of a message of the function's queue (`queue.Again`)."""
    Deliveries(settings().queue_url).again(receipt, receives)
