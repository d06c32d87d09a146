"""The languages of a report. Without imports, since the command line asks before it works."""

from __future__ import annotations

from typing import Literal

Language = Literal["en", "ja"]
LANGUAGES: tuple[Language, ...] = ("en", "ja")
