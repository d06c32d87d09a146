"""The embedded AWS answers its own clients, and nobody else's pages or administrators."""

from __future__ import annotations

import urllib.error
import urllib.request

import pytest

from tests.cloud.conftest import Cloud

pytestmark = pytest.mark.cloud
FOREIGN = "https://elsewhere.example"


def status(cloud: Cloud, path: str, method: str = "GET", **headers: str) -> int:
    request = urllib.request.Request(
        cloud.local.endpoint + path,
        method=method,
        headers=headers,
        data=b"" if method == "POST" else None,
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/_ministack/reset"),
        ("POST", "/_localstack/state/reset"),
        ("GET", "/_ministack/sqs/messages"),
        ("GET", "/_ministack/lambda-code/porewatch"),
        ("POST", "/_ministack/config"),
        ("DELETE", "/_ministack/health"),
        ("POST", "/_ministack//reset"),
        ("POST", "/%5Fministack/reset"),
        ("POST", "/_ministack/x/../reset"),
    ],
)
def test_the_engines_administration_is_closed(cloud: Cloud, method: str, path: str) -> None:
    buckets = cloud.client("s3").list_buckets()["Buckets"]
    assert status(cloud, path, method) >= 400
    assert status(cloud, path, method, Origin=FOREIGN) == 403
    assert cloud.client("s3").list_buckets()["Buckets"] == buckets


@pytest.mark.parametrize("path", ["health", "request-counts", "request-counts/callers"])
def test_health_and_counts_are_all_that_is_open(cloud: Cloud, path: str) -> None:
    assert status(cloud, f"/_ministack/{path}") == 200
    assert status(cloud, f"/_ministack/{path}", "POST") == 403


@pytest.mark.parametrize("header", [{"Origin": FOREIGN}, {"Origin": "null"}, {"Host": "a.example"}])
def test_other_sites_are_refused(cloud: Cloud, header: dict[str, str]) -> None:
    assert status(cloud, "/_ministack/health", **header) == 403
    assert status(cloud, "/", **header) == 403


@pytest.mark.parametrize("host", ["localhost", "bucket.s3.localhost", "bucket.127.0.0.1"])
def test_names_of_this_machine_are_not_refused(cloud: Cloud, host: str) -> None:
    assert status(cloud, "/_ministack/health", Host=f"{host}:4566") == 200
