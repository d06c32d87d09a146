"""A letter as HTML and as plain text, from one pair of templates."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined

from porewatch.domain.mail.letter import Letter, words


class Bodies(NamedTuple):
    html: str
    text: str


def rendered(letter: Letter) -> Bodies:
    """Everything that is put into the HTML is escaped; nothing of it is loaded from elsewhere."""
    said = words(letter.language)
    values = {
        "letter": letter,
        "account_text": said.text("mail.link.account"),
        "unsubscribe_text": said.text("mail.link.unsubscribe"),
    }
    return Bodies(
        html=_templates(autoescape=True).get_template("letter.html.j2").render(values),
        text=_templates(autoescape=False).get_template("letter.txt.j2").render(values),
    )


@cache
def _templates(*, autoescape: bool) -> Environment:
    return Environment(
        loader=PackageLoader("porewatch.adapters.mail"),
        autoescape=autoescape,  # noqa: S701 - text/plain has no markup to escape
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
