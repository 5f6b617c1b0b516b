"""Two parties, each home of some companies and holder of the other's; and what either may try under an agreement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from agreements.refusal import Refusal
from agreements.termination import Ending
from crypto import commitment, envelope
from crypto.frame import KIND as FRAME
from crypto.frame import FrameHeader, seal_body, sign_header
from crypto.keys import Purpose, Suite
from crypto.pseudonym import blind
from node.domain.notices import KIND as NOTICES
from node.domain.notices import Effect, Notice, NoticeBatch
from node.operations.asked import AskedItem, EvaluateAsked, FrameArrived, FrameRefused, QueryAsked, RefusedAnswer
from node.operations.change_records import Changed
from node.operations.keep_agreements import Done, terminate_agreement
from node.operations.ports import UnitOfWork
from registry.parties import PartyId
from tests.fakes.exchange import EVERYTHING, PURPOSE
from tests.fakes.members import Part
from tests.fakes.network import Network
from tests.fakes.propagation import (
    AGENCY,
    AUTHORITIES,
    BANKS,
    HOME,
    address,
    ask,
    by_alias,
    code,
    copies,
    corrected,
    deleted,
    enterprise,
    result_of,
)
from tests.simulation.held import rows, troubles

BANK = BANKS[0].party
PARTS: tuple[Part, ...] = (*AUTHORITIES, AGENCY, BANKS[0])
BOTH_KNOW = (3, 4, 5)
REGISTERS: Mapping[PartyId, Sequence[int]] = {HOME: (0, 1, 2, *BOTH_KNOW), BANK: (*BOTH_KNOW, 6, 7, 8)}
"""Of which companies each has a record, in the order of its records."""
REGIONS = {HOME: "440300", BANK: "HK"}
MISSING = Refusal.AGREEMENT_MISSING.value
COMPANIES = range(12)
"""Every company that anybody may ask about."""


@dataclass(frozen=True, slots=True)
class Way:
    """One direction: whose records go to whom."""

    home: PartyId
    holder: PartyId

    @property
    def back(self) -> "Way":
        return Way(self.holder, self.home)

    def __str__(self) -> str:
        return "southbound" if self.home == HOME else "northbound"


SOUTHBOUND, NORTHBOUND = Way(HOME, BANK), Way(BANK, HOME)
WAYS = (SOUTHBOUND, NORTHBOUND)


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The two parties, who share both ways, and the digest of each way's agreement."""

    network: Network
    agreements: Mapping[Way, bytes]

    def held(self, way: Way) -> dict[int, Mapping[str, object]]:
        """What the holder has of each company; several copies of one say the same."""
        known, register = by_alias(self.network, way.home), REGISTERS[way.home]
        held: dict[int, Mapping[str, object]] = {}
        for one in copies(self.network, way.holder):
            company = register[known[one.alias].record_no - 1]
            assert held.setdefault(company, one.values) == one.values
        return held

    def correct(self, way: Way, company: int, turn: int = 1) -> Changed:
        facts = {"status": ("SUSPENDED", "LIQUIDATION")[turn % 2], "address": place(way.home, company, turn)}
        changed = corrected(self.network, way.home, record(way.home, company), facts)
        assert isinstance(changed, Changed), changed
        return changed

    def delete(self, way: Way, company: int) -> Changed:
        changed = deleted(self.network, way.home, record(way.home, company))
        assert isinstance(changed, Changed), changed
        return changed

    def ask(self, way: Way, company: int) -> dict[str, Any]:
        """What came of a question that the holder asks now; everybody else waits."""
        job = ask(self.network, way.holder, self.agreements[way], [code(company)])
        self.network.run(way.holder)
        return result_of(self.network, way.holder, job)

    def troubles(self) -> list[str]:
        """What is not as it must be, in either direction."""
        return [one for way in WAYS for one in troubles(self.network, way.home, [way.holder])]


def row(home: PartyId, company: int) -> dict[str, str]:
    """A company as one of the two has it: the other has another region and address."""
    return enterprise(company) | {"region_code": REGIONS[home], "address": place(home, company, 0)}


def place(home: PartyId, company: int, version: int) -> str:
    return address(company + (1_000 if home == BANK else 0), version)


def record(home: PartyId, company: int) -> int:
    return REGISTERS[home].index(company) + 1


