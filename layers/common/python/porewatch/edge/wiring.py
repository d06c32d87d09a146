"""Adapters of the functions, each made from the settings in one place.

They are made for each invocation, because they hold nothing: AWS clients are kept by the process
(`adapters.clients`). What a single function uses, it makes itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from porewatch.adapters.archive.archive_ledger import ArchiveLedger
from porewatch.adapters.billing.billing_queue import BillingQueue
from porewatch.adapters.billing.customers import Customers
from porewatch.adapters.ledger.budget import Budget
from porewatch.adapters.ledger.idempotency import Inbox
from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.ledger.stages import StageLedger
from porewatch.adapters.messages.deliveries import Deliveries
from porewatch.adapters.messages.notices import Topic
from porewatch.adapters.money.charges import Charges
from porewatch.adapters.money.facility_rates import FacilityRates
from porewatch.adapters.objects import Objects
from porewatch.adapters.people.accounts import Accounts
from porewatch.adapters.people.credentials import Invitations, Sessions, ShareLinks, Tokens
from porewatch.adapters.people.entitlements import Entitlements, UserCaps
from porewatch.adapters.people.mail_suppressions import Suppressions
from porewatch.adapters.people.project_runs import ProjectRuns
from porewatch.adapters.people.slots import Admission
from porewatch.adapters.people.tier_limits import TierLimits
from porewatch.adapters.people.unsubscribe_tokens import UnsubscribeTokens
from porewatch.adapters.s3.manifests import Manifests
from porewatch.adapters.submission.request_keys import RequestKeys
from porewatch.adapters.table import Table
from porewatch.adapters.webhooks.delivery_queue import DeliveryQueue
from porewatch.adapters.webhooks.store import Webhooks
from porewatch.domain.billing.offers import nothing_sold
from porewatch.settings import settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from porewatch.adapters.accounting.statements import Accounting
    from porewatch.adapters.audit.signatures import Signatures
    from porewatch.adapters.audit.signing_acts import SigningActs
    from porewatch.adapters.billing.stripe_api import StripeApi
    from porewatch.adapters.billing.stripe_secrets import StripeSecrets
    from porewatch.adapters.people.oidc_client import OidcClient
    from porewatch.adapters.people.sign_in_attempts import SignInAttempts
    from porewatch.domain.billing.billing_event import BillingEvent
    from porewatch.domain.signatures.signature import Signature
    from porewatch.usecases.billing.begin_checkout import Till
    from porewatch.usecases.mail.mail_invitation import Counter
    from porewatch.usecases.signatures.desk import Desk
    from porewatch.usecases.uploads.upload_context import UploadContext
    from porewatch.usecases.views.show_storage import StorageSources


def table() -> Table:
    return Table(settings().ledger_table)


def runs() -> RunLedger:
    return RunLedger(table())


def project_runs() -> ProjectRuns:
    return ProjectRuns(table(), admission().writes)


def accounting() -> Accounting:
    from porewatch.adapters.accounting.statements import Accounting  # noqa: PLC0415 - few need it

    return Accounting(Charges(table()), FacilityRates(people()), accounts(), project_runs())


def admission() -> Admission:
    return Admission(table(), accounts(), tiers=tier_limits())


def entitlements() -> Entitlements:
    return Entitlements(people())


def storage_sources() -> StorageSources:
    from porewatch.usecases.views.show_storage import StorageSources  # noqa: PLC0415 - few need it

    return StorageSources(entitlements(), ArchiveLedger(table()), settings().unpaid_tier)


def tier_limits() -> TierLimits:
    return TierLimits(table(), entitlements(), settings().unpaid_tier, UserCaps(people()))


def people() -> Table:
    return Table(settings().people_table)


def accounts() -> Accounts:
    return Accounts(people())


def sessions() -> Sessions:
    return Sessions(people())


def tokens() -> Tokens:
    return Tokens(people())


def invitations() -> Invitations:
    return Invitations(people())


def share_links() -> ShareLinks:
    return ShareLinks(people())


def sign_in_attempts() -> SignInAttempts:
    from porewatch.adapters.people.sign_in_attempts import SignInAttempts  # noqa: PLC0415

    return SignInAttempts(people())


def suppressions() -> Suppressions:
    """Addresses that get no mail."""
    return Suppressions(people())


def mail_counter(root: str) -> Counter:
    """Where a function hands in a letter by itself. What fills letters is in a layer of its own."""
    from porewatch.adapters.mail.sender import MailSender  # noqa: PLC0415
    from porewatch.usecases.mail.mail_invitation import Counter  # noqa: PLC0415

    config = settings()
    sender = MailSender(config.mail_from, config.mail_configuration_set)
    return Counter(sender.send, suppressions(), accounts(), root)


def unsubscribe_tokens() -> UnsubscribeTokens:
    return UnsubscribeTokens(settings().mail_key_arn)


def webhooks() -> Webhooks:
    return Webhooks(people())


def delivery_queue() -> DeliveryQueue:
    return DeliveryQueue(settings().delivery_queue_url)


def request_keys() -> RequestKeys:
    """Idempotency keys of what is made in the people table."""
    return RequestKeys(people())


def stages() -> StageLedger:
    return StageLedger(table())


def budget(price_snapshot: str = "") -> Budget:
    """With the caps of the stack."""
    config = settings()
    return Budget(
        table(),
        run_usd=config.run_budget_usd,
        account_usd=config.account_budget_usd,
        price_snapshot=price_snapshot,
    )


def launch_budget(price_snapshot: str) -> Budget:
    """With the caps of the stack, of its projects and of its users' tiers."""
    return budget(price_snapshot).limited_by(
        lambda project: accounts().project(project).quota.month_usd, tier_limits().month_usd
    )


