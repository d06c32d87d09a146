"""Mail by SES (version 2 of its API)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from porewatch.adapters import clients
from porewatch.adapters.faults import translated
from porewatch.adapters.mail.rendering import rendered
from porewatch.domain.errors import PorewatchError, ReceiverRefused, Unavailable
from porewatch.domain.mail.letter import Letter

ONE_ATTEMPT = 1
"""SES cannot tell a retry from a second mail. When it does not answer, it may have accepted the
mail all the same; then the queue's next try is a second one (docs/adr/0032)."""


def _refusal(code: str) -> Callable[[str], PorewatchError]:
    """Without SES's own sentence, which names the address: it would stand in the log."""
    return lambda _: ReceiverRefused(f"SES takes no such mail ({code}).")


KNOWN: dict[str, Callable[[str], PorewatchError]] = {
    **{code: _refusal(code) for code in ("MessageRejected", "BadRequestException")},
    "SendingPausedException": Unavailable,
    "AccountSuspendedException": Unavailable,
}


class MailSender:
    """Sends from `sender` (an address or domain that SES has verified) by `configuration_set`."""

    def __init__(self, sender: str, configuration_set: str, client: Any = None) -> None:
        self._sender, self._set = sender, configuration_set
        self._client = client or clients.client("sesv2", ONE_ATTEMPT)

    def send(self, to: str, letter: Letter) -> str:
        """SES's id of the mail. Throttled above the account's rate, Unavailable in an outage or
        while sending is paused, ReceiverRefused for a message that SES never takes."""
        with translated("send a mail", KNOWN):
            reply = self._client.send_email(
                FromEmailAddress=f"Porewatch <{self._sender}>",
                Destination={"ToAddresses": [to]},
                Content={"Simple": _content(letter)},
                ConfigurationSetName=self._set,
            )
        return str(reply["MessageId"])


def _content(letter: Letter) -> dict[str, Any]:
    bodies = rendered(letter)
    content: dict[str, Any] = {
        "Subject": _utf8(letter.subject),
        "Body": {"Html": _utf8(bodies.html), "Text": _utf8(bodies.text)},
    }
    headers = {"Auto-Submitted": "auto-generated"}
    if letter.unsubscribe:
        headers["List-Unsubscribe"] = f"<{letter.unsubscribe}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    content["Headers"] = [{"Name": name, "Value": value} for name, value in headers.items()]
    return content


def _utf8(text: str) -> dict[str, str]:
    return {"Data": text, "Charset": "UTF-8"}
