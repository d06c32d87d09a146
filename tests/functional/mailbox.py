"""SES of the tests: what the mailer asks it to send, and outages that a test orders."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse

from porewatch.adapters import clients
from porewatch.adapters.mail.sender import ONE_ATTEMPT
from porewatch.settings import settings

FROM = "porewatch@screens.example.org"
ROOT = "https://abc.execute-api.eu-central-1.amazonaws.com/v1"


@dataclass
class Mailbox:
    """`sent`: requests that SES accepted, in order. `answers`: (status, error code) that it gives
    next, one for each request (None: it accepts); after them it accepts all."""

    sent: list[dict[str, Any]] = field(default_factory=list)
    answers: list[tuple[int, str] | None] = field(default_factory=list)
    _asked: dict[str, Any] = field(default_factory=dict)

    def to(self, address: str) -> list[dict[str, Any]]:
        return [one for one in self.sent if one["Destination"]["ToAddresses"] == [address]]

    def subjects(self) -> list[str]:
        return [one["Content"]["Simple"]["Subject"]["Data"] for one in self.sent]

    @property
    def addresses(self) -> list[str]:
        return sorted(one["Destination"]["ToAddresses"][0] for one in self.sent)

    def note(self, params: dict[str, Any], **_: Any) -> None:
        self._asked = params

    def answer(self, request: Any, **_: Any) -> AWSResponse | None:
        refusal = self.answers.pop(0) if self.answers else None
        if refusal is None:
            self.sent.append(self._asked)
            return None  # it goes on to moto
        status, code = refusal
        headers = {"x-amzn-ErrorType": code, "content-type": "application/json"}
        return _Answer(request.url, status, headers, b'{"message": "no mail to him@lab.example"}')


class _Answer(AWSResponse):
    def __init__(self, url: str, status: int, headers: dict[str, str], body: bytes) -> None:
        super().__init__(url, status, headers, None)
        self._content = body


@contextmanager
def listening() -> Iterator[Mailbox]:
    """Needs `mocked_aws`, and its settings."""
    boto3.client("sesv2").create_email_identity(EmailIdentity="screens.example.org")
    boto3.client("ses").verify_email_identity(EmailAddress=FROM)
    box = Mailbox()
    settings.cache_clear()
    events = clients.client("sesv2", ONE_ATTEMPT).meta.events
    events.register("provide-client-params.sesv2.SendEmail", box.note)
    events.register_first("before-send.sesv2.SendEmail", box.answer)
    yield box
    clients.forget()


def surroundings() -> dict[str, str]:
    sqs, kms = boto3.client("sqs"), boto3.client("kms")
    return {
        "MAIL_FROM": FROM,
        "MAIL_CONFIGURATION_SET": "porewatch-test-mail",
        "MAIL_KEY_ARN": kms.create_key()["KeyMetadata"]["Arn"],
        "PAGES_URL": ROOT.replace("abc", "API_ID"),
        "REST_API_ID": "abc",
        "QUEUE_URL": sqs.create_queue(QueueName="mail")["QueueUrl"],
        "DEAD_LETTERS_URL": sqs.create_queue(QueueName="mail-dead")["QueueUrl"],
    }
