"""Takes every mail that the embedded AWS sends, and puts it into a folder: nothing leaves this
machine. Started by `up` as `python -m porewatch_local.mail_catcher PORT FOLDER`.

A mail is `<when>-<to>.eml`, its HTML beside it as `.html`, to look at in a browser.
"""

from __future__ import annotations

import re
import signal
import sys
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

from porewatch_local.paths import LOOPBACK

LONGEST_NAME = 80


class Folder:
    """A handler of aiosmtpd that keeps what comes in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        when = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
        to = re.sub(r"[^a-z0-9.@-]", "_", ",".join(envelope.rcpt_tos).lower())[:LONGEST_NAME]
        html = message_from_bytes(envelope.content, policy=default).get_body(("html",))
        if html is not None:
            (self._folder / f"{when}-{to}.html").write_text(html.get_content())
        draft = self._folder / f"{when}-{to}.part"
        draft.write_bytes(envelope.content)
        draft.rename(draft.with_suffix(".eml"))  # who sees it sees all of it
        return "250 kept"


def main(port: int, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    controller = Controller(Folder(folder), hostname=LOOPBACK, port=port)
    controller.start()
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    controller.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
