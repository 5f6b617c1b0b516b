"""One member of the small network: a party with real keys, a real store, and a clock and chance of the test's own."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, TypeVar

from crypto.canonical import read
from crypto.keys import Purpose, SealKey, SigningKey
from crypto.pseudonym import own_pseudonyms
from node.domain.certificate import make_certificate
from node.domain.context import Context, NodeKeys
from node.domain.journal import JournalEntry
from node.domain.operators import Role, SigningOperator
from node.operations.accept_frames import Recipient
from node.operations.desk import Desk
from node.operations.facts import FactsCache, NodeFacts, Settings, heard_authorities
from node.operations.keep_agreements import Office
from node.operations.keep_registry import Unfit, admit_party, adopt_packs, pin_authority, renew_head
from node.operations.operators import add_operator
from node.operations.ports import Store, UnitOfWork
from node.operations.rows import OperatorRow
from node.storage.engine import open_store
from node.storage.store import SqlStore
from registry.mirror import Mirror
from registry.norms.calendar import shanghai_day
from registry.norms.law import shipped_law
from registry.norms.shelf import Pack, adopted_by_default, shipped_shelf
from registry.parties import (
    Jurisdiction,
    ListedCard,
    PartyClass,
    PartyId,
    draft_card,
    issue_card,
    read_card,
)
from registry.statements import Term

T = TypeVar("T")
DAY = timedelta(days=1)
LAW = shipped_law()
OPERATOR = "alice"
SECOND = "bob"
NOWHERE = "127.0.0.1:1"
"""An endpoint at which nobody listens."""


@dataclass(slots=True)
class Clock:
    """A clock that stands still until the test moves it."""

    at: datetime

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **span: float) -> None:
        self.at += timedelta(**span)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Who somebody is; every secret follows from the name."""

    party: PartyId
    party_class: PartyClass
    jurisdiction: Jurisdiction

    def secret(self, purpose: Purpose) -> bytes:
        return sha256(f"{self.party}/{purpose}".encode()).digest()

    def signing(self, purpose: Purpose) -> SigningKey:
        return SigningKey(purpose, self.secret(purpose))

    def keys(self) -> NodeKeys:
        return NodeKeys(
            document=self.signing(Purpose.DOCUMENT),
            frame=self.signing(Purpose.FRAME),
            journal=self.signing(Purpose.JOURNAL),
            registry=self.signing(Purpose.REGISTRY) if self.party_class.is_authority else None,
            seal=SealKey(self.secret(Purpose.SEAL)),
            pseudonym_seed=self.secret(Purpose.PSEUDONYM),
        )

    def card(self, at: datetime, serial: int = 1) -> ListedCard:
        """The card issued a day before `at`."""
        return _card(self, at, serial)


@cache
def _card(part: Part, at: datetime, serial: int) -> ListedCard:
    """The very same card each time, though the signature under its certificate is made by chance."""
    keys = part.keys()
    signing = [keys.document, keys.frame, keys.journal, *([keys.registry] if keys.registry else [])]
    card = draft_card(
        party=part.party,
        name_zh="深圳示例机构",
        name_en="Example Institution",
        jurisdiction=part.jurisdiction,
        party_class=part.party_class,
        endpoint=NOWHERE,
        keys=[*(key.public for key in signing), keys.seal.public],
        certificate=make_certificate(part.party, part.secret(Purpose.TLS), at - DAY, Random(part.party).randbytes),
        serial=serial,
        issued_at=at - DAY,
    )
    return read_card(issue_card(card, keys.document))


class Written(NamedTuple):
    """A journal entry, with its detail opened."""

    entry: JournalEntry
    detail: dict[str, Any]
    raw: bytes
    leaf: bytes

    @property
    def told(self) -> tuple[str, str]:
        """What was done and how it came out."""
        return self.entry.act.value, str(self.detail.get("outcome", self.detail.get("done", "")))


