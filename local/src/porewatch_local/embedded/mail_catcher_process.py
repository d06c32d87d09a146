"""Starts and stops the catcher of mail. The engine hands it what SES is asked to send."""

from __future__ import annotations

import os
import smtplib
import sys

from porewatch_local import processes
from porewatch_local.paths import LOOPBACK, Home, free_port

_READY_S = 15.0


def start_mail_catcher(home: Home) -> int:
    """Its port. Raises LocalProblem with its log."""
    record, log = home.state / "mail.json", home.state / "mail.log"
    if running := processes.read_record(record):
        return running.port
    port = free_port(processes.last_port(record))
    process, _ = processes.start(
        [sys.executable, "-m", "porewatch_local.mail_catcher", str(port), home.mail],
        record=record,
        log=log,
        environment={"PATH": os.environ.get("PATH", "/usr/bin:/bin")},
        port=port,
        folder=home.state,
    )
    processes.wait_ready(
        process, lambda: _answers(port), name="the catcher of mail", log=log, seconds=_READY_S
    )
    return port


def stop_mail_catcher(home: Home) -> bool:
    """True when it was running. What it caught stays."""
    return processes.stop(home.state / "mail.json", seconds=5)


def _answers(port: int) -> bool:
    try:
        with smtplib.SMTP(LOOPBACK, port, timeout=2) as server:
            return bool(server.noop()[0] == 250)
    except (OSError, smtplib.SMTPException):
        return False
