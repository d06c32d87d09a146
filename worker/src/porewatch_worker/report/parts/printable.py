"""Text that the PDF's fonts cannot draw is shown by its code point, so that any name prints.

PDF/A forbids a character without a glyph, and no set of fonts has them all. The typesetter itself
reports which characters have one, only for a document that it refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from porewatch.domain.visible import hidden

LINE_BREAKS = "\n\t"


def without_controls(data: Any) -> Any:
    """`data` (of JSON) with what is hidden in its texts shown as `[U+001B]`."""
    return _shown(data, {c for c in _characters(data) if c not in LINE_BREAKS and hidden(c)})


def drawable(data: Any, draws: Callable[[str], bool]) -> Any:
    """`data` with what `draws` denies shown as `[U+0E44]`."""
    return _shown(data, {c for c in _characters(data) if not c.isascii() and not draws(c)})


def _characters(data: Any) -> set[str]:
    """All that occur in its texts: a document has a million characters, and some hundred kinds."""
    if isinstance(data, str):
        return set(data)
    if isinstance(data, dict):
        data = data.values()
    elif not isinstance(data, list | tuple):
        return set()
    return set().union(*map(_characters, data))


def _shown(data: Any, escaped: set[str]) -> Any:
    return _mapped(data, {ord(c): f"[U+{ord(c):04X}]" for c in escaped}) if escaped else data


def _mapped(data: Any, shown: dict[int, str]) -> Any:
    if isinstance(data, str):
        return data.translate(shown)
    if isinstance(data, dict):
        return {key: _mapped(value, shown) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_mapped(value, shown) for value in data]
    return data
