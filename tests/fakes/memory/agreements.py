"""The ports Agreements, Consents, KnownPseudonyms and Usage."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from node.operations.rows import AgreementDocumentRow, ConsentRow
from tests.fakes.memory.state import Part, add_once, page_of


class MemoryAgreements(Part):
    def add(self, document: AgreementDocumentRow) -> bool:
        self.number(document.agreement)
        return add_once(self._changing.documents, document.raw, document)

    def documents(self, agreement: bytes) -> list[AgreementDocumentRow]:
        return [one for one in self.all() if one.agreement == agreement]

    def all(self) -> Iterator[AgreementDocumentRow]:
        return iter(list(self._seen.documents.values()))

    def number(self, agreement: bytes) -> int:
        if agreement not in self._seen.agreements:
            self._changing.agreements[agreement] = len(self._seen.agreements) + 1
        return self._seen.agreements[agreement]


class MemoryConsents(Part):
    def add(self, consent: ConsentRow) -> bool:
        return add_once(self._changing.consents, consent.consent, consent)

    def of_subject(self, agreement: bytes, scheme: str, value: str) -> list[ConsentRow]:
        subject = (agreement, scheme, value)
        rows = reversed(self._seen.consents.values())
        return [one for one in rows if (one.agreement, one.scheme, one.value) == subject]

    def page(self, after: int, limit: int) -> list[tuple[int, ConsentRow]]:
        return page_of(self._seen.consents.values(), after, limit)


class MemoryKnownPseudonyms(Part):
    def lookup(
        self, agreement: bytes, epoch: int, identifiers: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], bytes]:
        known = self._seen.known_pseudonyms
        return {one: known[agreement, epoch, *one] for one in identifiers if (agreement, epoch, *one) in known}

    def add(self, agreement: bytes, epoch: int, rows: Mapping[tuple[str, str], bytes]) -> None:
        self._changing.known_pseudonyms.update({(agreement, epoch, *one): name for one, name in rows.items()})


class MemoryUsage(Part):
    def charged(self, agreement_no: int, windows: Sequence[str]) -> dict[str, int]:
        return {window: self._seen.charges.get((agreement_no, window), 0) for window in windows}

    def charge(self, agreement_no: int, amounts: Mapping[str, int]) -> None:
        charged = self.charged(agreement_no, list(amounts))
        for window, amount in amounts.items():
            self._changing.charges[agreement_no, window] = charged[window] + amount

    def evaluated(self, request: bytes) -> bool:
        return request in self._seen.evaluations

    def remember_evaluation(self, request: bytes, at: datetime) -> None:
        del at
        self._changing.evaluations.add(request)

    def use_nonces(self, nonces: Mapping[bytes, bytes], expires_at: datetime) -> dict[bytes, bytes]:
        del expires_at
        known = self._changing.nonces
        used = {nonce: known[nonce] for nonce, request in nonces.items() if known.get(nonce, request) != request}
        known.update({nonce: request for nonce, request in nonces.items() if nonce not in used})
        return used
