"""Text of strangers (file names, read headers, reasons) as people may see it.

Control characters move a terminal's cursor and end a mail's header; bidirectional marks turn what
stands beside them; others are not seen at all. All of them are shown by code point, `[U+001B]`, so
that a line stays one line and two names that differ look different. Data (JSON, TSV) keep the text.
"""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel

from porewatch.domain.labels import unseen

M = TypeVar("M", bound=BaseModel)
HARMLESS = frozenset("\u200c\u200d\ufe0e\ufe0f")
"""They join letters of Persian or Hindi, and choose the form of a sign: names need them."""


def hidden(char: str) -> bool:
    """Whether this character must be shown by its code point."""
    return not " " <= char <= "~" and char not in HARMLESS and unseen(char) is not None


def visible(text: str) -> str:
    """`text` on one line; what would not be seen in it is shown. The same for its own answer.

    >>> visible('a\u202eb')
    'a[U+202E]b'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(f"[U+{ord(c):04X}]" if hidden(c) else c for c in text)


def visible_model(model: M) -> M:
    """A copy in which every text is `visible`, at any depth; keys of mappings stay."""
    return model.model_copy(update={name: _shown(value) for name, value in model})


def _shown(value: Any) -> Any:
    if type(value) is str:  # no member of an enumeration: those are words of ours
        return visible(value)
    if isinstance(value, BaseModel):
        return visible_model(value)
    if isinstance(value, dict):
        return {key: _shown(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(_shown(item) for item in value)
    return value