def inbox() -> Inbox:
    return Inbox(table())


def raw() -> Objects:
    return Objects(settings().raw_bucket)


def results() -> Objects:
    return Objects(settings().results_bucket)


def reports() -> Objects:
    return Objects(settings().reports_bucket)


def manifests() -> Manifests:
    """Sealed manifests: noted in the ledger, kept in the raw bucket."""
    return Manifests(runs(), raw())


def notices() -> Topic:
    return Topic(settings().notice_topic_arn)


def again(receipt: str, receives: int) -> None:
    """Change the visibility timeout of a message of the function's queue (`queue.Again`)."""
    Deliveries(settings().queue_url).again(receipt, receives)


def oidc_client(redirect_uri: str) -> OidcClient:
    """Sign-in at the stack's identity provider, which sends browsers back to `redirect_uri`."""
    # Here, because what they import is in a layer that the web function alone has.
    from porewatch.adapters.people.client_secret import client_secret  # noqa: PLC0415
    from porewatch.adapters.people.oidc_client import OidcClient  # noqa: PLC0415
    from porewatch.domain.people.oidc import Provider  # noqa: PLC0415

    config = settings()
    return OidcClient(
        Provider(
            issuer=config.oidc_issuer,
            client_id=config.oidc_client_id,
            client_secret=client_secret(config.oidc_client_secret_arn),
            redirect_uri=redirect_uri,
            algorithms=config.oidc_algorithms,
            client_authentication=config.oidc_client_authentication,
        )
    )


def signing_acts() -> SigningActs:
    from porewatch.adapters.audit.signing_acts import SigningActs  # noqa: PLC0415 - few need it

    return SigningActs(people())


def proved_signatures(audit_key: str) -> Signatures:
    from porewatch.adapters.audit.audit_key import AuditKey  # noqa: PLC0415 - few need it
    from porewatch.adapters.audit.signatures import Signatures  # noqa: PLC0415 - few need it

    return Signatures(table(), settings().stack_name, AuditKey(audit_key))


def signing_desk(page: Callable[[Signature], str], audit_key: str = "") -> Desk:
    """What signing needs; without the audit key, what showing signatures needs."""
    from porewatch.adapters.audit.anchors import Anchors  # noqa: PLC0415 - few need it
    from porewatch.usecases.signatures.desk import Desk  # noqa: PLC0415 - few need it

    return Desk(
        signatures=proved_signatures(audit_key),
        acts=signing_acts(),
        anchors=Anchors(table(), settings().stack_name, audit_key),
        reports=reports(),
        page=page,
        four_eyes=settings().four_eyes,
    )


def customers() -> Customers:
    return Customers(people())


def billing_queue() -> BillingQueue:
    return BillingQueue(settings().billing_queue_url)


def stripe_api() -> StripeApi:
    # Here, because `stripe` is in a layer that the functions of billing alone have.
    from porewatch.adapters.billing.stripe_api import StripeApi  # noqa: PLC0415

    return StripeApi(_stripe_secrets().api_key, settings().stripe_address, settings().stack_name)


def verified_event(body: bytes, signature: str | None) -> BillingEvent | None:
    """As `stripe_api.verified_event`, with the secret of this stack's webhook."""
    from porewatch.adapters.billing import stripe_api  # noqa: PLC0415

    return stripe_api.verified_event(body, signature, _stripe_secrets().webhook_secret)


def till() -> Till:
    from porewatch.usecases.billing.begin_checkout import Till  # noqa: PLC0415 - few need it

    if not settings().sells:
        raise nothing_sold()
    return Till(accounts(), customers(), stripe_api())


def _stripe_secrets() -> StripeSecrets:
    from porewatch.adapters.billing.stripe_secrets import stripe_secrets  # noqa: PLC0415

    if not settings().stripe_secret_arn:
        raise nothing_sold()
    return stripe_secrets(settings().stripe_secret_arn)


def upload_context() -> UploadContext:
    from porewatch.adapters.submission.multipart import MultipartUploads  # noqa: PLC0415 - few need it
    from porewatch.adapters.submission.run_uploads import RunUploads  # noqa: PLC0415 - few need it
    from porewatch.usecases.uploads.upload_context import UploadContext  # noqa: PLC0415 - few need it

    bucket, uploads = raw(), RunUploads(table())
    return UploadContext(runs(), uploads, bucket, MultipartUploads(bucket.bucket), admission())
