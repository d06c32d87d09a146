"""Runs that people send by the API: registered, uploaded in parts, described, sealed."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.client import BaseClient

from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.objects import Objects
from porewatch.adapters.people.accounts import Accounts
from porewatch.adapters.people.slots import Admission
from porewatch.adapters.submission.multipart import MultipartUploads
from porewatch.adapters.submission.run_uploads import RunUploads
from porewatch.adapters.table import Table
from porewatch.domain import base
from porewatch.domain.people.accounts import Membership, Project, Quota, User
from porewatch.domain.people.principal import Means
from porewatch.domain.people.roles import Role
from porewatch.domain.people.secrets import new_id
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.runs import RunState
from porewatch.domain.sealing import parse_manifest
from porewatch.domain.submission.run_uploads import (
    FileToSend,
    Upload,
    UploadState,
    upload_id_of,
)
from porewatch.usecases.people.identify import user_principal
from porewatch.usecases.uploads import send_parts
from porewatch.usecases.uploads.send_parts import complete_upload
from porewatch.usecases.uploads.upload_context import UploadContext
from tests.functional.doors import KEY_HOLDER, Context, door, keys, put, send
from tests.mocked import make_ledger

AT = datetime(2026, 3, 2, tzinfo=UTC)
READS = b"@r1 flow_cell_id=FAX1\nACGT\n+\nIIII\n"
SHEET = "name,barcode\npig 1,barcode01\npig 2,barcode02\n"
Lab = dict[str, str]


@pytest.fixture
def accounts(cloud: Table) -> Accounts:
    return Accounts(make_ledger("people"))


@pytest.fixture
def lab(accounts: Accounts) -> Lab:
    """Two projects, a submitter in each, and a viewer in the first."""
    found: Lab = {}
    for name in ("mine", "foreign"):
        found[name] = new_id("p")
        accounts.add_project(
            Project(project_id=found[name], name=name, created_at=AT, created_by="u")
        )
        found[f"{name} user"] = a_member(accounts, found[name], Role.SUBMITTER)
    found["viewer"] = a_member(accounts, found["mine"], Role.VIEWER)
    return found


def a_member(accounts: Accounts, project: str, role: Role) -> str:
    user_id = new_id("u")
    accounts.add_user(
        User(
            user_id=user_id, issuer="https://i", subject=user_id, name="Ada", created_at=AT,
            seen_at=AT,
        )
    )  # fmt: skip
    accounts.put_member(
        Membership(place=project, user_id=user_id, roles=frozenset({role}), given_by="u", at=AT)
    )
    return user_id


def claims(user_id: str, scopes: str = "*") -> dict[str, str]:
    return {"means": "token", "user_id": user_id, "scopes": scopes}


def ask(
    method: str,
    path: str,
    who: dict[str, str],
    body: Any = None,
    *,
    query: dict[str, str] | None = None,
    **headers: str,
) -> tuple[int, Any]:
    event = {
        "httpMethod": method, "path": path, "queryStringParameters": query,
        "headers": {name.replace("_", "-"): value for name, value in headers.items()},
        "body": body if isinstance(body, str | None) else json.dumps(body),
        "isBase64Encoded": False, "requestContext": {"authorizer": who},
    }  # fmt: skip
    answer = door("uploads")(event, Context())
    return answer["statusCode"], json.loads(answer["body"])


def registered(lab: Lab, whose: str = "mine", name: str = "herd 7", **more: str) -> str:
    order = {"project": lab[whose], "name": name, **more}
    status, found = ask("POST", "/runs", claims(lab[f"{whose} user"]), order)
    assert status == 201, found
    return str(found["run_id"])


def declared(run_id: str, who: dict[str, str], *files: dict[str, Any], **more: Any) -> list[Any]:
    order = {"files": files, **more}
    status, found = ask("POST", f"/runs/{run_id}/uploads", who, order)
    assert status == 201, found
    answers: list[Any] = found["files"]
    return answers


def put_part(link: dict[str, Any], content: bytes) -> None:
    """As S3 takes what is PUT at a link. (moto is not behind HTTP here; tests/cloud uses them.)"""
    assert len(content) == link["size"]
    address = urlsplit(link["url"])
    asked = {name: values[0] for name, values in parse_qs(address.query).items()}
    assert "content-length" in asked["X-Amz-SignedHeaders"]
    assert int(asked["X-Amz-Expires"]) == 900
    key = address.path.removeprefix("/").removeprefix("raw/")
    more: Any = {}
    if checksum := link["headers"].get("x-amz-checksum-sha256"):
        more["ChecksumSHA256"] = checksum
    boto3.client("s3").upload_part(
        Bucket="raw", Key=key, UploadId=asked["uploadId"], PartNumber=int(asked["partNumber"]),
        Body=content, **more,
    )  # fmt: skip


def sent(run_id: str, who: dict[str, str], path: str, content: bytes = READS) -> str:
    [answer] = declared(run_id, who, {"path": path, "size": len(content)})
    for link in answer["links"]:
        put_part(link, content)
    upload = f"/runs/{run_id}/uploads/{answer['upload_id']}"
    status, found = ask("POST", f"{upload}/complete", who)
    assert (status, found["state"]) == (200, "done")
    return str(answer["upload_id"])


def a_run_in(lab: Lab, **more: str) -> tuple[str, dict[str, str]]:
    return registered(lab, **more), claims(lab["mine user"])


def test_a_registered_run_belongs_to_its_project(lab: Lab, runs: RunLedger) -> None:
    record = runs.get(registered(lab))
    assert (record.project, record.name, record.state) == (
        lab["mine"],
        "herd 7",
        RunState.RECEIVING,
    )
    assert record.submitted_by == lab["mine user"]
    order = {"project": lab["mine"], "name": "Herd 7"}
    assert ask("POST", "/runs", claims(lab["mine user"]), order)[1]["code"] == "name_taken"


def test_who_may_not_submit_registers_nothing(lab: Lab) -> None:
    order = {"project": lab["mine"], "name": "x"}
    assert ask("POST", "/runs", claims(lab["viewer"]), order)[0] == 403
    assert ask("POST", "/runs", claims(lab["foreign user"]), order)[0] == 404
    assert ask("POST", "/runs", {}, order)[0] == 401
    assert ask("POST", "/runs", claims(lab["mine user"], "read"), order)[0] == 403
    assert ask("POST", "/runs", KEY_HOLDER, order)[0] == 403


def test_a_request_sent_twice_registers_one_run(lab: Lab) -> None:
    who, order = claims(lab["mine user"]), {"project": lab["mine"], "name": "x"}
    first = ask("POST", "/runs", who, order, Idempotency_Key="k1")
    assert ask("POST", "/runs", who, order, Idempotency_Key="k1") == first
    status, found = ask("POST", "/runs", who, {**order, "name": "y"}, Idempotency_Key="k1")
    assert (status, found["code"]) == (422, "key_reused")
    theirs = {"project": lab["foreign"], "name": "y"}
    other = claims(lab["foreign user"])
    assert ask("POST", "/runs", other, theirs, Idempotency_Key="k1")[0] == 201


def test_a_project_bounds_its_runs(lab: Lab, accounts: Accounts) -> None:
    accounts.change_project(
        lab["mine"], lambda p: p.model_copy(update={"quota": Quota(runs_at_once=1)})
    )
    registered(lab, name="one")
    order = {"project": lab["mine"], "name": "two"}
    status, found = ask("POST", "/runs", claims(lab["mine user"]), order)
    assert (status, found["code"]) == (409, "project_full")
    accounts.change_project(lab["mine"], lambda p: p.model_copy(update={"closed": True}))
    status, found = ask("POST", "/runs", claims(lab["mine user"]), order)
    assert (status, found["code"]) == (409, "project_closed")


@pytest.mark.parametrize("wrong", [{"profile": "huge"}, {"bundle": "a/b"}, {"release_policy": "/"}])
def test_mistyped_options_are_refused_at_once(lab: Lab, wrong: dict[str, str]) -> None:
    order = {"project": lab["mine"], "name": "x", **wrong}
    assert ask("POST", "/runs", claims(lab["mine user"]), order)[0] == 400


def test_a_file_goes_where_it_lies_in_its_folder(lab: Lab) -> None:
    run_id, who = a_run_in(lab)
    sent(run_id, who, "fastq_pass/barcode01/a.fastq")
    assert keys("runs/") == [f"runs/{run_id}/fastq_pass/barcode01/a.fastq"]


@pytest.mark.parametrize(
    "path",
    [
        *("../b/a.fastq", "/a.fastq", "a/../../b.fastq", "a\\b.fastq", "C:a.fastq", "~/a.fastq"),
        *("run.json", "x/run.json", "quarantine/a.fastq", "Manifests/a.fastq", "content/a.fastq"),
        *("a\nb.fastq", "a//b.fastq", "./a.fastq", "a/", "a\u202eb.fastq", "a" * 600 + ".fastq"),
        *("a.cram", "a.fastq.zip", "sub/input.tar"),
    ],
)
def test_what_may_lie_in_no_run_is_refused(lab: Lab, path: str) -> None:
    run_id, who = a_run_in(lab)
    [answer] = declared(run_id, who, {"path": path, "size": 5})
    assert (answer["verdict"], answer["upload_id"], bool(answer["problem"])) == (
        "refused", None, True,
    )  # fmt: skip
    assert boto3.client("s3").list_multipart_uploads(Bucket="raw").get("Uploads", []) == []


@pytest.mark.parametrize(
    "path", ["fastq_fail/a.fastq", "report_1.html", "x.bai", ".DS_Store", "t.xlsx"]
)
def test_what_is_not_read_is_not_uploaded(lab: Lab, path: str) -> None:
    run_id, who = a_run_in(lab)
    [answer] = declared(run_id, who, {"path": path, "size": 5})
    assert (answer["verdict"], answer["upload_id"]) == ("left_out", None)


def test_an_upload_goes_on_after_a_reload(lab: Lab) -> None:
    run_id, who = a_run_in(lab)
    content = bytes(range(256)) * 40_000  # 10 MB: two parts
    file = {"path": "pod5/a.pod5", "size": len(content), "modified": 5}
    [first] = declared(run_id, who, file)
    upload = f"/runs/{run_id}/uploads/{first['upload_id']}"
    _, links = ask("POST", f"{upload}/urls", who, {"parts": [2]})
    put_part(links["links"][0], content[first["part_bytes"] :])

    _, listed = ask("GET", f"/runs/{run_id}/uploads", who, query={"state": "open"})
    assert [(u["path"], u["modified"]) for u in listed["uploads"]] == [("pod5/a.pod5", 5)]
    [again] = declared(run_id, who, file)
    assert again == first
    assert [p["number"] for p in ask("GET", upload, who)[1]["arrived"]] == [2]
    status, found = ask("POST", f"{upload}/complete", who)
    assert (status, found["code"]) == (409, "conflict")
    _, links = ask("POST", f"{upload}/urls", who, {"parts": [1]})
    put_part(links["links"][0], content[: first["part_bytes"]])
    assert ask("POST", f"{upload}/complete", who)[1]["state"] == "done"
    assert ask("POST", f"{upload}/complete", who)[1]["state"] == "done"
    head = boto3.client("s3").head_object(Bucket="raw", Key=f"runs/{run_id}/pod5/a.pod5")
    assert head["ContentLength"] == len(content)


def test_another_file_of_the_same_path_begins_from_nothing(lab: Lab) -> None:
    run_id, who = a_run_in(lab)
    [first] = declared(run_id, who, {"path": "a.fastq", "size": 5, "modified": 1})
    [second] = declared(run_id, who, {"path": "a.fastq", "size": 6, "modified": 2})
    assert first["upload_id"] == second["upload_id"]
    assert first["links"][0]["url"] != second["links"][0]["url"]
    begun = boto3.client("s3").list_multipart_uploads(Bucket="raw")["Uploads"]
    assert len(begun) == 1
    assert ask("GET", f"/runs/{run_id}/uploads", who)[1]["bytes"] == 6


def test_a_file_of_another_size_is_refused_and_forgotten(lab: Lab) -> None:
    run_id, who = a_run_in(lab)
    [answer] = declared(run_id, who, {"path": "a.fastq", "size": 5})
    address = urlsplit(answer["links"][0]["url"])
    begun = parse_qs(address.query)["uploadId"][0]
    boto3.client("s3").upload_part(
        Bucket="raw", Key=f"runs/{run_id}/a.fastq", UploadId=begun, PartNumber=1, Body=b"12345678"
    )
    upload = f"/runs/{run_id}/uploads/{answer['upload_id']}"
    status, found = ask("POST", f"{upload}/complete", who)
    assert (status, found["code"]) == (400, "input_refused")
    assert keys() == []
    assert boto3.client("s3").list_multipart_uploads(Bucket="raw").get("Uploads", []) == []
    assert ask("GET", f"/runs/{run_id}/uploads", who)[1]["bytes"] == 0


def test_a_run_has_no_more_bytes_than_its_project_allows(lab: Lab, accounts: Accounts) -> None:
    accounts.change_project(
        lab["mine"], lambda p: p.model_copy(update={"quota": Quota(run_gigabytes=1e-8)})
    )
    run_id, who = a_run_in(lab)
    declared(run_id, who, {"path": "a.fastq", "size": 6})
    order = {"files": [{"path": "b.fastq", "size": 6}]}
    assert ask("POST", f"/runs/{run_id}/uploads", who, order)[0] == 400
    [first] = ask("GET", f"/runs/{run_id}/uploads", who)[1]["uploads"]
    assert ask("DELETE", f"/runs/{run_id}/uploads/{first['upload_id']}", who)[1]["state"] == "ended"
    assert ask("POST", f"/runs/{run_id}/uploads", who, order)[0] == 201


def test_a_file_that_is_given_up_is_gone_and_still_counts_as_stored(
    lab: Lab, accounts: Accounts
) -> None:
    """Its versions lie there for a week: replacing files again and again passes no quota."""
    size = len(READS)
    accounts.change_project(
        lab["mine"], lambda p: p.model_copy(update={"quota": Quota(run_gigabytes=2.5 * size / 1e9)})
    )
    run_id, who = a_run_in(lab)
    upload_id = sent(run_id, who, "a.fastq")
    assert ask("DELETE", f"/runs/{run_id}/uploads/{upload_id}", who)[1]["state"] == "ended"
    assert "Contents" not in boto3.client("s3").list_objects_v2(
        Bucket="raw", Prefix=f"runs/{run_id}/"
    )
    sent(run_id, who, "a.fastq")
    order = {"files": [{"path": "a.fastq", "size": size, "modified": 5}]}
    assert ask("POST", f"/runs/{run_id}/uploads", who, order)[1]["code"] == "input_refused"


def test_an_old_object_is_not_taken_for_the_new_file(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3 gives up parts after a week: what lies there then is what was sent before."""
    run_id, who = a_run_in(lab)
    sent(run_id, who, "a.fastq")
    monkeypatch.setattr(base, "clock", lambda: base.wall() + timedelta(days=8))
    again = {"path": "a.fastq", "size": len(READS), "modified": 5}
    [answer] = declared(run_id, who, again)
    link = answer["links"][0]
    asked = {name: values[0] for name, values in parse_qs(urlsplit(link["url"]).query).items()}
    key = urlsplit(link["url"]).path.removeprefix("/").removeprefix("raw/")
    boto3.client("s3").abort_multipart_upload(Bucket="raw", Key=key, UploadId=asked["uploadId"])
    upload = f"/runs/{run_id}/uploads/{answer['upload_id']}"
    assert ask("POST", f"{upload}/complete", who)[0] == 404
    assert ask("GET", upload, who)[1]["state"] == "ended"


