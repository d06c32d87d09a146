"""Texts of notices, in every language they are sent in (`messages/notices.<language>.json`).

A stack has one mail address and no language: a notice says everything in each language, English
first. Its subject is English alone, because SNS takes ASCII there.
"""

from __future__ import annotations

from collections.abc import Mapping

from porewatch.domain.reasons.catalogue import SOURCE, languages, read


def texts(language: str) -> Mapping[str, str]:
    """All texts of a language, by key."""
    return read("notices", language)


def subject(key: str, **values: object) -> str:
    """The subject of a notice. Raises KeyError for a key, or a placeholder, that is unknown."""
    return texts(SOURCE)[f"{key}.subject"].format(**values)


def body(key: str, **values: object) -> str:
    """The body of a notice in every language; each but the first begins with its own subject."""
    bodies = [texts(SOURCE)[f"{key}.body"].format(**values)]
    for language in languages()[1:]:
        own = texts(language)
        head, text = own[f"{key}.subject"], own[f"{key}.body"]
        bodies.append(f"{head}\n\n{text}".format(**values))
    return "\n\n----\n\n".join(bodies) + "\n"
