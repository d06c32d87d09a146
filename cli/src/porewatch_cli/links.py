"""Hyperlinks (OSC 8), for terminals that are known to support them.

A terminal cannot be queried; the variables it sets identify it. `FORCE_HYPERLINK` (0 or 1)
overrides them, as in other programs.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from rich.style import Style
from rich.text import Text

from porewatch_cli.terminal import console

OLDEST_VTE = 5000
"""GNOME Terminal and its kin, from version 0.50 on."""
PROGRAMS = frozenset({"iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "rio"})
KINDS = ("xterm-kitty", "xterm-ghostty", "alacritty", "foot", "wezterm", "contour")
SIGNS = ("WT_SESSION", "KITTY_WINDOW_ID", "KONSOLE_VERSION", "DOMTERM")


def takes_links(settings: Mapping[str, str]) -> bool:
    """Whether the terminal of these environment variables supports links."""
    forced = settings.get("FORCE_HYPERLINK")
    if forced is not None:
        return forced != "0"
    vte = settings.get("VTE_VERSION", "")
    return (
        settings.get("TERM_PROGRAM") in PROGRAMS
        or settings.get("TERM", "").startswith(KINDS)
        or any(name in settings for name in SIGNS)
        or (vte.isdecimal() and int(vte) >= OLDEST_VTE)
    )


def link(address: str, shown: str) -> Text:
    """`shown` as a link to `address`; the plain address without link support."""
    return Text(shown, style=Style(link=address)) if _opens() else Text(address)


def file_link(path: Path) -> Text:
    """A file's path, as a link where the terminal supports it."""
    return Text(str(path), style=Style(link=path.resolve().as_uri()) if _opens() else "")


def _opens() -> bool:
    return console.is_terminal and takes_links(os.environ)