def test_a_part_comes_with_the_checksum_that_was_asked_for(lab: Lab) -> None:
    run_id, who = a_run_in(lab)
    [answer] = declared(run_id, who, {"path": "a.fastq", "size": len(READS)}, part_checksums=True)
    assert answer["links"] == []
    upload = f"/runs/{run_id}/uploads/{answer['upload_id']}"
    assert ask("POST", f"{upload}/urls", who, {"parts": [1]})[0] == 400
    digest = hashlib.sha256(READS)
    parts = [{"number": 1, "sha256": digest.hexdigest()}]
    _, links = ask("POST", f"{upload}/urls", who, {"parts": parts})
    [link] = links["links"]
    assert link["headers"] == {"x-amz-checksum-sha256": b64encode(digest.digest()).decode()}
    assert "x-amz-checksum-sha256" in link["url"]
    put_part(link, READS)
    assert ask("POST", f"{upload}/complete", who)[0] == 200
    assert ask("POST", f"{upload}/urls", who, {"parts": [1]})[0] == 409


def test_nobody_of_another_project_reaches_a_run(lab: Lab) -> None:
    run_id, who = a_run_in(lab)
    [answer] = declared(run_id, who, {"path": "a.fastq", "size": 5})
    upload = f"/runs/{run_id}/uploads/{answer['upload_id']}"
    for method, path, body in (
        ("POST", f"/runs/{run_id}/uploads", {"files": [{"path": "b.fastq", "size": 5}]}),
        ("GET", f"/runs/{run_id}/uploads", None),
        ("GET", upload, None),
        ("POST", f"{upload}/urls", {"parts": [1]}),
        ("POST", f"{upload}/complete", {}),
        ("DELETE", upload, None),
        ("PUT", f"/runs/{run_id}/sheet", SHEET),
        ("GET", f"/runs/{run_id}/sheet", None),
        ("POST", f"/runs/{run_id}/seal", {}),
    ):
        assert ask(method, path, claims(lab["foreign user"]), body)[0] == 404, (method, path)
        assert ask(method, path, {}, body)[0] == 401
        if method != "GET":
            assert ask(method, path, claims(lab["viewer"]), body)[0] == 403
    foreign = registered(lab, "foreign")
    other = f"/runs/{foreign}/uploads/{answer['upload_id']}"
    assert ask("POST", f"{other}/complete", claims(lab["foreign user"]))[0] == 404


