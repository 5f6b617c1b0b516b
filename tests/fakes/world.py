"""A small network in one process: two authorities, a Shenzhen agency, a Hong Kong bank, and no wire between them.

Stores, keys, documents and operations are real; the clock and the courier are the test's.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from agreements.agreement import Agreement
from crypto.envelope import sign
from crypto.keys import Suite
from node.domain.jobs import Job, JobKind
from node.domain.receipts import COPY_KIND, CopyReceipt, CopyReceiptBatch, Receipt, ReceiptBatch
from node.domain.receipts import KIND as RECEIPTS_KIND
from node.operations.asked import NoticesTaken, RefusedAnswer
from node.operations.keep_agreements import DocumentPayload, keep_receipt, receive_document, take_filing
from node.operations.keep_registry import (
    admit_party,
    advance_mirror,
    read_registry,
    revoke_party,
)
from node.operations.ports import UnitOfWork
from node.operations.send_notices import Delivery, next_delivery, note_answer
from node.operations.take_notices import take_notices
from node.operations.take_receipts import take_receipts
from registry.mirror import Advanced, Mirror
from registry.parties import Jurisdiction, ListedCard, PartyClass, PartyId
from registry.statements import RevocationReason
from tests.fakes.databases import make_database
from tests.fakes.members import DAY, Clock, Member, Part

START = datetime(2026, 6, 1, 4, tzinfo=UTC)

PARTS = (
    Part(party=PartyId("sz-authority"), party_class=PartyClass.CREDIT_DEPT, jurisdiction=Jurisdiction.CN_SZ),
    Part(party=PartyId("hk-authority"), party_class=PartyClass.CREDIT_DEPT, jurisdiction=Jurisdiction.HK),
    Part(party=PartyId("sz-agency"), party_class=PartyClass.MUNI_CREDIT_AGENCY, jurisdiction=Jurisdiction.CN_SZ),
    Part(party=PartyId("hk-bank"), party_class=PartyClass.FIN_INST, jurisdiction=Jurisdiction.HK),
)
SZ, HK, AGENCY, BANK = (part.party for part in PARTS)


@dataclass(kw_only=True)
class World:
    """The network. `members` in the order of PARTS."""

    clock: Callable[[], datetime]
    folder: Path
    members: Mapping[PartyId, Member]

    @property
    def sz(self) -> Member:
        return self.members[SZ]

    @property
    def hk(self) -> Member:
        return self.members[HK]

    @property
    def agency(self) -> Member:
        return self.members[AGENCY]

    @property
    def bank(self) -> Member:
        return self.members[BANK]

    def wait(self, **span: float) -> None:
        """Let time pass, and have everybody hear the authorities again."""
        self.forward(**span)
        self.hear()

    def forward(self, **span: float) -> None:
        """Let time pass, and nobody hear of anything."""
        assert isinstance(self.clock, Clock)
        self.clock.forward(**span)

    def hear(self) -> None:
        """The authorities renew their heads, and everybody follows both logs."""
        for authority in (self.sz, self.hk):
            authority.renew()
            for member in self.members.values():
                if member is not authority:
                    assert isinstance(self.follow(member, authority), Advanced)

    def follow(self, member: Member, authority: Member) -> object:
        """One member fetches what is new in one authority's log."""

        def act(work: UnitOfWork) -> object:
            facts = member.facts(work)
            held = len(facts.mirrors[authority.party].statements)
            page = authority.read(lambda theirs: read_registry(theirs, authority.party, held, 0))
            assert page is not None
            return advance_mirror(work, authority.party, page, facts, member.context)

        return member.write(act)

    def admit(self, authority: Member, card: ListedCard) -> None:
        """An authority admits a party."""

        def act(work: UnitOfWork) -> object:
            return admit_party(work, card, authority.facts(work), authority.settings, authority.context)

        assert isinstance(authority.write(act), Mirror)

    def revoke(self, authority: Member, party: PartyId) -> None:
        """An authority revokes a party, and everybody hears it."""

        def act(work: UnitOfWork) -> object:
            reason, facts = RevocationReason.KEY_COMPROMISED, authority.facts(work)
            return revoke_party(work, party, reason, facts, authority.settings, authority.context)

        assert isinstance(authority.write(act), Mirror)
        self.hear()

    def agreement(self) -> Agreement:
        """The one agreement, as the agency knows it."""
        (agreement,) = self.agency.known().agreements.values()
        return agreement

    def deliver(self, sender: Member) -> list[object]:
        """Be the courier of `sender` for all but questions: hand over what is due, and give what was answered."""
        due = sender.read(lambda work: work.outbox.due(self.clock() + DAY, 100))
        return [self._hand_over(sender, self.members[job.peer], job) for job in due if job.kind is not JobKind.QUERY]

    def tell(self, home: Member, holder: Member) -> None:
        """Tell a holder every change, and bring its receipts back."""
        while delivery := home.write(lambda work: next_delivery(work, holder.party, home.desk(work))):
            self._tell(home, holder, delivery)
        self.deliver(holder)

    def _tell(self, home: Member, holder: Member, sent: Delivery) -> None:
        def take(work: UnitOfWork) -> NoticesTaken | RefusedAnswer:
            return take_notices(work, home.party, sent.batch, sent.replacement, holder.recipient(work))

        answer = holder.write(take)
        assert home.write(lambda work: note_answer(work, holder.party, sent, answer, home.context)), answer

    def _hand_over(self, sender: Member, to: Member, job: Job) -> object:
        def arrive(work: UnitOfWork) -> bytes | RefusedAnswer | None:
            facts, context = to.facts(work), to.context
            match job.kind:
                case JobKind.DELIVER_DOCUMENT:
                    return receive_document(work, sender.party, _document(job), facts, context)
                case JobKind.FILE_AGREEMENT:
                    return take_filing(work, sender.party, _document(job), facts, to.settings, context)
                case JobKind.RECEIPTS:
                    return take_receipts(work, sender.party, _receipts(sender, job), facts, context)
                case JobKind.COPY_RECEIPTS:
                    return take_receipts(work, sender.party, _copy_receipts(sender, job), facts, context)
                case _:
                    raise AssertionError(job.kind)

        answer = to.write(arrive)
        sender.write(lambda work: self._note(work, sender, job, answer))
        return answer

    def _note(self, work: UnitOfWork, sender: Member, job: Job, answer: object) -> None:
        if job.kind is JobKind.FILE_AGREEMENT and isinstance(answer, bytes):
            facts = sender.facts(work)
            agreement = facts.agreements[
                bytes.fromhex(msgspec.json.decode(job.payload, type=DocumentPayload).agreement)
            ]
            kept = keep_receipt(work, job.peer, agreement, answer, facts, sender.context)
            assert isinstance(kept, bytes), kept
        work.outbox.finish(job.number, b"{}", self.clock(), failed=isinstance(answer, RefusedAnswer))
        work.commit()