@dataclass(kw_only=True)
class Member:
    """A party's node, without wire and files but its database."""

    part: Part
    card: ListedCard
    clock: Callable[[], datetime]
    database: Path
    store: Store
    context: Context
    settings: Settings
    cache: FactsCache
    operator: SigningOperator = field(
        default_factory=lambda: SigningOperator(name=OPERATOR, key=SigningKey(Purpose.OPERATOR, b"\x0a" * 32))
    )
    second: SigningOperator = field(
        default_factory=lambda: SigningOperator(name=SECOND, key=SigningKey(Purpose.OPERATOR, b"\x0b" * 32))
    )

    @classmethod
    def open(cls, part: Part, database: Path, clock: Callable[[], datetime], founded: datetime, seed: int) -> "Member":
        """Open a member on a SQLite file; `seed` decides its chance, so that no two openings repeat it."""
        return cls.open_at(part, f"sqlite:///{database}", clock, founded, seed)

    @classmethod
    def open_at(cls, part: Part, url: str, clock: Callable[[], datetime], founded: datetime, seed: int) -> "Member":
        """Open a member on a database of any kind."""
        card = part.card(founded)
        settings = Settings(
            own=card, law=shipped_law(part.jurisdiction), shelf=shipped_shelf, registry_max_age=timedelta(hours=1)
        )
        chance = Random(f"{part.party}/{seed}")
        return cls(
            part=part,
            card=card,
            clock=clock,
            database=Path(url.removeprefix("sqlite:///")),
            store=open_store(url),
            context=Context(node=part.party, now=clock, random=chance.randbytes, keys=part.keys()),
            settings=settings,
            cache=FactsCache(settings),
        )

    @property
    def party(self) -> PartyId:
        return self.part.party

    def close(self) -> None:
        if isinstance(self.store, SqlStore):
            self.store.checkpoint()
            self.store.close()

    def read(self, act: Callable[[UnitOfWork], T]) -> T:
        with self.store.read() as work:
            return act(work)

    def write(self, act: Callable[[UnitOfWork], T]) -> T:
        with self.store.write() as work:
            return act(work)

    def facts(self, work: UnitOfWork) -> NodeFacts:
        return self.cache.current(work, self.clock())

    def known(self) -> NodeFacts:
        return self.read(self.facts)

    def office(self, work: UnitOfWork) -> Office:
        return Office(facts=self.facts(work), settings=self.settings, context=self.context, operator=self.operator)

    def recipient(self, work: UnitOfWork) -> Recipient:
        return Recipient(facts=self.facts(work), settings=self.settings, context=self.context)

    def pin(self, authority: ListedCard) -> None:
        """Trust an authority."""
        self.write(lambda work: pin_authority(work, authority, authority.digest, self.context))

    def renew(self) -> None:
        """As an authority, say anew how long the log is."""
        self.write(lambda work: renew_head(work, self.facts(work), self.context))

    def admit(self, card: ListedCard) -> None:
        """As an authority, admit a party."""
        admitted = self.write(lambda work: admit_party(work, card, self.facts(work), self.settings, self.context))
        assert isinstance(admitted, Mirror), admitted

    def adopt(self, *packs: Pack, start: date | None = None) -> None:
        """As an authority, adopt packs from a day on: today, and the shipped ones, as at a founding."""
        adopted = self.adopted(*packs or adopted_by_default(self.part.jurisdiction, shipped_shelf()), start=start)
        assert isinstance(adopted, Mirror), adopted

    def adopted(self, *packs: Pack, start: date | None = None) -> Mirror | Unfit:
        """The same, with what came of it."""
        term = Term(start=start or shanghai_day(self.clock()))
        return self.write(lambda work: adopt_packs(work, packs, term, self.facts(work), self.settings, self.context))

    def shelve(self, *packs: Pack) -> None:
        """Have these packs at hand, beside the shipped ones."""
        self.settings = replace(self.settings, shelf=lambda: shipped_shelf().and_also(packs))
        self.cache = FactsCache(self.settings)

    def desk(self, work: UnitOfWork) -> Desk:
        facts = self.facts(work)
        return Desk(
            facts=facts,
            settings=self.settings,
            heard=heard_authorities(work, facts, self.settings, self.clock()),
            context=self.context,
            checkpoint=b"",
        )

    def journal(self) -> list[Written]:
        """Every entry, sequenced or not, in the order of the log."""
        rows = self.read(lambda work: [*work.journal.read(0, 10_000), *work.journal.unsequenced(10_000)])
        return [Written(read(row.entry, JournalEntry), json.loads(row.detail), row.entry, row.leaf) for row in rows]

    def employ(self) -> None:
        """Add two operators, with every role."""
        roles = frozenset(role.value for role in Role)
        for one in (self.operator, self.second):
            row = OperatorRow(
                name=one.name, key_id=one.key.key_id, public=one.key.public.raw, roles=roles, added_at=self.clock()
            )  # fmt: skip
            assert self.write(partial(add_operator, operator=row, context=self.context))

    def pseudonyms(self, agreement_id: str, epoch: int, inputs: list[bytes]) -> list[bytes]:
        """Home's own evaluation."""
        return own_pseudonyms(self.context.keys.pseudonym_seed, agreement_id, epoch, inputs)