def test_a_sheet_is_checked_and_kept(lab: Lab) -> None:
    run_id, who = a_run_in(lab)
    path = f"/runs/{run_id}/sheet"
    assert ask("GET", path, who)[0] == 404
    status, found = ask("PUT", path, who, "name,barcode\na,barcode01\nb,barcode01\n")
    assert (status, found["valid"]) == (422, False)
    assert [(f["code"], f["row"], f["column"]) for f in found["faults"]] == [
        ("sheet_barcode_twice", 2, "barcode")
    ]
    assert ask("GET", path, who)[0] == 404
    status, found = ask("PUT", path, who, SHEET, Content_Type="text/csv")
    assert (status, [s["name"] for s in found["samples"]]) == (200, ["pig 1", "pig 2"])
    assert ask("GET", path, who)[1]["csv"] == SHEET
    rows = [{"name": "pig 3", "barcode": "barcode03"}, {"name": "pig 4", "barcode": "barcode04"}]
    json_body = {"Content_Type": "application/json"}
    assert ask("PUT", path, who, {"rows": rows}, **json_body)[0] == 200
    assert "pig 3,barcode03" in ask("GET", path, who)[1]["csv"]
    japanese = b64encode("name,barcode\n豚,barcode01\n".encode("cp932")).decode()
    status, found = ask("PUT", path, who, {"base64": japanese}, **json_body)
    assert (status, found["samples"][0]["name"]) == (200, "豚")
    for wrong in ({}, {"base64": "?"}, {"rows": [{"a": "1"}, {"b": "2"}]}):
        assert ask("PUT", path, who, wrong, **json_body)[0] == 400
    assert ask("PUT", path, who, "name\n\ufffd\n")[0] == 400


