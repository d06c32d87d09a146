"""`porewatch doctor` checks the deployed stack, and reports what is wrong with it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from porewatch_cli.operate.doctor_checks import QUOTAS, CheckVerdict, image_check, quota_check
from tests.cloud.lab import Lab

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("end to end")]


def test_a_sound_stack_has_nothing_that_would_stop_a_launch(lab: Lab) -> None:
    result = lab.command("doctor", "--json")
    checks = {check["what"]: check for check in json.loads(result.stdout)}
    failed = [check for check in checks.values() if check["verdict"] == "FAIL"]
    assert (result.returncode, failed) == (0, []), result.stderr
    assert checks["zones"]["told"].startswith("3 subnets in ")
    assert checks["state machine"]["verdict"] == checks["ledger"]["verdict"] == "OK"
    shown = lab.command("doctor").stdout
    assert "would a launch work?" in shown and "dead-letter messages" in shown


def baked(*tags: str) -> dict[str, Any]:
    """An image, as DescribeImages shows it."""
    told = [{"Key": key, "Value": "x"} for key in tags]
    return {"Architecture": "x86_64", "State": "available", "Tags": told}


@pytest.mark.parametrize(
    ("shown", "verdict"),
    [
        ([{"Architecture": "x86_64", "State": "available"}], CheckVerdict.OK),
        ([{"Architecture": "arm64", "State": "available"}], CheckVerdict.FAIL),
        ([{"Architecture": "x86_64", "State": "deregistered"}], CheckVerdict.FAIL),
        ([], CheckVerdict.FAIL),
        ([baked("porewatch-image", "porewatch-recipe")], CheckVerdict.FAIL),
        ([baked("porewatch-image", "porewatch-credentials")], CheckVerdict.OK),
        ([baked()], CheckVerdict.OK),
    ],
)
def test_machines_need_an_image_of_their_architecture(
    shown: list[dict[str, Any]], verdict: CheckVerdict
) -> None:
    check = image_check("ami-1", shown)
    assert check.verdict is verdict
    assert bool(check.remedy) == (verdict is CheckVerdict.FAIL)


@pytest.mark.parametrize(
    ("vcpus", "verdict"), [(0, CheckVerdict.FAIL), (8, CheckVerdict.WARN), (32, CheckVerdict.OK)]
)
def test_a_quota_is_counted_in_machines_that_fit(vcpus: int, verdict: CheckVerdict) -> None:
    check = quota_check(QUOTAS[0], vcpus, needed=8)
    assert check.verdict is verdict
    assert ("L-34B43A08" in check.remedy) == (verdict is not CheckVerdict.OK)
