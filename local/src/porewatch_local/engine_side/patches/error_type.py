"""A failed function reports the class name of its exception as `errorType`.

Why: the engine always returns `Runtime.HandlerError`, so Retry and Catch in a state machine can
never match `SpotInterrupted` or `Refused`, the error names of our functions and of the ASL.
Delete when: the engine's Python worker puts `type(e).__name__` into its answer.
"""

from __future__ import annotations

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from ..rewriting import replaced, rewrite

_ANSWER = '{"status": "error", "error": str(e), '


def apply() -> None:
    lambda_runtime._PYTHON_WORKER_SCRIPT = replaced(
        lambda_runtime._PYTHON_WORKER_SCRIPT,
        _ANSWER,
        _ANSWER + '"error_type": type(e).__name__, ',
        "the Python worker script",
    )
    rewrite(
        lambda_svc,
        "_execute_function_warm",
        (
            'error_type = "Runtime.HandlerError"\n',
            'error_type = result.get("error_type") or "Runtime.HandlerError"\n',
        ),
    )