def checked(run_id: str, path: str) -> None:
    """What the validator does with an object that has landed."""
    key = f"runs/{run_id}/{path}"
    content = boto3.client("s3").get_object(Bucket="raw", Key=key)["Body"].read()
    assert send("fastq_validator", put(key, content)) == []


def sealed_by_intake(run_id: str) -> RunRecord:
    key = f"runs/{run_id}/run.json"
    content = boto3.client("s3").get_object(Bucket="raw", Key=key)["Body"].read()
    assert send("pipeline_orchestrator", put(key, content)) == []
    return RunLedger(Table("ledger")).get(run_id)


def manifest_of(run_id: str) -> Any:
    content = boto3.client("s3").get_object(Bucket="raw", Key=f"runs/{run_id}/run.json")
    return parse_manifest(content["Body"].read(), run_id=run_id)


def test_a_sealed_run_is_what_was_uploaded(lab: Lab) -> None:
    run_id, who = a_run_in(lab)
    ask("PUT", f"/runs/{run_id}/sheet", who, SHEET)
    sent(run_id, who, "fastq_pass/barcode01/a.fastq")
    sent(run_id, who, "fastq_pass/barcode02/b.fastq", READS.replace(b"r1", b"r2"))
    declared(run_id, who, {"path": "fastq_fail/c.fastq", "size": 7})
    summary = (
        b"instrument=MN1\nflow_cell_id=FAX1\nprotocol=x\nstarted=2026-03-01T10:00:00+00:00\n"
        b"acquisition_stopped=2026-03-01T12:00:00+00:00\nfastq_files_in_final_dest=2\n"
        b"protocol_run_id=1\nacquisition_run_id=2\nsample_id=s\nposition=p\n"
    )
    sent(run_id, who, "final_summary_FAX1.txt", summary)
    checked(run_id, "fastq_pass/barcode01/a.fastq")
    status, found = ask("POST", f"/runs/{run_id}/seal", who)
    assert status == 200, found
    assert ask("POST", f"/runs/{run_id}/seal", who) == (status, found)
    manifest = manifest_of(run_id)
    assert manifest.digest() == found["manifest_digest"]
    assert [s.name for s in manifest.samples] == ["pig 1", "pig 2"]
    assert [(f.path, f.at, f.barcode) for f in manifest.files] == [
        ("fastq/barcode01/a.fastq", "fastq_pass/barcode01/a.fastq", "barcode01"),
        ("fastq/barcode02/b.fastq", "fastq_pass/barcode02/b.fastq", "barcode02"),
    ]
    assert [f.sha256 is None for f in manifest.files] == [False, True]
    assert manifest.left_out[0].files == 1
    assert manifest.sequencing.flow_cell == "FAX1"
    assert sealed_by_intake(run_id).state is RunState.SEALED
    again = ask("POST", f"/runs/{run_id}/seal", who)[1]
    assert again["manifest_digest"] == found["manifest_digest"]
    order = {"files": [{"path": "late.fastq", "size": 5}]}
    assert ask("POST", f"/runs/{run_id}/uploads", who, order)[1]["code"] == "run_not_over"