def streams(both: Neighbours, way: Way) -> list[tuple[int, str, str]]:
    """Number, effect and stage of what a home told its holder."""
    query = "SELECT sequence, effect, stage FROM notices WHERE peer = ? ORDER BY number"
    return rows(both.network.members[way.home].database, query, way.holder)


def names(both: Neighbours, way: Way, table: str, column: str) -> set[bytes]:
    """A column of what a home keeps under the agreement of its direction."""
    query = f"SELECT t.{column} FROM {table} t JOIN agreements a ON a.number = t.agreement_no WHERE a.digest = ?"  # noqa: S608 - our own tables
    return {value for (value,) in rows(both.network.members[way.home].database, query, both.agreements[way])}


def salts(both: Neighbours, way: Way) -> set[str]:
    return set().union(*(one.salts for one in copies(both.network, way.holder)))


def end(both: Neighbours, way: Way) -> None:
    """The home of a direction ends its agreement."""
    home = both.network.members[way.home]

    def act(work: UnitOfWork) -> object:
        office = home.office(work)
        return terminate_agreement(
            work, office.facts.agreements[both.agreements[way]], Ending.END_OF_COOPERATION, office
        )

    assert isinstance(home.write(act), Done)


def questions(way: Way, agreement: bytes) -> tuple[EvaluateAsked, QueryAsked]:
    """What a holder may send to a home, under any agreement; without an authorisation."""
    evaluation = EvaluateAsked(
        peer=way.holder, digest=agreement, agreement=agreement, epoch=1, blinded=tuple(blind([b"x"]).blinded),
        checkpoint=b"",
    )  # fmt: skip
    query = QueryAsked(
        peer=way.holder, digest=agreement, agreement=agreement, epoch=1, purpose=PURPOSE,
        asked={"101": frozenset(EVERYTHING["101"])}, items=(AskedItem(pseudonym=b"p" * 16, authorisation=b""),),
        batch=False, checkpoint=b"",
    )  # fmt: skip
    return evaluation, query


def frame(both: Neighbours, way: Way, named: Way) -> FrameArrived:
    """The first copy that a holder has, shown again by its home in a sound frame that names some agreement."""
    home, holder = (both.network.members[one] for one in (way.home, way.holder))
    (raw, *_), *_ = rows(home.database, "SELECT header FROM sent_frames WHERE push_job IS NOT NULL")
    (rendition, *_), *_ = rows(holder.database, "SELECT rendition FROM copies ORDER BY number")
    agreement = home.known().agreements[both.agreements[named]]
    honest = envelope.read_payload(envelope.parse(raw, FRAME), FrameHeader)
    shown = commitment.decode(rendition)
    inside = msgspec.structs.replace(shown.header, agreement=agreement.digest.hex())
    made = commitment.make_rendition(inside, shown.values(), home.context.random)
    header = msgspec.structs.replace(
        honest, frame=home.context.random(16).hex(), agreement=agreement.digest.hex(),
        filings=agreement.filing_set.hex(), push_sequence=100, count=1,
    )  # fmt: skip
    key = holder.card.key(Purpose.SEAL)
    sealed = seal_body([(commitment.encode(made), commitment.commitment(made))], header.binding(), key)
    header = msgspec.structs.replace(header, body=sealed.digest.hex(), root=sealed.root.hex())
    return FrameArrived(header=sign_header(header, home.context.keys.frame), body=sealed.body)


def notices(both: Neighbours, way: Way, named: Way) -> bytes:
    """The word of a home, under some agreement, that the first copy which its holder has is void."""
    home = both.network.members[way.home]
    now, alias = both.network.clock(), copies(both.network, way.holder)[0].alias
    notice = Notice(
        alias=alias.hex(), basis=bytes(32).hex(), due=now, effect=Effect.DELETE, notice=home.context.random(16).hex(),
        occurred_at=now, version=2,
    )  # fmt: skip
    batch = NoticeBatch(
        agreement=both.agreements[named].hex(), first=1, holder=way.holder, home=way.home, issued_at=now,
        journal_leaf=bytes(32).hex(), notices=(notice,), previous=None, suite=Suite.ONE,
    )  # fmt: skip
    return envelope.sign(NOTICES, batch, [home.context.keys.document])


def reasons(answers: Sequence[object]) -> list[str]:
    """Why each was refused; nothing for what was not."""
    whole = [one.answer if isinstance(one, FrameRefused) else one for one in answers]
    return [one.refused.reason.value if isinstance(one, RefusedAnswer) else "" for one in whole]
