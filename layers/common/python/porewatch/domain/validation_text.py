"""pydantic's problems, in a sentence for a person: which field, which value, what is wrong."""

from __future__ import annotations

from pydantic import ValidationError

LONGEST = 80
SHOWN = 3


def say(error: ValidationError) -> str:
    """`samples[0].barcode 'bc-x': string should match ...`; three problems, then a count."""
    problems = [_one(p["loc"], p["msg"], p["type"], p.get("input")) for p in error.errors()]
    more = len(problems) - SHOWN
    text = "; ".join(problems[:SHOWN]) + (f"; and {more} more" if more > 0 else "")
    return text if text.endswith(".") else text + "."


def _one(place: tuple[int | str, ...], message: str, kind: str, value: object) -> str:
    if kind == "json_invalid":
        return f"it is not JSON ({message.removeprefix('Invalid JSON: ')})"
    field = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in place).lstrip(".")
    text = message.removeprefix("Value error, ")
    text = text[:1].lower() + text[1:]
    if kind == "missing":
        return f"{field} is missing"
    if kind == "extra_forbidden":
        return f"{field} is not a field we know"
    if not field:
        return text
    return f"{field} {_shown(value)}: {text}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"