def test_nothing_is_sealed_while_files_are_under_way(lab: Lab) -> None:
    run_id, who = a_run_in(lab)
    [answer] = declared(run_id, who, {"path": "a.fastq", "size": 5})
    assert ask("POST", f"/runs/{run_id}/seal", who)[1]["code"] == "uploads_open"
    ask("DELETE", f"/runs/{run_id}/uploads/{answer['upload_id']}", who)
    assert ask("POST", f"/runs/{run_id}/seal", who)[1]["code"] == "input_refused"  # no reads
    assert keys() == []


def test_a_damaged_file_is_named_and_can_be_sent_again(lab: Lab) -> None:
    run_id, who = a_run_in(lab)
    sent(run_id, who, "a.fastq")
    sent(run_id, who, "b.fastq", b"@r\nACGT\n+\nII\n")
    checked(run_id, "b.fastq")
    status, found = ask("POST", f"/runs/{run_id}/seal", who)
    assert (status, found["file"]) == (400, "b.fastq")
    assert ask("POST", f"/runs/{run_id}/seal", who, {"accept_lost": True})[0] == 200
    assert [lost.path for lost in manifest_of(run_id).lost] == ["b.fastq"]


def tar_of(**files: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name.replace("__", "/"))
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


def unpacked(run_id: str, stored: str, content: bytes) -> None:
    assert send("bundle_unpacker", put(f"runs/{run_id}/{stored}", content)) == []


