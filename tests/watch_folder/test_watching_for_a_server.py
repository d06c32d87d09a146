"""The same loop by a server's API: its functions behind HTTP, its parts in S3."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from porewatch.adapters.objects import Objects
from porewatch.adapters.people.credentials import Tokens
from porewatch.adapters.table import Table
from porewatch.domain import s3_keys
from porewatch.domain.base import now
from porewatch.domain.errors import Unavailable
from porewatch.domain.people.credentials import Token
from porewatch.domain.people.roles import Scope
from porewatch.domain.people.secrets import Kind, digest_of, new_secret
from porewatch.domain.submission.placing import HELD
from porewatch_cli.exit_codes import RUN_FAILED
from porewatch_cli.main import app
from porewatch_cli.remote.server import Server
from porewatch_cli.remote.submit_run import Target
from porewatch_cli.watch_folder import sealing
from porewatch_cli.watch_folder.places import Watched
from porewatch_cli.watch_folder.server_door import ServerDoor, server_door
from tests.functional.conftest import cloud  # noqa: F401 - fixtures
from tests.functional.test_submit_by_token import server  # noqa: F401
from tests.functional.test_uploads import (
    accounts,  # noqa: F401
    lab,  # noqa: F401
    manifest_of,
)
from tests.json_output import lines_fit
from tests.watch_folder.front import versions
from tests.watch_folder.minknow import begun, ended, name_of, put, reads
from tests.watch_folder.test_watching import Lab, printed


@pytest.fixture
def pc(lab: dict[str, str], server: str, tmp_path: Path, monkeypatch: Any) -> Lab:  # noqa: F811
    secret = new_secret(Kind.TOKEN)
    Tokens(Table("people")).add(
        Token(
            token_id=digest_of(secret), user_id=lab["mine user"], name="t",
            scopes=frozenset({Scope.READ, Scope.SUBMIT}), made_at=now(),
            expires_at=now() + timedelta(days=1),
        )
    )  # fmt: skip
    monkeypatch.setenv("POREWATCH_TOKEN", secret)
    folder = tmp_path / "data" / "run 7"
    folder.mkdir(parents=True)
    return Lab(folder, a_door(folder, server), tmp_path / "state/j")


def a_door(folder: Path, address: str) -> ServerDoor:
    options = {"bundle": None, "profile": None, "release_policy": None}
    return server_door(Watched(folder), Target(address, "mine", None, options, {}))


def arrived(run_id: str) -> dict[str, bytes]:
    """Reads in the run's folder, by the names that their sender knows."""
    raw, prefix = Objects("raw"), s3_keys.raw_key(run_id, "")
    found = {head.key.removeprefix(prefix): raw.get(head.key) for head in raw.keys(prefix)}
    return {name: content for name, content in found.items() if name.endswith(".fastq.gz")}


def all_once(run_id: str, files: dict[str, bytes]) -> None:
    assert arrived(run_id) == files
    assert len(files) > 1
    assert {versions(s3_keys.raw_key(run_id, name)) for name in files} == {1}
    assert versions(s3_keys.seal_key(run_id)) == 1
    manifest = manifest_of(run_id)
    assert {file.at or file.path for file in manifest.files} == set(files)
    assert {sample.name for sample in manifest.samples} == {"pig", "ntc"}
    assert manifest.sequencing.flow_cell == "FAX00001"


def test_a_run_is_sent_while_it_is_written_and_sealed_once(pc: Lab) -> None:
    files = begun(pc.folder)
    run_id = pc.door.begin()

    def ends() -> None:
        assert arrived(run_id) == files
        assert versions(s3_keys.seal_key(run_id)) == 0
        files[name_of(7)] = reads(7)
        put(pc.folder, name_of(7), files[name_of(7)])
        ended(pc.folder)

    pc.clock.later(60.0, ends)
    sent = pc.watch()
    assert (sent.run_id, sent.files) == (run_id, len(files) + 1)  # and the summary
    all_once(run_id, files)
    raw = Objects("raw")
    assert any(HELD in head.key for head in raw.keys(s3_keys.raw_key(run_id, "")))


