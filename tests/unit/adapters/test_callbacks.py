from __future__ import annotations

import json

import boto3
import pytest
from botocore.stub import Stubber

from porewatch.adapters.messages.callbacks import Callbacks
from porewatch.domain.errors import AlreadyDone, Throttled

TOKEN = "token-1"


@pytest.fixture
def stubbed(aws: None) -> Stubber:
    """The real client; its answers are the ones AWS documents."""
    stub = Stubber(boto3.client("stepfunctions"))
    stub.activate()
    return stub


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
@pytest.mark.parametrize(
    "operation", ["send_task_success", "send_task_failure", "send_task_heartbeat"]
)
def test_a_token_that_is_over_is_already_done(stubbed: Stubber, code: str, operation: str) -> None:
    stubbed.add_client_error(operation, code)
    callbacks = Callbacks(stubbed.client)
    calls = {
        "send_task_success": lambda: callbacks.succeed(TOKEN, {"manifest_key": "k"}),
        "send_task_failure": lambda: callbacks.fail(TOKEN, "WorkerLost", "silent"),
        "send_task_heartbeat": lambda: callbacks.beat(TOKEN),
    }
    with pytest.raises(AlreadyDone):
        calls[operation]()


def test_other_trouble_is_not_taken_for_an_answer(stubbed: Stubber) -> None:
    stubbed.add_client_error("send_task_success", "ThrottlingException", http_status_code=400)
    with pytest.raises(Throttled):
        Callbacks(stubbed.client).succeed(TOKEN, {})


def test_a_failure_has_the_shape_of_lambdas_and_stays_short(stubbed: Stubber) -> None:
    cause = json.dumps({"errorType": "WorkerFailed", "errorMessage": "x" * 2000})
    stubbed.add_response(
        "send_task_failure", {}, {"taskToken": TOKEN, "error": "WorkerFailed", "cause": cause}
    )
    Callbacks(stubbed.client).fail(TOKEN, "WorkerFailed", "x" * 9000)
    stubbed.assert_no_pending_responses()