def test_a_tar_is_unpacked_into_the_run_that_it_was_uploaded_for(lab: Lab, runs: RunLedger) -> None:
    run_id, who = a_run_in(lab, release_policy="donor-screening")
    tar = tar_of(**{"fastq__a.fastq": READS})
    sent(run_id, who, "anything.tar", tar)
    stored = "release-policy=donor-screening/input.tar"
    assert keys() == [f"runs/{run_id}/{stored}"]
    order = {"files": [{"path": "a.fastq", "size": 5}]}
    assert ask("POST", f"/runs/{run_id}/uploads", who, order)[0] == 400
    assert ask("PUT", f"/runs/{run_id}/sheet", who, SHEET)[0] == 400
    assert ask("POST", f"/runs/{run_id}/seal", who)[0] == 409
    unpacked(run_id, stored, tar)
    assert manifest_of(run_id).release_policy == "donor-screening"
    assert sealed_by_intake(run_id).project == lab["mine"]


@pytest.mark.parametrize("whose", ["mine", "foreign", "nobody"])
def test_a_tar_that_names_another_run_touches_nothing_of_it(
    lab: Lab, runs: RunLedger, whose: str
) -> None:
    run_id, _ = a_run_in(lab)
    other = "free-id" if whose == "nobody" else registered(lab, whose, name="other")
    if whose != "nobody":
        sent(other, claims(lab[f"{whose} user"]), "fastq/a.fastq", READS)
    before = keys(f"runs/{other}/")
    digest = hashlib.sha256(READS).hexdigest()
    file = {"path": "fastq/a.fastq", "kind": "fastq", "size": len(READS), "sha256": digest}
    theirs = {
        "schema_version": "1", "run_id": other, "created_at": "2026-03-01T00:00:00Z",
        "created_by": "x", "profile": "default", "bundle": None, "release_policy": "default",
        "files": [{**file, "barcode": None}], "samples": [{"name": "pig 1"}],
    }  # fmt: skip
    tar = tar_of(**{"run.json": json.dumps(theirs).encode(), "fastq__a.fastq": READS})
    unpacked(run_id, "input.tar", tar)
    assert manifest_of(run_id).run_id == run_id
    assert keys(f"runs/{other}/") == before
    record = runs.find(other)
    assert record is None or record.state is RunState.RECEIVING


