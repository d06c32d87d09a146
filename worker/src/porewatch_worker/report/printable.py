"""Text that the PDF's fonts cannot draw is shown by its code point, so that any name prints.

PDF/A forbids a character without a glyph, and no set of fonts has them all. Which characters have
one is asked of the typesetter itself, and only for a document that it refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from porewatch.domain.visible import hidden

LINE_BREAKS = "\n\t"


def without_controls(data: Any) -> Any:
    """`data` (of JSON) with what is hidden in its texts shown as `[U+001B]`."""
    return _mapped(data, lambda c: c not in LINE_BREAKS and hidden(c))


def drawable(data: Any, draws: Callable[[str], bool]) -> Any:
    """`data` with what `draws` denies shown as `[U+0E44]`."""
    known = {c: draws(c) for c in set(json.dumps(data, ensure_ascii=False)) if not c.isascii()}
    return _mapped(data, lambda c: not known.get(c, True))


def _mapped(data: Any, escaped: Callable[[str], bool]) -> Any:
    if isinstance(data, str):
        return "".join(f"[U+{ord(c):04X}]" if escaped(c) else c for c in data)
    if isinstance(data, dict):
        return {key: _mapped(value, escaped) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_mapped(value, escaped) for value in data]
    return data
