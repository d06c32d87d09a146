"""The pages: sign-in, runs, alerts. Reads by the use cases of the API; changes go to the API."""

from typing import Any

from porewatch.web.pages import pages
from porewatch.web.router import on_pages

answer = on_pages(pages())


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return answer(event, context)
