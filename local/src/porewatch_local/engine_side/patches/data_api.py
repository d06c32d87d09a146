"""The RDS Data API runs on the PostgreSQL beside the engine.

Why: without docker the engine answers SQL from a stub, and a cluster made by CloudFormation has
an address that does not resolve. Here every Aurora PostgreSQL cluster lives on one local server.
Role, password and database come from the cluster's own record (from the template), are
made on first use, and a wrong secret is refused by PostgreSQL itself.
The engine also runs SQL on the one thread that serves all requests: a statement that waits for
a lock would stop the commit that releases it, and everything else. It gets a thread of its own,
and AWS's limits: 45 s for a statement, 3 minutes for a transaction nobody uses.
Delete when: the engine can be given an external address for a cluster.

Set by porewatch_local.embedded.engine: POREWATCH_PG_HOST, POREWATCH_PG_PORT, POREWATCH_PG_ADMIN,
POREWATCH_PG_PASSWORD. Without them nothing is patched.
"""

from __future__ import annotations

import asyncio
import os
import threading
from typing import Any

import psycopg2
from ministack.services import rds, rds_data
from psycopg2 import sql

from ..rewriting import PatchRefused, rewrite

_server = {
    # Taken out of the environment, which functions inherit.
    name: os.environ.pop(f"POREWATCH_PG_{name}", "")
    for name in ("HOST", "PORT", "ADMIN", "PASSWORD")
}
_LIMITS = "-c statement_timeout=45s -c idle_in_transaction_session_timeout=180s"
_ready: dict[str, tuple[str, str, str]] = {}
_lock = threading.Lock()


def _cluster_of(member: dict[str, Any]) -> dict[str, Any]:
    """The cluster record behind a member instance (which may be the cluster itself)."""
    return rds._clusters.get(member.get("DBClusterIdentifier", "")) or member


def local_target(member: dict[str, Any], database: str) -> tuple[str, int, str]:
    """(host, port, database) for a cluster, which is made ready on the local server first."""
    cluster = _cluster_of(member)
    name = database or cluster.get("DatabaseName") or "postgres"
    user = cluster.get("MasterUsername") or "postgres"
    wanted = (user, str(cluster.get("_MasterUserPassword") or ""), name)
    with _lock:
        if _ready.get(cluster["DBClusterIdentifier"] + "/" + name) != wanted:
            _make_ready(*wanted)
            _ready[cluster["DBClusterIdentifier"] + "/" + name] = wanted
    return _server["HOST"], int(_server["PORT"]), name


def _make_ready(user: str, password: str, database: str) -> None:
    admin = psycopg2.connect(
        host=_server["HOST"],
        port=int(_server["PORT"]),
        user=_server["ADMIN"],
        password=_server["PASSWORD"],
        dbname="postgres",
    )
    admin.autocommit = True
    with admin.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (user,))
        verb = sql.SQL("ALTER" if cursor.fetchone() else "CREATE")
        role = sql.SQL("{} ROLE {} LOGIN CREATEDB CREATEROLE PASSWORD {}").format(
            verb, sql.Identifier(user), sql.Literal(password)
        )
        cursor.execute(role)
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,))
        if not cursor.fetchone():
            make = sql.SQL("CREATE DATABASE {} OWNER {}")
            cursor.execute(make.format(sql.Identifier(database), sql.Identifier(user)))
    admin.close()


def apply() -> None:
    if not _server["PORT"]:
        return
    if not hasattr(rds_data, "_has_real_endpoint"):
        raise PatchRefused("rds_data._has_real_endpoint is gone")
    rds_data._has_real_endpoint = lambda instance: True
    rewrite(
        rds_data,
        "_connect",
        (
            '        pg_user = username or instance.get("MasterUsername", "admin")\n',
            "        host, port, db = _porewatch_target(instance, db)\n"
            '        pg_user = username or instance.get("MasterUsername", "admin")\n',
        ),
        (
            'password=pw, dbname=db or "postgres",\n',
            'password=pw, dbname=db or "postgres", options=_porewatch_limits,\n',
        ),
        _porewatch_target=local_target,
        _porewatch_limits=_LIMITS,
    )
    rewrite(
        rds_data,
        "handle_request",
        ("return handler(data)", "return await _porewatch_thread(handler, data)"),
        _porewatch_thread=asyncio.to_thread,
    )
    # psycopg2 would read a literal % in SQL with parameters as a placeholder; AWS does not.
    rewrite(
        rds_data,
        "_substitute_named_params",
        (
            "return _RE_NAMED_PARAM.sub(_repl, sql)",
            'return _RE_NAMED_PARAM.sub(_repl, sql.replace("%", "%%"))',
        ),
    )
