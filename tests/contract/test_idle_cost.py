"""What people and projects cost a stack at rest: named resources, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from porewatch_local.stack_template.rest_cost import bill
from tests.contract.test_template import TEMPLATE

BEFORE = 26.41
"""USD a month before there were accounts, at the prices of the snapshot."""
SINCE = {
    "LambdaEndpoint": "workers ask for the credentials of their own run",
    "WebhookDispatcher": "reads the queue of what webhooks are sent of",
    "WebhookSender": "reads the queue of deliveries",
    "WebhookQueueAgeAlarm": "",
    "WebhookDeadLettersAlarm": "",
    "DeliveryQueueAgeAlarm": "",
    "DeliveryDeadLettersAlarm": "",
    "Archiver": "reads the queue of what is due in the archive",
    "ArchiveQueueAgeAlarm": "",
    "ArchiveDeadLettersAlarm": "",
    "MailQueueAgeAlarm": "",
    "MailDeadLettersAlarm": "",
    "EntitlementKeeper": "reads the queue of customers whose subscriptions are to be read",
    "BillingQueueAgeAlarm": "",
    "BillingDeadLettersAlarm": "",
    "EarlyScreener": "reads the queue of sound files",
    "EarlyQueueAgeAlarm": "",
    "EarlyDeadLettersAlarm": "",
}
"""What is billed for being there and came since, with what it is for."""


def test_a_stack_at_rest_costs_what_it_did_but_for_named_resources() -> None:
    without = {name: own for name, own in TEMPLATE.resources.items() if name not in SINCE}
    assert len(without) == len(TEMPLATE.resources) - len(SINCE)
    before = replace(TEMPLATE, body={**TEMPLATE.body, "Resources": without})
    assert sum(line.usd for line in bill(before)) == pytest.approx(BEFORE, abs=0.01)
