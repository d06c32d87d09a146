"""The host's one loopback address: `/<id>/latest/...` for machines, `/control/...` for people.

PUT  /<id>/latest/api/token            header X-aws-ec2-metadata-token-ttl-seconds
GET  /<id>/latest/...                  header X-aws-ec2-metadata-token
GET  /<id>/credentials                 header Authorization: a job's credentials, as ECS serves them
GET  /control/instances                header X-Porewatch-Token, as all control requests
POST /control/interrupt/<id>?seconds=S   notice now, end S seconds later
POST /control/rebalance/<id>  ·  POST /control/kill/<id>
"""

from __future__ import annotations

import hmac
import json
import logging
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from porewatch_local.instance_host import metadata
from porewatch_local.instance_host.host import Host
from porewatch_local.instance_host.machine import Machine
from porewatch_local.paths import LOOPBACK

log = logging.getLogger("instance-host")
_TTL = "X-aws-ec2-metadata-token-ttl-seconds"
_TOKEN = "X-aws-ec2-metadata-token"  # noqa: S105 - a header's name
CONTROL_TOKEN = "X-Porewatch-Token"  # noqa: S105 - a header's name

Reply = tuple[int, str]


class Door:
    """Turns a request into (status, text); knows nothing of sockets."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def answer(self, method: str, target: str, header: dict[str, str]) -> Reply:
        parts = urlsplit(target)
        first, _, rest = parts.path.strip("/").partition("/")
        if first == "control":
            return self._control(method, rest, parts.query, header)
        machine = self._host.machines.get(first)
        if machine is None:
            return 404, "no such instance"
        if rest == "credentials":
            return self._credentials(machine, header.get("authorization", ""))
        if method == "PUT" and rest == "latest/api/token":
            return self._token(machine, header.get(_TTL.lower(), ""))
        return self._metadata(machine, method, rest, header.get(_TOKEN.lower(), ""))

    def _token(self, machine: Machine, ttl: str) -> Reply:
        if not ttl.isdigit() or not 1 <= int(ttl) <= metadata.MAX_TTL_S:
            return 400, "bad or missing " + _TTL
        key = self._host.config.metadata_key
        return 200, metadata.new_token(key, machine.instance_id, int(ttl))

    def _credentials(self, machine: Machine, token: str) -> Reply:
        if not metadata.token_valid(self._host.config.metadata_key, machine.instance_id, token):
            return 401, "unauthorized"
        if not machine.is_job or not machine.role:
            return 404, "not found"
        found = self._host.cloud.credentials(machine.role, machine.instance_id)
        return 200, json.dumps({"RoleArn": machine.role, **metadata.keys(found)})

    def _metadata(self, machine: Machine, method: str, path: str, token: str) -> Reply:
        if not metadata.token_valid(self._host.config.metadata_key, machine.instance_id, token):
            return 401, "unauthorized"
        if method != "GET" or not path.startswith("latest"):
            return 404, "not found"
        credentials = None
        if "iam" in path and machine.role:
            credentials = self._host.cloud.credentials(machine.role, machine.instance_id)
        text = metadata.read(metadata.leaves(machine, credentials), path.removeprefix("latest"))
        return (404, "not found") if text is None else (200, text)

    def _control(self, method: str, path: str, query: str, header: dict[str, str]) -> Reply:
        given = header.get(CONTROL_TOKEN.lower(), "")
        if not hmac.compare_digest(given, self._host.config.token):
            return 403, "the control token is missing or wrong"
        verb, _, instance_id = path.partition("/")
        if method == "GET" and verb == "instances":
            known = [m.model_dump(mode="json") for m in self._host.machines.values()]
            return 200, json.dumps(known)
        if method != "POST":
            return 404, "not found"
        if instance_id not in self._host.machines:
            return 404, f"{instance_id} does not run here"
        return self._act(verb, instance_id, parse_qs(query).get("seconds"))

    def _act(self, verb: str, instance_id: str, after: list[str] | None) -> Reply:
        if verb == "interrupt":
            machine = self._host.interrupt(instance_id, float(after[0]) if after else None)
        elif verb == "rebalance":
            machine = self._host.rebalance(instance_id)
        elif verb == "kill":
            machine = self._host.kill(instance_id)
        else:
            return 404, "not found"
        return 200, machine.model_dump_json()


def serve(host: Host) -> ThreadingHTTPServer:
    """The server for `host` on its configured port; the caller runs `serve_forever`."""
    door = Door(host)

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            header = {name.lower(): value for name, value in self.headers.items()}
            try:
                status, text = door.answer(self.command, self.path, header)
            except (BotoCoreError, ClientError, ValueError, KeyError) as problem:
                log.warning("%s %s: %s", self.command, self.path, problem)
                status, text = 500, str(problem)
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = do_POST = _do  # noqa: N815 - the library's names

        def log_message(self, format: str, *args: object) -> None:
            """Requests are too many to log; problems are logged above."""

    return ThreadingHTTPServer((LOOPBACK, host.config.port), Handler)
