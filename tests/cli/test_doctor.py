"""What `doctor` and `make rehearse` show of a call that was not answered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError

from porewatch_cli.operate.doctor_checks import Check, CheckVerdict, answered


def error_of(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "m"}}, "GetServiceQuota")


@pytest.mark.parametrize(
    ("error", "local", "expected", "remedy"),
    [
        (error_of("AccessDeniedException"), False, "AccessDeniedException", "credentials may lack"),
        (error_of("AccessDenied"), True, "AccessDenied", "credentials may lack"),
        (error_of("UnauthorizedOperation"), False, "Unauthorized", "credentials may lack"),
        (error_of("400"), True, "the embedded AWS does not have GetServiceQuota", ""),
        (error_of("InvalidAction"), True, "the embedded AWS does not have GetServiceQuota", ""),
        (error_of("InvalidAction"), False, "GetServiceQuota is not offered", "region"),
        (error_of("InternalError"), True, "InternalError", "later"),
        (EndpointConnectionError(endpoint_url="https://ec2"), False, "ec2", "network"),
    ],
)
def test_the_reason_without_an_answer_is_shown_as_it_is(
    error: ClientError | BotoCoreError, local: bool, expected: str, remedy: str
) -> None:
    def look() -> Iterator[Check]:
        yield Check(what="one", verdict=CheckVerdict.OK, told="fine")
        raise error

    before, check = answered("quotas", look, local=local)
    assert before.told == "fine", "what was found before is kept"
    assert check.verdict is CheckVerdict.UNANSWERED
    assert expected in check.told
    assert remedy in check.remedy and bool(remedy) == bool(check.remedy)
    assert ("credentials" in check.remedy) == ("credentials" in remedy)