@pytest.mark.parametrize("name", ["..__b__a.fastq", "__abs.fastq", "x__..__..__b__a.fastq"])
def test_a_tar_that_leaves_its_run_writes_nothing(lab: Lab, name: str) -> None:
    run_id, _ = a_run_in(lab)
    other = registered(lab, "foreign", name="b")
    unpacked(run_id, "input.tar", tar_of(**{name.replace("b", other): READS}))
    assert keys("runs/") == []


def test_a_refusal_is_a_problem_document(lab: Lab) -> None:
    status, found = ask(
        "POST", "/runs", claims(lab["viewer"]), {"project": lab["mine"], "name": "x"}
    )
    assert found["type"] == "urn:porewatch:problem:forbidden"
    assert (found["status"], found["title"], found["code"]) == (status, "Forbidden", "forbidden")
    assert found["problem"] == f"{found['detail']} Remedy: {found['remedy']}"
    assert found["error"] == "Forbidden"
    run_id, who = a_run_in(lab)
    body = {"base64": b64encode(b"PK\x03\x04").decode()}
    _, found = ask("PUT", f"/runs/{run_id}/sheet", who, body, Content_Type="application/json")
    assert [fault["code"] for fault in found["faults"]] == ["sheet_is_workbook"]
    _, found = ask("POST", f"/runs/{run_id}/seal", who, "[")
    assert "remedy" not in found


def test_the_api_serves_its_document(lab: Lab) -> None:
    event = {
        "httpMethod": "GET", "path": "/openapi.json", "headers": {}, "body": None,
        "queryStringParameters": None, "requestContext": {"authorizer": {"means": "nobody"}},
    }  # fmt: skip
    answer = door("api")(event, Context())
    assert json.loads(answer["body"])["openapi"] == "3.1.0"


def test_a_left_out_file_of_any_size_stays_in_the_list(lab: Lab) -> None:
    """S3 has no object of 6 TiB, and this is none."""
    run_id, who = a_run_in(lab)
    size = 6 * 2**40
    declared(run_id, who, {"path": "fastq_fail/a.fastq", "size": size})
    [answer] = declared(run_id, who, {"path": "fastq_pass/a.fastq", "size": size})
    assert answer["verdict"] == "refused"
    declared(run_id, who, {"path": "fastq_pass/b.fastq", "size": 5})
    status, found = ask("GET", f"/runs/{run_id}/uploads", who)
    assert status == 200, found
    left_out = next(one for one in found["uploads"] if one["state"] == "left_out")
    assert (left_out["size"], left_out["parts"], left_out["part_bytes"]) == (size, 0, 0)
    assert ask("GET", f"/runs/{run_id}/uploads/{left_out['upload_id']}", who)[0] == 200


def test_thirty_uploads_are_completed_at_once(lab: Lab, accounts: Accounts, cloud: Table) -> None:
    run_id, who = a_run_in(lab)
    files = [{"path": f"fastq_pass/{n}.fastq", "size": len(READS)} for n in range(30)]
    answers = declared(run_id, who, *files)
    for answer in answers:
        put_part(answer["links"][0], READS)
    known = accounts.user(lab["mine user"])
    assert known is not None
    principal = user_principal(known, Means.TOKEN, accounts)

    def complete(answer: dict[str, Any]) -> str:
        context = UploadContext(
            RunLedger(cloud), RunUploads(cloud), Objects("raw"), MultipartUploads("raw"),
            Admission(cloud, accounts),
        )  # fmt: skip
        return complete_upload(run_id, answer["upload_id"], principal, context).state

    with ThreadPoolExecutor(30) as pool:
        assert list(pool.map(complete, answers)) == ["done"] * 30
    _, found = ask("GET", f"/runs/{run_id}/uploads", who)
    assert (found["files"], found["bytes"]) == (30, 30 * len(READS))


def test_thirty_files_are_declared_at_once_and_all_are_counted(
    lab: Lab, accounts: Accounts, cloud: Table
) -> None:
    run_id, who = a_run_in(lab)
    uploads = RunUploads(cloud)

    def declare(number: int) -> None:
        path = f"fastq_pass/{number}.fastq"
        made = Upload(
            upload_id=upload_id_of(path), run_id=run_id, file=FileToSend(path=path, size=7),
            stored=path, state=UploadState.OPEN, by="Ada", at=AT,
        )  # fmt: skip
        uploads.change(run_id, {made.upload_id: lambda before: before or made})

    with ThreadPoolExecutor(30) as pool:
        list(pool.map(declare, range(30)))
    _, found = ask("GET", f"/runs/{run_id}/uploads", who)
    assert (found["files"], found["bytes"], len(found["uploads"])) == (30, 210, 30)


