"""How a patch is applied: a named piece of the engine's own text is replaced, or nothing starts.

Every patch states the exact text it expects. When an upgrade of the engine changes that text,
the launch stops with the name of the patch, instead of running with half a patch.
"""

from __future__ import annotations

import inspect
from types import FunctionType, ModuleType
from typing import Any

_rewritten: dict[FunctionType, str] = {}
"""The text of functions that one patch has changed already: another one goes on from there."""


class PatchRefused(RuntimeError):
    """The engine's text is not the one this patch was written for."""


def replaced(text: str, old: str, new: str, where: str) -> str:
    """`text` with the one occurrence of `old` replaced. Raises PatchRefused unless exactly one."""
    found = text.count(old)
    if found != 1:
        raise PatchRefused(f"{where}: expected once, found {found} times: {old!r}")
    return text.replace(old, new)


def rewrite(
    module: ModuleType, name: str, *changes: tuple[str, str], of: type | None = None, **given: Any
) -> None:
    """Replace texts inside the function `module.name` (or the method `of.name`), in place.

    `changes` are (old, new) pairs; `given` are names the new text may use. The function object
    stays the same, so tables that already refer to it see the change.
    """
    function = getattr(of or module, name)
    if not isinstance(function, FunctionType):
        raise PatchRefused(f"{module.__name__}.{name} is not a plain function")
    source = _rewritten.get(function) or inspect.getsource(function)
    source = source if not source[0].isspace() else "if True:\n" + source  # a method
    for old, new in changes:
        source = replaced(source, old, new, f"{module.__name__}.{name}")
    for key, value in given.items():
        setattr(module, key, value)
    scope: dict[str, Any] = {}
    code = compile(source, inspect.getsourcefile(module) or module.__name__, "exec")
    exec(code, module.__dict__, scope)  # noqa: S102 - the engine's own text, checked above
    function.__code__ = scope[name].__code__
    _rewritten[function] = source
