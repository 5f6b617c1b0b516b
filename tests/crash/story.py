"""The story that is broken off everywhere: a holder asks, home pushes, corrects, deletes and withholds,
the law changes, and all of it is receipted.

An act is what a person orders and what loops then do. Whoever takes it up again after a crash does as a person and a
loop would: an order that was not confirmed is looked up first, and given again only if it was not done; a file is
simply given again; couriers and loops go on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from node.domain.dates import shanghai_day
from node.domain.jobs import JobKind
from node.domain.records import Kind, Withheld
from node.operations.ask import Plan
from node.operations.change_records import Changed
from node.operations.push_records import PushPlan, Wanted
from node.operations.standing_rows import WithholdingRow
from registry.norms.shelf import shipped_shelf
from registry.parties import PartyId
from tests.fakes.network import Network
from tests.fakes.propagation import (
    AGENCY,
    AUTHORITIES,
    BANKS,
    HOME,
    address,
    agree,
    ask,
    by_alias,
    code,
    consent,
    copies,
    corrected,
    deleted,
    enterprise,
    load,
    penalty,
    push,
    records,
    released,
    withheld,
)
from tests.fakes.world import START

PARTS: Final = (*AUTHORITIES, AGENCY, BANKS[0])
HOLDER: Final = BANKS[0].party
BOTH: Final = (HOME, HOLDER)

RECORDS: Final = 8
ASKED: Final = ((0,), (1, 2))
"""A single query and a batch, by the numbers of the enterprises."""
PUSHED_AGAIN: Final = 1
CORRECTED: Final = (1, 3)
DELETED: Final = (2, 4)
UPDATED: Final = 5
FINED: Final = (6, 7)
"""Enterprises with a penalty each, which does not say how grave the breach was."""
SUSPENDED: Final = 7
"""The enterprise whose registration is withheld at once."""
REPAIRED_LATER: Final = 6
"""The one whose registration is withheld from the next day on."""
FILE: Final = (3, 4, UPDATED, 6)
"""The provider's file: what a correction declared wrong, what was deleted, an update, and what is known."""
MOST_JOBS: Final = 60


P = TypeVar("P")


class Memory(msgspec.Struct, kw_only=True):
    """What the people of the story know: the time, their agreement, and the salts that must be gone in the end."""

    now: datetime = START
    agreement: bytes = b""
    gone: dict[PartyId, list[str]] = msgspec.field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path) -> "Memory":
        return msgspec.json.decode((folder / "memory").read_bytes(), type=cls)

    def keep(self, folder: Path) -> None:
        (folder / "memory").write_bytes(msgspec.json.encode(self))


@dataclass(frozen=True, slots=True)
class Scene:
    """Where an act is played; `again` if it was broken off before."""

    network: Network
    memory: Memory
    again: bool

    def given(self, party: PartyId, kind: JobKind, plan: type[P]) -> list[P]:
        """What was ordered of a member before by jobs of a kind, done or not."""
        if not self.again:
            return []
        found = self.network.members[party].read(lambda work: [work.outbox.find(one) for one in range(1, MOST_JOBS)])
        return [msgspec.json.decode(job.payload, type=plan) for job in found if job is not None and job.kind is kind]

    def version(self, number: int) -> int:
        """The present version of an enterprise's record."""
        return next(row.version for row in records(self.network, HOME) if row.record_no == record_no(number))


def record_no(number: int) -> int:
    """The number of an enterprise's record, since they were loaded in order."""
    return number + 1


def set_up(scene: Scene) -> None:
    """An agreement is filed, records are loaded and indexed, consents are attested."""
    network = scene.network
    scene.memory.agreement = agree(network, HOME, HOLDER, retention_days=1)
    load(network, HOME, [enterprise(number) for number in range(RECORDS)])
    load(network, HOME, [penalty(number) for number in FINED], Kind.PENALTY)
    consent(network, HOLDER, scene.memory.agreement, [code(number) for number in range(RECORDS)])
    network.sequence()


def a_moment_later(scene: Scene) -> None:
    """No two orders are given in the same second: if they say the same they would be one order."""
    scene.network.clock.forward(seconds=1)


def query(scene: Scene) -> None:
    known = [[one.value for one in plan.subjects] for plan in scene.given(HOLDER, JobKind.QUERY, Plan)]
    for numbers in ASKED:
        subjects = [code(number) for number in numbers]
        if [one.value for one in subjects] not in known:
            a_moment_later(scene)
            ask(scene.network, HOLDER, scene.memory.agreement, subjects)
    scene.network.run(HOLDER)


def push_records(scene: Scene) -> None:
    known = [plan.records for plan in scene.given(HOME, JobKind.PUSH, PushPlan)]
    for wanted in (Wanted(), Wanted(records=(record_no(PUSHED_AGAIN),), again=True)):
        if wanted.records not in known:
            a_moment_later(scene)
            push(scene.network, HOME, scene.memory.agreement, wanted)
    scene.network.run(HOME)


