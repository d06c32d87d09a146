"""The report as one HTML file: no script, no outside resource, plots as inline SVG."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from porewatch.domain.results.report import Report
from porewatch_worker.report.compose import compose
from porewatch_worker.report.parts.document import Document
from porewatch_worker.report.parts.languages import SOURCE, Language
from porewatch_worker.report.parts.printable import without_controls


def render_html(report: Report, language: Language = SOURCE) -> str:
    """A whole page in `language`. All text is escaped; only our own SVG goes in as markup."""
    return as_page(compose(report, language))


def as_page(document: Document) -> str:
    """A whole page of a composed report."""
    return templates().get_template("report.html.j2").render(doc=document)


def _shown(value: object) -> object:
    """Texts as they can be seen; markup of ours, numbers and absent values as they are."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return without_controls(value)
    return value


@cache
def templates() -> Environment:
    """The pages' templates: all text is escaped, an unknown name is an error."""
    pages = Environment(
        loader=PackageLoader("porewatch_worker.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    pages.filters["picture"] = Markup
    return pages
