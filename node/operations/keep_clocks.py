"""Legal clocks at a node: begin, end, note what was missed, and count again when calendars change.

Clocks are begun and ended in the transactions of the acts themselves. Whatever is missed is written into the journal
once for each bound; the rest of a clock stands in its row.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from agreements.agreement import missing_filings
from node.domain.clocks import LAPSED, About, Counting, Happening, LegalClock, Recounted, count_again
from node.domain.context import Context
from node.domain.journal import NOBODY, Act, Detail, EntryFacts
from node.operations.facts import NodeFacts
from node.operations.ports import UnitOfWork
from node.operations.write_down import write_down
from registry.errors import CalendarUnavailable
from registry.norms.calendar import Calendar, shanghai_day
from registry.norms.clocks import Timeliness
from registry.norms.law import Law
from registry.parties import PartyId

PORTION: Final = 500
"""Clocks noted or counted again in one transaction."""


def counting_of(law: Law) -> Counting:
    """By what clocks are counted here."""
    return Counting(rules=law.rules, mainland=law.calendar, local=law.local, lists=law.codes.lists)


def begin_clocks(work: UnitOfWork, clocks: Sequence[LegalClock], context: Context) -> None:
    """Keep clocks that begin, some of which an act ended at once; the caller commits."""
    work.clocks.add(clocks)
    for one in clocks:
        if one.standing is not Timeliness.IN_TIME:
            _journal(work, one, one.standing.value, context)


def end_clocks(
    work: UnitOfWork, clocks: Sequence[LegalClock], event: str, ended_at: Callable[[LegalClock], datetime],
    context: Context,
) -> None:  # fmt: skip
    """End clocks by an event, each at its own instant, but not later than now; the caller commits.

    One that was missed is written down as met, or with the bound by which it only now is known to be late; one whose
    subject is over as lapsed.
    """
    now = context.now()
    ended = [(one, one.met(event, min(now, ended_at(one)))) for one in clocks]
    work.clocks.put([after for _, after in ended])
    for before, after in ended:
        if Timeliness.IN_TIME is not before.standing or Timeliness.IN_TIME is not after.standing:
            _journal(work, after, _outcome(before, after), context)


def _outcome(before: LegalClock, after: LegalClock) -> str:
    if after.has_lapsed:
        return "LAPSED"
    return after.standing.value if after.is_worse_than(before) else "MET"


def end_filing(work: UnitOfWork, agreement: bytes, filed_at: datetime, context: Context) -> None:
    """End the clock of filing an agreement, by the time that the authority put on its receipt; the caller commits."""
    clocks = work.clocks.of(About.AGREEMENT, agreement.hex())
    end_clocks(work, clocks, Happening.FILED, lambda _: filed_at, context)


def end_telling(work: UnitOfWork, holder: PartyId, received: Sequence[tuple[int, datetime]], context: Context) -> None:
    """End the clocks of telling a holder, as far as its signed receipts go; the caller commits.

    `received` are notices by number, with the time of the receipt. A holder takes notices in their order, so the first
    receipt that is for the awaited one or for any behind it proves that everything before has come.
    """
    if not received:
        return
    clocks = work.clocks.awaiting(holder, max(number for number, _ in received))

    def told_at(clock: LegalClock) -> datetime:
        return min(at for number, at in received if number >= (clock.awaits or 0))

    end_clocks(work, clocks, Happening.DISPATCHED, told_at, context)


def lapsing(work: UnitOfWork, facts: NodeFacts, at: datetime) -> list[tuple[LegalClock, datetime]]:
    """Running clocks of filing agreements that were over by then without a filing, each with the time of that."""
    over = [one for one in facts.agreements.values() if one.is_signed and missing_filings(one) and one.over_at <= at]
    return [(clock, one.over_at) for one in over for clock in work.clocks.of(About.AGREEMENT, one.digest.hex())]


def end_lapsed(work: UnitOfWork, facts: NodeFacts, context: Context) -> None:
    """End the clocks of filing what is over: missed only if the day had passed while the agreement lived (S 34)."""
    found = {clock.number: (clock, over_at) for clock, over_at in lapsing(work, facts, context.now())}
    if found:
        clocks = [clock for clock, _ in found.values()]
        end_clocks(work, clocks, LAPSED, lambda one: found[one.number][1], context)
        work.commit()


def mark_missed(work: UnitOfWork, context: Context) -> Sequence[LegalClock]:
    """Note clocks whose day has passed, a portion at a time: LATE past the node's bound, BREACH past the law's.

    Each is written into the journal once; one that passed both while the node stood still is a breach at once.
    """
    today = shanghai_day(context.now())
    overdue = work.clocks.overdue(today, PORTION)
    missed = [noted for one in overdue if (noted := one.missed_on(today)) is not None]
    if not missed:
        return []
    work.clocks.put(missed)
    for one in missed:
        _journal(work, one, one.standing.value, context)
    work.commit()
    return missed


def recount_clocks(work: UnitOfWork, after: tuple[date, int], law: Law, context: Context) -> tuple[date, int] | None:
    """Count a portion of running clocks by the calendars of now, from the one behind `after`; gives where to go on.

    None when there are no more. Both days are written into the journal where they differ; the earlier one is kept.
    """
    running, counting = work.clock_book.running(after, PORTION), counting_of(law)
    counted = [found for one in running if (found := count_again(one, counting)) is not None]
    if counted:
        work.clocks.put([one.after for one in counted])
        for one in counted:
            if one.differs:
                _journal_recount(work, one, context)
        work.commit()
    return (running[-1].due_on, running[-1].number) if len(running) == PORTION else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarAlarm:
    """A calendar by which days can soon not be counted: officially announced until a day, None where not even today."""

    jurisdiction: str
    official_until: date | None


def calendar_alarms(law: Law, today: date) -> list[CalendarAlarm]:
    """The calendars of which somebody must install the next year's official pack."""
    calendars = [law.calendar] if law.local is None else [law.calendar, law.local]
    return [alarm for one in calendars if (alarm := _alarm(law, one, today)) is not None]


