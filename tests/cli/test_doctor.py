"""What `doctor` and `make rehearse` say of a question that was not answered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError

from porewatch_cli.operate.doctor_checks import Check, CheckVerdict, answered


def said(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "m"}}, "GetServiceQuota")


@pytest.mark.parametrize(
    ("error", "local", "told", "remedy"),
    [
        (said("AccessDeniedException"), False, "AccessDeniedException", "credentials may not"),
        (said("AccessDenied"), True, "AccessDenied", "credentials may not"),
        (said("UnauthorizedOperation"), False, "Unauthorized", "credentials may not"),
        (said("400"), True, "the embedded AWS does not know GetServiceQuota", ""),
        (said("InvalidAction"), True, "the embedded AWS does not know GetServiceQuota", ""),
        (said("InvalidAction"), False, "GetServiceQuota is not offered", "region"),
        (said("InternalError"), True, "InternalError", "later"),
        (EndpointConnectionError(endpoint_url="https://ec2"), False, "ec2", "network"),
    ],
)
def test_why_there_is_no_answer_is_said_as_it_is(
    error: ClientError | BotoCoreError, local: bool, told: str, remedy: str
) -> None:
    def look() -> Iterator[Check]:
        yield Check(what="one", verdict=CheckVerdict.OK, told="fine")
        raise error

    before, check = answered("quotas", look, local=local)
    assert before.told == "fine", "what was found before is kept"
    assert check.verdict is CheckVerdict.UNANSWERED
    assert told in check.told
    assert remedy in check.remedy and bool(remedy) == bool(check.remedy)
    assert ("credentials" in check.remedy) == ("credentials" in remedy)
