"""A request over the loopback address counts as `aws:SecureTransport`.

Why: bucket policies, ours and those of SAM's own bucket, refuse requests without TLS, as they
must on AWS. The embedded AWS uses plain HTTP on an address that never leaves this machine.
Delete when: the engine is started with TLS here.
"""

from __future__ import annotations

from ministack.core import iam_evaluator

from ..rewriting import rewrite


def apply() -> None:
    rewrite(
        iam_evaluator,
        "pin_request_origin",
        (
            "_request_origin.set((source_ip, secure_transport))",
            "_request_origin.set((source_ip, True))",
        ),
    )
