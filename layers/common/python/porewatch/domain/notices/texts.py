"""Texts of notices, in every language they are sent in (`messages/<language>.json`).

A stack has one mail address and no language: a notice says everything in each language, English
first. Its subject is English alone, because SNS takes ASCII there.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

LANGUAGES = ("en", "ja")


@cache
def texts(language: str) -> dict[str, str]:
    """All texts of a language, by key."""
    path = files("porewatch").joinpath(f"messages/{language}.json")
    loaded: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def subject(key: str, **values: object) -> str:
    """The subject of a notice. Raises KeyError for a key, or a placeholder, that is unknown."""
    return texts("en")[f"{key}.subject"].format(**values)


def body(key: str, **values: object) -> str:
    """The body of a notice in every language; each but the first begins with its own subject."""
    bodies = [texts("en")[f"{key}.body"].format(**values)]
    for language in LANGUAGES[1:]:
        own = texts(language)
        head, text = own[f"{key}.subject"], own[f"{key}.body"]
        bodies.append(f"{head}\n\n{text}".format(**values))
    return "\n\n----\n\n".join(bodies) + "\n"
