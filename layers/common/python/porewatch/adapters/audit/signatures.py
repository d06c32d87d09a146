"""Signatures of reports, in the ledger: a partition of their own for each run, which no role but
that of the signing function writes, and which stays when the run is deleted."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator

from pydantic import ValidationError

from porewatch.adapters.audit.anchors import ANCHORS, SIGNATURE_PREFIX
from porewatch.adapters.audit.audit_key import AuditKey
from porewatch.adapters.items import Item, PutNew, Write, fact_item, signatures_key
from porewatch.adapters.ledger.review_states import reviewed_write
from porewatch.adapters.table import Table
from porewatch.domain.errors import Conflict
from porewatch.domain.facts.fact import Fact
from porewatch.domain.signatures.signature import Signature, signed_text
from porewatch.domain.signatures.steps import Reviewed

ACT_PREFIX = "ACT#"


class Signatures:
    """Of stack `stack`, in ledger `table`, proved by `key`."""

    def __init__(self, table: Table, stack: str, key: AuditKey) -> None:
        self._table, self._stack, self._key = table, stack, key

    def of(self, run_id: str) -> tuple[Signature, ...]:
        """All signatures of a run that can be read, proved or not, by number."""
        return tuple(one for _, one in self._records(run_id) if one is not None)

    def unreadable(self, run_id: str) -> tuple[int, ...]:
        """Numbers whose record is no signature of that number: somebody has changed it."""
        return tuple(number for number, one in self._records(run_id) if one is None)

    def _records(self, run_id: str) -> Iterator[tuple[int, Signature | None]]:
        for item in self._table.query(signatures_key(run_id), SIGNATURE_PREFIX):
            number = int(item.sk.removeprefix(SIGNATURE_PREFIX))
            one = _read(item)
            yield number, one if one is not None and one.number == number else None

    def by_act(self, run_id: str, act_id: str) -> Signature | None:
        """The signature that this act has made; an act makes one. None, too, when its record can
        no longer be read."""
        done = self._table.get(signatures_key(run_id), ACT_PREFIX + act_id)
        if done is None:
            return None
        number = int(done.attributes["number"])
        return _read(self._table.need(signatures_key(run_id), _place(number)))

    def signed(self, bare: Signature) -> Signature:
        """With its proof. Raises Unavailable or Throttled."""
        mac = self._key.mac(signed_text(self._stack, bare), "sign a report")
        return bare.model_copy(update={"mac": mac})

    def keep(self, signature: Signature, last: Reviewed, facts: Iterable[Fact] = ()) -> None:
        """Write a signature, how far its report is then, and what happened, or nothing. Conflict
        when there is one of its number, or its act has made one. All stands in its partition: who
        signs may write nothing else of a run."""
        pk = signatures_key(signature.run_id)
        place = (ANCHORS, signature.place)
        item = Item.of(pk, _place(signature.number), signature, kind=place)
        done = Item(pk, ACT_PREFIX + signature.act_id, attributes={"number": signature.number})
        said = [PutNew(fact_item(fact, pk)) for fact in facts]
        once: list[Write] = [PutNew(item, Conflict), PutNew(done, Conflict)]
        self._table.transact([*once, reviewed_write(pk, last), *said])

    def proves(self, signature: Signature) -> bool:
        """Whether KMS says that its key made this signature."""
        return self._key.proves(signature.mac, signed_text(self._stack, signature))

    def made(self, signature: Signature) -> bool:
        """As `proves`, for who may only make proofs. Raises Unavailable or Throttled."""
        return hmac.compare_digest(self.signed(signature).mac.encode(), signature.mac.encode())


def _read(item: Item) -> Signature | None:
    try:
        return item.model(Signature)
    except ValidationError:
        return None


def _place(number: int) -> str:
    return f"{SIGNATURE_PREFIX}{number:04d}"