def test_a_page_of_uploads_reads_no_more_than_it_shows(
    lab: Lab, cloud: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recorded calls: each page asks for one page of items, and for none of those before it."""
    run_id, who = a_run_in(lab)
    monkeypatch.setattr(send_parts, "PAGE", 4)
    for n in range(10):
        declared(run_id, who, {"path": f"fastq_pass/{n}.fastq", "size": 5})
    sent(run_id, who, "fastq_pass/3.fastq")
    asked: list[Any] = []
    wire = BaseClient._make_api_call

    def recorded(self: BaseClient, operation: str, request: Any) -> Any:
        answer = wire(self, operation, request)
        if operation == "Query" and request["TableName"] == "ledger":
            asked.append((request["Limit"], len(answer["Items"])))
        return answer

    monkeypatch.setattr(BaseClient, "_make_api_call", recorded)

    def pages(**query: str) -> list[list[str]]:
        asked.clear()
        found: list[list[str]] = []
        while not found or query.get("cursor"):
            _, page = ask("GET", f"/runs/{run_id}/uploads", who, query=query)
            found.append([one["path"] for one in page["uploads"]])
            query["cursor"] = page["next"] or ""
        return found

    assert [len(page) for page in pages()] == [4, 4, 2]
    assert asked == [(4, 4), (4, 4), (4, 2)]
    monkeypatch.setattr(send_parts, "MOST_READ", 6)
    found = pages(state="open")
    assert len({path for page in found for path in page}) == 9
    assert {limit for limit, _ in asked} == {4}
    assert sum(items for _, items in asked) <= 8 * len(found)
    assert ask("GET", f"/runs/{run_id}/uploads", who, query={"cursor": "%"})[0] == 400


def test_of_two_who_change_a_sheet_the_second_sees_it(lab: Lab) -> None:
    run_id, who = a_run_in(lab)
    sheet = f"/runs/{run_id}/sheet"
    status, first = ask("PUT", sheet, who, "name\npig 1\n", if_none_match="*")
    assert status == 200
    status, said = ask("PUT", sheet, who, "name\npig 2\n", if_none_match="*")
    assert (status, said["code"]) == (409, "conflict")
    status, second = ask("PUT", sheet, who, "name\npig 3\n", if_match=f'"{first["etag"]}"')
    assert status == 200
    status, said = ask("PUT", sheet, who, "name\npig 4\n", if_match=f'"{first["etag"]}"')
    assert (status, said["code"]) == (409, "conflict")
    for odd in ("*", 'W/"x"', "\u3042"):
        assert ask("PUT", sheet, who, "name\npig 5\n", if_match=odd)[0] == 409
    status, kept = ask("GET", sheet, who)
    assert kept["csv"] == "name\npig 3\n"
    assert kept["sheet"]["etag"] == second["etag"]


def test_a_sheet_that_is_put_goes_before_a_file_of_its_name(lab: Lab) -> None:
    run_id, who = a_run_in(lab)
    file = {"path": "sample_sheet.csv", "size": 9}
    [under_way] = declared(run_id, who, file)
    assert under_way["verdict"] == "taken"
    status, _ = ask("PUT", f"/runs/{run_id}/sheet", who, "name\npig 1\n")
    assert status == 200
    upload = f"/runs/{run_id}/uploads/{under_way['upload_id']}"
    assert ask("POST", f"{upload}/complete", who)[0] == 409
    [again] = declared(run_id, who, file)
    assert again["verdict"] == "left_out"
    assert ask("DELETE", upload, who)[0] == 200
    assert ask("GET", f"/runs/{run_id}/sheet", who)[1]["csv"] == "name\npig 1\n"


def test_a_sheet_that_cannot_be_read_is_answered_with_its_fault(lab: Lab) -> None:
    run_id, who = a_run_in(lab)
    Objects("raw").put(f"runs/{run_id}/sample_sheet.csv", b"PK\x03\x04 a workbook")
    status, kept = ask("GET", f"/runs/{run_id}/sheet", who)
    assert status == 200
    assert not kept["sheet"]["valid"] and kept["sheet"]["faults"]
    assert kept["csv"] == ""
