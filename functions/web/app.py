"""The pages: sign-in, runs, alerts. Reads by the use cases of the API; changes go to the API."""

from porewatch.web.pages import pages
from porewatch.web.router import on_pages

lambda_handler = on_pages(pages())
