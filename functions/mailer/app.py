"""Mail to people about facts; and addresses that bounce get no more of it."""

from porewatch.adapters.archive.archive_ledger import ArchiveLedger
from porewatch.adapters.mail.sender import MailSender
from porewatch.adapters.messages.metrics import Metrics
from porewatch.adapters.messages.worker_queue import DeadLetters
from porewatch.domain.base import now
from porewatch.domain.errors import Refused
from porewatch.domain.facts.fact import Fact
from porewatch.domain.mail.suppression import MailFeedback
from porewatch.domain.mail.user_occasions import UserEvent
from porewatch.edge import wiring
from porewatch.edge.envelopes import parse_of_mail
from porewatch.edge.queue import QueueMessage, on_queue
from porewatch.settings import Settings, settings
from porewatch.usecases.mail.find_ending import PaidTiers
from porewatch.usecases.mail.hear_feedback import hear_feedback
from porewatch.usecases.mail.mail_user import mail_user
from porewatch.usecases.mail.send_mails import PostOffice, send_mails
from porewatch.usecases.stages.set_message_aside import set_message_aside

COUNTED = "MailsRefused"


def set_aside(raw: QueueMessage, error: Refused) -> None:
    letters, metrics = DeadLetters(settings().dead_letters_url), Metrics(settings().stack_name)
    set_message_aside(
        raw.body, raw.mac, error, dead_letters=letters, metrics=metrics, at=now(), counted=COUNTED
    )


def post_office(config: Settings) -> PostOffice:
    return PostOffice(
        runs=wiring.runs(),
        accounts=wiring.accounts(),
        inbox=wiring.inbox(),
        suppressions=wiring.suppressions(),
        send=MailSender(config.mail_from, config.mail_configuration_set).send,
        token=wiring.unsubscribe_tokens().make,
        root=config.pages_root,
    )


def paid_tiers(config: Settings) -> PaidTiers:
    return PaidTiers(
        entitlements=wiring.entitlements(),
        archive=ArchiveLedger(wiring.table()),
        unpaid=config.unpaid_tier,
        sells=config.sells,
        results_days=config.results_days,
    )


@on_queue(parse_of_mail, again=wiring.again, aside=set_aside)
def lambda_handler(said: Fact | UserEvent | MailFeedback) -> None:
    config = settings()
    if isinstance(said, MailFeedback):
        hear_feedback(said, suppressions=wiring.suppressions())
    elif not config.mail_from:
        return
    elif isinstance(said, Fact):
        send_mails(said, post_office(config), now())
    else:
        mail_user(said, post_office(config), now(), paid=paid_tiers(config))
