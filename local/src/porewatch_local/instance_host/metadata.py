"""What an instance may read about itself: the paths and the token rules of IMDSv2."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from typing import Any

from porewatch_local.instance_host.machine import Machine

MAX_TTL_S = 21_600


def new_token(key: str, instance_id: str, ttl_s: int) -> str:
    """A token that proves itself: no table to lose when the host starts again."""
    until = str(int(time.time()) + ttl_s)
    return f"{until}.{_signature(key, instance_id, until)}"


def token_valid(key: str, instance_id: str, token: str) -> bool:
    until, _, signature = token.partition(".")
    expected = _signature(key, instance_id, until)
    return hmac.compare_digest(signature, expected) and int(until) > time.time()


def _signature(key: str, instance_id: str, until: str) -> str:
    text = f"{instance_id}.{until}".encode()
    return hmac.new(key.encode(), text, hashlib.sha256).hexdigest()


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def leaves(machine: Machine, credentials: dict[str, Any] | None) -> dict[str, str]:
    """Every readable path below `/latest/` and its text. A path that is absent answers 404."""
    shown_as = machine.host_id or machine.instance_id
    tags = {} if machine.is_job else machine.tags
    data = {
        "instance-id": shown_as,
        "instance-type": machine.instance_type,
        "instance-life-cycle": machine.lifecycle,
        "ami-id": machine.image,
        "local-ipv4": machine.address,
        "placement/availability-zone": machine.zone,
        "placement/region": machine.region,
        **{f"tags/instance/{key}": value for key, value in tags.items()},
        **_notices(machine),
        **_role(machine, credentials),
    }
    document = {
        "accountId": machine.account,
        "availabilityZone": machine.zone,
        "imageId": machine.image,
        "instanceId": shown_as,
        "instanceType": machine.instance_type,
        "pendingTime": stamp(machine.launched_at),
        "privateIp": machine.address,
        "region": machine.region,
        "version": "2017-09-30",
    }
    found = {f"meta-data/{path}": text for path, text in data.items()}
    found["dynamic/instance-identity/document"] = json.dumps(document, indent=2)
    return found


def _notices(machine: Machine) -> dict[str, str]:
    found = {}
    if machine.notice_until:
        at = stamp(machine.notice_until)
        found["spot/instance-action"] = json.dumps({"action": "terminate", "time": at})
        found["spot/termination-time"] = at
    if machine.rebalance_at:
        notice = {"noticeTime": stamp(machine.rebalance_at)}
        found["events/recommendations/rebalance"] = json.dumps(notice)
    return found


def keys(credentials: dict[str, Any]) -> dict[str, str]:
    """A role's credentials as ECS hands them to a container."""
    return {
        "AccessKeyId": credentials["AccessKeyId"],
        "SecretAccessKey": credentials["SecretAccessKey"],
        "Token": credentials["SessionToken"],
        "Expiration": stamp(credentials["Expiration"]),
    }


def _role(machine: Machine, credentials: dict[str, Any] | None) -> dict[str, str]:
    if not machine.role or not credentials or machine.is_job:
        return {}
    now = stamp(datetime.now(UTC))
    body = {"Code": "Success", "Type": "AWS-HMAC", "LastUpdated": now, **keys(credentials)}
    return {f"iam/security-credentials/{machine.role.rsplit('/', 1)[-1]}": json.dumps(body)}


def read(found: dict[str, str], path: str) -> str | None:
    """The text at `path` (below `/latest/`), a listing for a folder, or None."""
    path = path.strip("/")
    if path in found:
        return found[path]
    below = [p[len(path) + 1 :] for p in found if p.startswith(path + "/")]
    names = {p.split("/", 1)[0] + ("/" if "/" in p else "") for p in below}
    return "\n".join(sorted(names)) or None
