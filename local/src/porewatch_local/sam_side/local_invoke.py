"""What `sam local invoke` makes of template, events and env file: `python local_invoke.py ROOT`.

Runs in the SAM environment, by SAM's own code, without docker. Prints a JSON object: function ->
its environment as its container would get it, and whether SAM can read its example event.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from samcli.commands.local.cli_common.invoke_context import (  # type: ignore[import-not-found]
    InvokeContext,
)
from samcli.commands.local.invoke.cli import _get_event  # type: ignore[import-not-found]
from samcli.commands.local.lib.local_lambda import (  # type: ignore[import-not-found]
    LocalLambdaRunner,
)
from samcli.lib.providers.sam_function_provider import (  # type: ignore[import-not-found]
    SamFunctionProvider,
)
from samcli.lib.providers.sam_stack_provider import (  # type: ignore[import-not-found]
    SamLocalStackProvider,
)


def invoked(root: Path, events: dict[str, str]) -> dict[str, Any]:
    """`events`: the file of each function's example event."""
    stacks, _ = SamLocalStackProvider.get_stacks(
        str(root / "template.yaml"), language_extensions_enabled=True
    )
    functions = SamFunctionProvider(stacks)
    variables = InvokeContext._get_env_vars_value(str(root / "events/env.json"))
    runner = LocalLambdaRunner(None, functions, str(root), None, env_vars_values=variables)
    found = {}
    for name, event in events.items():
        function = functions.get(name)
        environment = runner._make_env_vars(function).resolve() if function else None
        found[name] = {
            "environment": environment,
            "event": json.loads(_get_event(event, exception_class=ValueError)),
        }
    return found


if __name__ == "__main__":
    print(json.dumps(invoked(Path(sys.argv[1]), json.load(sys.stdin))))
