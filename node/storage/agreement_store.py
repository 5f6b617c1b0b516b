"""Documents of agreements, and what hangs on an agreement at the requester: consents and known pseudonyms."""


# ruff: noqa: D102 - each method keeps the promise of its port and says only what is added to it

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from node.operations.rows import AgreementDocumentRow, ConsentRow
from node.storage.moments import from_milliseconds, to_milliseconds
from node.storage.transaction import Transaction

_NUMBER: Final = "SELECT number FROM agreements WHERE digest = :agreement"
_NEW_NUMBER: Final = "INSERT INTO agreements (digest) VALUES (:agreement) ON CONFLICT (digest) DO NOTHING"

_ADD_DOCUMENT: Final = """
INSERT INTO agreement_documents (agreement_no, digest, kind, raw, raw_digest)
VALUES (:agreement_no, :digest, :kind, :raw, :raw_digest)
ON CONFLICT (raw_digest) DO NOTHING"""
_DOCUMENTS: Final = """
SELECT d.number, a.digest, d.digest, d.kind, d.raw FROM agreement_documents d
JOIN agreements a ON a.number = d.agreement_no"""
_OF_AGREEMENT: Final = f"{_DOCUMENTS} WHERE a.digest = :agreement ORDER BY d.number"
_PAGE: Final = f"{_DOCUMENTS} WHERE d.number > :after ORDER BY d.number LIMIT 500"

_ADD_CONSENT: Final = """
INSERT INTO consents (consent, agreement_no, scheme, value, valid_until, raw)
VALUES (:consent, :agreement_no, :scheme, :value, :valid_until, :raw)
ON CONFLICT (consent) DO NOTHING"""
_CONSENTS: Final = """
SELECT c.number, c.consent, a.digest, c.scheme, c.value, c.valid_until, c.raw FROM consents c
JOIN agreements a ON a.number = c.agreement_no"""
_OF_SUBJECT: Final = f"""{_CONSENTS}
WHERE a.digest = :agreement AND c.scheme = :scheme AND c.value = :value ORDER BY c.number DESC"""
_CONSENT_PAGE: Final = f"{_CONSENTS} WHERE c.number > :after ORDER BY c.number LIMIT :limit"

_KNOWN: Final = """
WITH {pairs wanted} SELECT k.scheme, k.value, k.pseudonym
FROM agreements a CROSS JOIN wanted CROSS JOIN known_pseudonyms k
WHERE a.digest = :agreement AND k.agreement_no = a.number AND k.epoch = :epoch
AND k.scheme = wanted.key AND k.value = wanted.other"""
_ADD_KNOWN: Final = """
INSERT INTO known_pseudonyms (agreement_no, epoch, scheme, value, pseudonym)
VALUES (:agreement_no, :epoch, :scheme, :value, :pseudonym)
ON CONFLICT (agreement_no, epoch, scheme, value) DO UPDATE SET pseudonym = excluded.pseudonym"""


def agreement_number(transaction: Transaction, agreement: bytes) -> int:
    """The store's integer for an agreement digest, made if there is none."""
    key = {"agreement": agreement}
    row = transaction.row(_NUMBER, key)
    if row is None:
        transaction.run(_NEW_NUMBER, key)
        row = transaction.rows(_NUMBER, key)[0]
    return int(row[0])


class SqlAgreements:
    """See `node.operations.ports.Agreements`."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, document: AgreementDocumentRow) -> bool:
        values = {
            "agreement_no": agreement_number(self._transaction, document.agreement),
            "digest": document.digest,
            "kind": document.kind,
            "raw": document.raw,
            "raw_digest": sha256(document.raw).digest(),
        }
        return self._transaction.run(_ADD_DOCUMENT, values) == 1

    def documents(self, agreement: bytes) -> list[AgreementDocumentRow]:
        rows = self._transaction.rows(_OF_AGREEMENT, {"agreement": agreement})
        return [_document_from_row(row) for row in rows]

    def all(self) -> Iterator[AgreementDocumentRow]:
        after = 0
        while rows := self._transaction.rows(_PAGE, {"after": after}):
            yield from (_document_from_row(row) for row in rows)
            after = rows[-1][0]

    def number(self, agreement: bytes) -> int:
        return agreement_number(self._transaction, agreement)


class SqlConsents:
    """See `node.operations.ports.Consents`."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, consent: ConsentRow) -> bool:
        values = {
            "consent": consent.consent,
            "agreement_no": agreement_number(self._transaction, consent.agreement),
            "scheme": consent.scheme,
            "value": consent.value,
            "valid_until": to_milliseconds(consent.valid_until),
            "raw": consent.raw,
        }
        return self._transaction.run(_ADD_CONSENT, values) == 1

    def of_subject(self, agreement: bytes, scheme: str, value: str) -> list[ConsentRow]:
        subject = {"agreement": agreement, "scheme": scheme, "value": value}
        return [_consent_from_row(row) for row in self._transaction.rows(_OF_SUBJECT, subject)]

    def page(self, after: int, limit: int) -> list[tuple[int, ConsentRow]]:
        rows = self._transaction.rows(_CONSENT_PAGE, {"after": after, "limit": limit})
        return [(row[0], _consent_from_row(row)) for row in rows]


class SqlKnownPseudonyms:
    """See `node.operations.ports.KnownPseudonyms`."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def lookup(
        self, agreement: bytes, epoch: int, identifiers: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], bytes]:
        wanted = self._transaction.pairs(identifiers)
        rows = self._transaction.rows(_KNOWN, {"agreement": agreement, "epoch": epoch, "wanted": wanted})
        return {(scheme, value): pseudonym for scheme, value, pseudonym in rows}

    def add(self, agreement: bytes, epoch: int, rows: Mapping[tuple[str, str], bytes]) -> None:
        number = agreement_number(self._transaction, agreement)
        values = [
            {"agreement_no": number, "epoch": epoch, "scheme": scheme, "value": value, "pseudonym": pseudonym}
            for (scheme, value), pseudonym in rows.items()
        ]
        self._transaction.run_many(_ADD_KNOWN, values)


def _document_from_row(row: Any) -> AgreementDocumentRow:
    _, agreement, digest, kind, raw = row
    return AgreementDocumentRow(agreement=agreement, digest=digest, kind=kind, raw=raw)


def _consent_from_row(row: Any) -> ConsentRow:
    _, consent, agreement, scheme, value, valid_until, raw = row
    return ConsentRow(
        consent=consent,
        agreement=agreement,
        scheme=scheme,
        value=value,
        valid_until=from_milliseconds(valid_until),
        raw=raw,
    )