def test_a_lost_journal_finds_the_same_run_and_sends_nothing_twice(
    pc: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    files = begun(pc.folder)
    ended(pc.folder)
    first = pc.watch()
    pc.journal.rename(pc.journal.with_name("lost"))
    pc.door = a_door(pc.folder, pc.door.server.address)  # type: ignore[attr-defined]
    printed(capsys)
    again = pc.watch()
    assert (again.run_id, again.digest) == (first.run_id, first.digest)
    all_once(first.run_id, files)
    assert "sent" not in {line["event"] for line in printed(capsys)}


def test_killed_between_the_seal_and_the_journal_it_seals_no_second_time(
    pc: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = begun(pc.folder)
    ended(pc.folder)
    with monkeypatch.context() as patch:
        patch.setattr(sealing.Sealing, "sealed", killed_after(sealing.Sealing.sealed))
        with pytest.raises(KeyboardInterrupt):
            pc.watch()
    run_id = pc.door.begin()
    assert versions(s3_keys.seal_key(run_id)) == 1
    pc.watch()
    all_once(run_id, files)


def killed_after(done: Any) -> Any:
    def dies(*words: Any) -> None:
        if done(*words) is not None:
            raise KeyboardInterrupt

    return dies


def test_a_file_that_grows_after_it_was_sent_replaces_its_old_content(
    pc: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    files = begun(pc.folder)
    name = name_of(0)
    files[name] += reads(50)
    pc.clock.later(60.0, lambda: put(pc.folder, name, files[name]))
    pc.clock.later(61.0, lambda: ended(pc.folder))
    sent = pc.watch()
    assert arrived(sent.run_id) == files
    assert [one["path"] for one in printed(capsys) if one["event"] == "sent_again"] == [name]
    sizes = {file.at or file.path: file.size for file in manifest_of(sent.run_id).files}
    assert sizes[name] == len(files[name])


def test_a_server_that_is_away_for_an_hour(pc: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    files = begun(pc.folder)
    ended(pc.folder)
    run_id, until = pc.door.begin(), pc.clock.time + 3600.0
    tries: list[float] = []
    ask = Server.ask

    def away(self: Server, *words: Any, **more: Any) -> Any:
        if pc.clock.time < until:
            tries.append(pc.clock.time)
            raise Unavailable("it does not answer.")
        return ask(self, *words, **more)

    monkeypatch.setattr(Server, "ask", away)
    assert pc.watch().run_id == run_id
    assert 10 < len(set(tries)) < 40
    all_once(run_id, files)


def test_the_command_sends_seals_and_follows(pc: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    files = begun(pc.folder)
    ended(pc.folder)
    monkeypatch.setenv("XDG_STATE_HOME", str(pc.journal.parent))
    address = pc.door.server.address  # type: ignore[attr-defined]

    def command(*words: str) -> Any:
        line = [*words, "--server", address, "--json"]
        done = CliRunner().invoke(app, line)
        assert done.exit_code == RUN_FAILED, done.output
        return lines_fit(done.stdout)

    run_id = pc.door.begin()
    folder, more = str(pc.folder), ("--project", "mine", "--settle", "1")
    monkeypatch.setattr("porewatch_cli.remote.watch_run.is_over", lambda _state: True)
    monkeypatch.setattr("porewatch_cli.exit_codes.of_state", lambda *_, **__: RUN_FAILED)
    lines = command("watch-folder", folder, *more)
    assert lines[0]["run_id"] == run_id
    assert [line["kind"] for line in lines][-2:] == ["submitted", "remote"]
    all_once(run_id, files)
    refused = CliRunner().invoke(
        app, ["watch-folder", folder, "--server", address, "--json", "--run-id", "x", *more]
    )
    assert json.loads(refused.stdout)["code"] == "configuration_refused"
