"""Rows to store, each with something in every field."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256

from msgspec import structs

from crypto import envelope
from crypto.keys import Purpose, SigningKey
from node.domain.jobs import JobKind, NewJob
from node.domain.journal import Drafted
from node.domain.receipts import KIND
from node.operations.ports import Store
from node.operations.record_rows import DeletionRow, NewRecordRow
from node.operations.rendition_rows import RenditionRow
from node.operations.rows import (
    AgreementDocumentRow,
    ConsentRow,
    CopyRow,
    LedgerRow,
    NewNoticeRow,
    ReceivedFrameRow,
    SentFrameRow,
    StoredCheckpoint,
)
from registry.parties import PartyId

NOON = datetime(2026, 11, 23, 12, 0, 0, 125_000, tzinfo=UTC)
BANK = PartyId("hk-bank")
AGENCY = PartyId("sz-agency")
BUREAU = PartyId("mo-bureau")
USCC = ("CN-USCC", "91440300708461136T")
BRN = ("HK-BRN", "12345678")


def minutes(count: int) -> datetime:
    return NOON + timedelta(minutes=count)


def digest(name: str) -> bytes:
    return sha256(name.encode()).digest()


def short(name: str) -> bytes:
    return digest(name)[:16]


_KEY = SigningKey(Purpose.DOCUMENT, digest("holder"))


def receipts(name: str = "receipts", kind: str = KIND, key: SigningKey = _KEY) -> bytes:
    """A signed batch of receipts, as far as a store looks into it."""
    return envelope.sign(kind, name.encode(), [key])


AGREEMENT = digest("agreement")
OTHER_AGREEMENT = digest("another agreement")


def document(name: str, agreement: bytes = AGREEMENT, signatures: str = "") -> AgreementDocumentRow:
    raw = f"{name} {signatures}".encode()
    return AgreementDocumentRow(agreement=agreement, digest=digest(name), kind="agreement", raw=raw)


def record(name: str, *identifiers: tuple[str, str], content: str = "content", kind: str = "101") -> NewRecordRow:
    return NewRecordRow(
        identifiers=identifiers or (("HK-CR", name),),
        source_key=digest(name),
        kind=kind,
        content=content.encode(),
        content_digest=digest(content),
        facts=b'{"provider":"sz-agency"}',
        generated_on=date(2026, 11, 23),
        disclose_until=date(2031, 11, 23) if kind == "201" else None,
    )


def rendition(record_no: int, agreement_no: int, *, version: int = 1, epoch: int = 1) -> RenditionRow:
    return RenditionRow(
        agreement_no=agreement_no,
        epoch=epoch,
        record_no=record_no,
        record_version=version,
        alias=short(f"alias {record_no}"),
        wire_version=version,
        body=f"rendition {record_no} {version} {epoch}".encode(),
        commitment=digest(f"rendition {record_no} {version} {epoch}"),
    )


def deletion(record_no: int, at: datetime = NOON) -> DeletionRow:
    return DeletionRow(
        record_no=record_no,
        basis="SUBJECT_REQUEST",
        document="decision 17 of 2026",
        first_order=digest("first order"),
        second_order=digest("second order"),
        at=at,
    )


def sent(name: str, agreement_no: int, *, to: PartyId = BANK, request: str = "", at: datetime = NOON) -> SentFrameRow:
    """A frame that answers a request."""
    return SentFrameRow(
        frame=short(name),
        recipient=to,
        agreement_no=agreement_no,
        request=digest(f"request {request or name}"),
        header=f"header {name}".encode(),
        header_digest=digest(f"header {name}"),
        body=f"body {name} ".encode() * 300,
        outcomes=b"[]",
        sent_at=at,
    )


def pushed(name: str, agreement_no: int, job: int | None = None, sequence: int = 1) -> SentFrameRow:
    """A frame of a push job, or of none: one that goes along with notices."""
    answer = sent(name, agreement_no)
    return structs.replace(answer, request=None, push_job=job, sequence=sequence)


def shown(
    agreement_no: int, record_no: int, frame: str, *, version: int = 1, identifier: int = 1, fields: str | None = None
) -> LedgerRow:
    return LedgerRow(
        agreement_no=agreement_no,
        record_no=record_no,
        record_version=version,
        frame=short(frame),
        identifier_no=identifier,
        fields=fields,
    )


def notice(
    name: str, agreement_no: int, record_no: int, *, version: int = 2, to: PartyId = BANK, due_at: datetime = NOON
) -> NewNoticeRow:
    return NewNoticeRow(
        notice=short(name),
        peer=to,
        agreement_no=agreement_no,
        record_no=record_no,
        record_version=version,
        alias=short(f"alias {record_no}"),
        effect="REPLACE",
        version=version,
        basis="DISPUTE",
        document=f"decision on {name}",
        salt=digest(f"salt {name}"),
        occurred_at=minutes(-1),
        due_at=due_at,
    )


def received(name: str, sender: PartyId = AGENCY) -> ReceivedFrameRow:
    return ReceivedFrameRow(
        frame=short(name),
        sender=sender,
        agreement=AGREEMENT,
        header=f"header {name} {sender}".encode(),
        header_digest=digest(f"header {name} {sender}"),
        commitments=digest(f"{name} first") + digest(f"{name} second"),
        leaf=digest(f"leaf {name} {sender}"),
        received_at=NOON,
    )


def copy(
    frame: str,
    name: str,
    *,
    version: int = 3,
    agreement: bytes = AGREEMENT,
    keep_until: datetime = NOON + timedelta(days=90),
) -> CopyRow:
    return CopyRow(
        frame=short(frame),
        agreement=agreement,
        pseudonym=short("subject"),
        alias=short(name),
        wire_version=version,
        kind="201",
        rendition=f"{name} {version}".encode(),
        keep_until=keep_until,
    )


def consent(name: str, identifier: tuple[str, str] = USCC) -> ConsentRow:
    scheme, value = identifier
    return ConsentRow(
        consent=digest(name),
        agreement=AGREEMENT,
        scheme=scheme,
        value=value,
        valid_until=minutes(60),
        raw=name.encode(),
    )


def entry(name: str) -> Drafted:
    return Drafted(
        entry=name.encode(), leaf=digest(name), detail=b'{"outcome":"ANSWERED"}', salt=digest(f"salt {name}")
    )


def checkpoint(size: int) -> StoredCheckpoint:
    return StoredCheckpoint(size=size, root=digest(f"root {size}"), note=f"note {size}".encode(), at=minutes(size))


def job(key: str, give_up_at: datetime | None = None) -> NewJob:
    return NewJob(kind=JobKind.QUERY, peer=BANK, key=key, payload=b"{}", give_up_at=give_up_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stocked:
    """Numbers of what `stock` stored: agreements, records and subjects."""

    agreement_no: int
    other_no: int
    records: tuple[int, ...]
    subjects: tuple[int, ...]


def stock(store: Store, count: int = 2) -> Stocked:
    """Store two agreements and `count` records of as many subjects."""
    with store.write() as work:
        work.agreements.add(document("terms"))
        work.records.add([record(f"record {place}") for place in range(count)], NOON)
        rows = work.records.page(None, 0, count)
        agreement_no, other_no = work.agreements.number(AGREEMENT), work.agreements.number(OTHER_AGREEMENT)
        work.commit()
    return Stocked(
        agreement_no=agreement_no,
        other_no=other_no,
        records=tuple(row.record_no for row in rows),
        subjects=tuple(row.subject_no for row in rows),
    )


def stock_named(store: Store, count: int = 2) -> Stocked:
    """Store what `stock` does, and a rendition of each record under both agreements, so that each has a name there."""
    stocked = stock(store, count)
    with store.write() as work:
        for number in (stocked.agreement_no, stocked.other_no):
            work.renditions.add([rendition(one, number) for one in stocked.records])
        work.commit()
    return stocked
