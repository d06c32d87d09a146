"""A machine proves who it is: it signs a GetCallerIdentity that somebody else sends to STS.

Both sides make the same request by themselves; only the values of three headers pass between them.
So the receiver never calls a host, a path or an action that a machine named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ConnectionError, HTTPClientError
from botocore.httpsession import URLLib3Session
from botocore.parsers import create_parser

from porewatch.adapters import clients
from porewatch.domain.errors import IdentityRefused, Unavailable
from porewatch.domain.machines.signed_identity import BOUND_TO, SignedIdentity

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

BODY = b"Action=GetCallerIdentity&Version=2011-06-15"
FORM = "application/x-www-form-urlencoded; charset=utf-8"
SECONDS = 10
ANYWHERE = "https://sts.amazonaws.com"


def endpoint_of(sts: STSClient) -> str:
    """The address of STS in the client's region, which older versions of boto3 call by one for all
    regions: a signature names its host."""
    endpoint, region = sts.meta.endpoint_url, sts.meta.region_name
    return f"https://sts.{region}.amazonaws.com" if endpoint == ANYWHERE else endpoint


def _request(endpoint: str, bound: str, **more: str) -> AWSRequest:
    headers = {"Content-Type": FORM, BOUND_TO: bound, **more}
    return AWSRequest("POST", endpoint.rstrip("/") + "/", headers, BODY)


def signed(keys: ReadOnlyCredentials, *, endpoint: str, region: str, bound: str) -> SignedIdentity:
    """The identity of whoever has `keys`, which are temporary, for the request that `bound` names
    (`domain.machines.signed_identity.bound_to`). `endpoint`: of STS in `region`. Calls nobody."""
    request = _request(endpoint, bound)
    SigV4Auth(keys, "sts", region).add_auth(request)
    headers = request.headers
    return SignedIdentity(
        authorization=headers["Authorization"],
        date=headers["X-Amz-Date"],
        token=headers["X-Amz-Security-Token"],
    )


def user_id_of(identity: SignedIdentity, *, endpoint: str, bound: str) -> str:
    """`aws:userid` of whoever signed it, as STS at `endpoint` says. IdentityRefused when STS does
    not believe the signature, or it is for another request than `bound`; Unavailable."""
    request = _request(
        endpoint,
        bound,
        **{
            "X-Amz-Date": identity.date,
            "X-Amz-Security-Token": identity.token,
            "Authorization": identity.authorization,
        },
    )
    http = URLLib3Session(timeout=SECONDS)
    try:
        reply = http.send(request.prepare())
    except (ConnectionError, HTTPClientError) as error:
        raise Unavailable(f"could not ask STS who a machine is: {error}") from error
    if reply.status_code >= 500:
        raise Unavailable(f"STS answered {reply.status_code}.")
    parsed = _parsed(reply)
    if reply.status_code != 200:
        raise IdentityRefused(f"STS does not believe it: {parsed['Error']['Code']}.")
    return str(parsed["UserId"])


def _parsed(reply: Any) -> dict[str, Any]:
    shape: Any = clients.sts().meta.service_model.operation_model("GetCallerIdentity").output_shape
    answer = {
        "body": reply.content,
        "headers": reply.headers,
        "status_code": reply.status_code,
        "context": {},
    }
    parsed: dict[str, Any] = create_parser("query").parse(answer, shape)
    return parsed