def _document(job: Job) -> bytes:
    return msgspec.json.decode(job.payload, type=DocumentPayload).document


def _receipts(sender: Member, job: Job) -> bytes:
    receipt = msgspec.json.decode(job.payload, type=Receipt)
    batch = ReceiptBatch(
        holder=sender.party, home=job.peer, issued_at=sender.clock(), receipts=(receipt,), suite=Suite.ONE
    )
    return sign(RECEIPTS_KIND, batch, [sender.context.keys.document])


def _copy_receipts(sender: Member, job: Job) -> bytes:
    receipts = msgspec.json.decode(job.payload, type=tuple[CopyReceipt, ...])
    batch = CopyReceiptBatch(
        holder=sender.party, home=job.peer, issued_at=sender.clock(), receipts=receipts, suite=Suite.ONE
    )
    return sign(COPY_KIND, batch, [sender.context.keys.document])


@contextmanager
def opened(
    folder: Path, clock: Callable[[], datetime] | None = None, founded: datetime = START, seed: int = 0
) -> Iterator[World]:
    """Open the network whose databases lie in `folder`."""
    now = clock or Clock(founded)
    members = {part.party: Member.open(part, folder / f"{part.party}.db", now, founded, seed) for part in PARTS}
    try:
        yield World(clock=now, folder=folder, members=members)
    finally:
        for member in members.values():
            member.close()


@contextmanager
def founded(folder: Path, clock: Callable[[], datetime] | None = None) -> Iterator[World]:
    """Make a network in which everybody is pinned or admitted, knows everybody, and has an operator."""
    begins = START if clock is None else clock()
    for part in PARTS:
        make_database(f"sqlite:///{folder / part.party}.db")
    with opened(folder, clock, begins) as world:
        for member in world.members.values():
            for authority in (world.sz, world.hk):
                member.pin(authority.card)
            member.employ()
        world.sz.adopt()
        world.hk.adopt()
        world.admit(world.sz, world.agency.card)
        world.admit(world.hk, world.bank.card)
        world.hear()
        yield world


@contextmanager
def copied(template: Path, folder: Path, seed: int = 1) -> Iterator[World]:
    """Open a copy of a network that was closed; its chance goes on differently."""
    for part in PARTS:
        shutil.copy(template / f"{part.party}.db", folder)
    with opened(folder, seed=seed) as world:
        yield world