def _alarm(law: Law, calendar: Calendar, today: date) -> CalendarAlarm | None:
    try:
        coverage = law.rules.calendar_alarm(calendar, today)
    except CalendarUnavailable:
        return CalendarAlarm(jurisdiction=calendar.jurisdiction, official_until=None)
    if coverage is None:
        return None
    return CalendarAlarm(jurisdiction=calendar.jurisdiction, official_until=coverage.official_until)


def _journal(work: UnitOfWork, clock: LegalClock, outcome: str, context: Context) -> None:
    met = None if clock.met_at is None else f"{clock.met_at:%Y-%m-%dT%H:%M:%SZ}"
    _write(work, clock, {"met": met, "outcome": outcome, "standing": clock.standing.value}, context)


def _journal_recount(work: UnitOfWork, counted: Recounted, context: Context) -> None:
    detail: Detail = {
        "computed": counted.computed_on.isoformat(),
        "outcome": "RECOUNTED",
        "packs": " ".join(counted.after.packs),
        "previous": counted.before.due_on.isoformat(),
    }
    _write(work, counted.after, detail, context)


def _write(work: UnitOfWork, clock: LegalClock, more: Detail, context: Context) -> None:
    subject = clock.subject
    detail: Detail = {
        "about": subject.about.value,
        "article": clock.article,
        "clock": clock.code,
        "count": subject.count,
        "due": clock.due_on.isoformat(),
        "name": subject.name,
        "outer": None if clock.outer_on is None else clock.outer_on.isoformat(),
        "pack": clock.rule_pack,
        "started": clock.start.on.isoformat(),
        **more,
    }
    agreement = bytes.fromhex(subject.name) if subject.about is About.AGREEMENT else None
    peer = PartyId(subject.peer) if subject.peer else NOBODY
    write_down(work, EntryFacts(act=Act.CLOCK, detail=detail, counterparty=peer, agreement=agreement), context)