def correct(scene: Scene) -> None:
    for number in CORRECTED:
        if not scene.again or scene.version(number) == 1:
            a_moment_later(scene)
            changes = {"status": "REVOKED", "address": address(number, 1)}
            assert corrected(scene.network, HOME, record_no(number), changes) == Changed(version=2, notices=1)


def delete(scene: Scene) -> None:
    for number in DELETED:
        if not scene.again or scene.version(number) == 1:
            a_moment_later(scene)
            assert deleted(scene.network, HOME, record_no(number)) == Changed(version=2, notices=1)


def withhold(scene: Scene) -> None:
    tomorrow = shanghai_day(scene.network.clock()) + timedelta(days=1)
    for number, state, basis, start in (
        (SUSPENDED, Withheld.SUSPENDED, "SUIT_ACCEPTED", None),
        (REPAIRED_LATER, Withheld.REPAIRED, "REPAIR_DECIDED", tomorrow),
    ):
        if not scene.again or not _acts(scene, number):
            a_moment_later(scene)
            done = withheld(scene.network, HOME, record_no(number), state, basis, start)
            assert isinstance(done, Changed), done


def release(scene: Scene) -> None:
    if not scene.again or _acts(scene, SUSPENDED)[0].ended_at is None:
        done = released(scene.network, HOME, record_no(SUSPENDED), Withheld.SUSPENDED, "FINAL_DOCUMENT")
        assert isinstance(done, Changed), done


def _acts(scene: Scene, number: int) -> Sequence[WithholdingRow]:
    return scene.network.members[HOME].read(lambda work: work.withholdings.of_record(record_no(number)))


def adopt(scene: Scene) -> None:
    """From tomorrow on the law of the place asks how grave a breach was; and tomorrow comes."""
    (grading,) = shipped_shelf().referred("rules/CN-NDRC-2026")
    tomorrow = shanghai_day(scene.network.clock()) + timedelta(days=1)
    scene.network.members[AUTHORITIES[0].party].adopt(grading, start=tomorrow)
    scene.network.clock.forward(days=1)
    scene.network.hear()


def recheck(scene: Scene) -> None:
    scene.network.recheck(HOME)


def import_file(scene: Scene) -> None:
    rows = [enterprise(number) for number in FILE]
    rows[FILE.index(UPDATED)] |= {"address": address(UPDATED, 1), "status": "REVOKED"}
    a_moment_later(scene)
    loaded = load(scene.network, HOME, rows)
    assert loaded in ({"updated": 1, "unchanged": 1, "rejected": 2}, {"unchanged": 2, "rejected": 2}), loaded


def notify(scene: Scene) -> None:
    scene.network.run(HOME)


def receipt(scene: Scene) -> None:
    scene.network.run(HOLDER)


def end_copies(scene: Scene) -> None:
    scene.network.end_copies(*BOTH)


def erase(scene: Scene) -> None:
    scene.network.erase(*BOTH)


def sequence(scene: Scene) -> None:
    scene.network.sequence(*BOTH)


def night(scene: Scene) -> None:
    scene.network.clock.forward(hours=12, minutes=5)
    scene.network.hear()


def noon(scene: Scene) -> None:
    """Time passes, and somebody notes by their salts which copies will be void at home, and which here."""
    night(scene)
    changing = {record_no(number) for number in (*CORRECTED, *DELETED, UPDATED)}
    ending = changing | {record_no(number) for numbers in ASKED for number in numbers}
    known = by_alias(scene.network, HOME)
    held = [(known[copy.alias].record_no, copy.salts) for copy in copies(scene.network, HOLDER)]
    for party, numbers in ((HOME, changing), (HOLDER, ending)):
        scene.memory.gone[party] = sorted({salt for number, salts in held if number in numbers for salt in salts})
        assert scene.memory.gone[party]


def settle(scene: Scene) -> None:
    scene.network.settle()


@dataclass(frozen=True, slots=True)
class Act:
    """One act, and the members that are killed in it."""

    name: str
    play: Callable[[Scene], None]
    victims: Sequence[PartyId] = ()


STORY: Final = (
    Act("query", query, (HOLDER, HOME)),
    Act("receipt of answers", receipt, (HOLDER, HOME)),
    Act("night", night),
    Act("push", push_records, (HOME, HOLDER)),
    Act("noon", noon),
    Act("correct", correct, (HOME,)),
    Act("delete", delete, (HOME,)),
    Act("withhold", withhold, (HOME,)),
    Act("import", import_file, (HOME,)),
    Act("notice", notify, (HOME, HOLDER)),
    Act("receipt of notices", receipt, (HOLDER, HOME)),
    Act("retention", end_copies, (HOLDER, HOME)),
    Act("erase", erase, (HOLDER, HOME)),
    Act("receipt of erasure", receipt, (HOLDER, HOME)),
    Act("release", release, (HOME,)),
    Act("adopt", adopt),
    Act("recheck", recheck, (HOME,)),
    Act("sequence", sequence, (HOLDER, HOME)),
    Act("rest", settle),
)
