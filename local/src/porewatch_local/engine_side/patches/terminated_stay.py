"""A terminated instance is shown, as terminated, for an hour after its end.

Why: AWS shows it for about an hour, and the instance monitor needs to see that a silent worker's
machine has ended before it calls the worker lost. The engine forgets the instance after a minute,
often between two looks of the monitor; then five minutes pass before its absence says the same.
Delete when: the engine keeps terminated instances for as long as AWS does.
"""

from __future__ import annotations

from ministack.services import ec2

from ..rewriting import rewrite


def apply() -> None:
    rewrite(ec2, "_cleanup_terminated", (" 0) > 60]", " 0) > 3600]"))
