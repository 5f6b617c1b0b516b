"""clocks: what the law wants done by when, what is missed, and which calendar has to be installed soon."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Final

import typer

from node.app.opening import utc_now
from node.cli.screen import LARGEST, Exit, out, say_json, shortened, table
from node.cli.session import HERE, JsonFlag, NodeFolder, one_sentence, reading
from node.domain.clocks import About, LegalClock
from node.operations.keep_clocks import CalendarAlarm, calendar_alarms
from node.operations.ports import ClockTally
from registry.errors import CalendarUnavailable
from registry.norms.calendar import shanghai_day
from registry.norms.clocks import Timeliness
from registry.norms.law import Law

_COLUMNS: Final = {
    "when": "when", "what": "what", "article": "article", "subject": "about", "peer": "with", "due": "due",
    "left": "days left",
}  # fmt: skip
_NOTHING: Final = "nothing is due  没有待办期限"
_NONE_MISSED: Final = "nothing was missed  没有逾期事项"
_DAYS_OF_WEEK: Final = 7


def add_to(app: typer.Typer) -> None:
    """Add this command to the program."""
    app.command(epilog="Example: creditport clocks; creditport clocks --missed --json")(clocks)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Today:
    """The day in Shenzhen, the last one of its week, and the law by which days are counted."""

    day: date
    law: Law

    @property
    def sunday(self) -> date:
        return self.day + timedelta(days=_DAYS_OF_WEEK - self.day.isoweekday())


@one_sentence
def clocks(
    everything: Annotated[
        bool, typer.Option("--all", help="Those that were met too, in the order they began.")
    ] = False,
    missed: Annotated[
        bool, typer.Option("--missed", help="Those that were missed, also if they were met since.")
    ] = False,
    after: Annotated[int, typer.Option(help="With --all or --missed: go on after this one.", min=0, max=LARGEST)] = 0,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 200,
    node: NodeFolder = HERE,
    json: JsonFlag = False,
) -> None:
    """Say what the law wants done by when: what is missed, due today, due this week, and all that still runs.

    Ends with 1 as long as anything is past its day. 列出法定期限：已逾期、今日到期、本周到期、未到期。
    """
    with reading(node) as opened, opened.store.read() as work:
        today = _Today(day=shanghai_day(utc_now()), law=opened.facts(work).law)
        tally = work.clock_book.tally(today.day, today.sunday)
        if everything or missed:
            found = work.clock_book.page(after, limit, today.day if missed else None)
        else:
            found = work.clock_book.running((date.min, 0), limit)
    alarms = calendar_alarms(today.law, today.day)
    if json:
        say_json(_facts(found, tally, alarms, today))
    else:
        _show(found, tally, alarms, today, empty=_NONE_MISSED if missed else _NOTHING)
    if tally.missed:
        raise typer.Exit(int(Exit.REFUSED))


def _facts(
    found: Sequence[LegalClock], tally: ClockTally, alarms: Sequence[CalendarAlarm], today: _Today
) -> dict[str, Any]:
    return {
        "today": today.day,
        "missed": tally.missed,
        "due_today": tally.today,
        "due_this_week": tally.soon,
        "running": tally.running,
        "calendars_announced_until": {one.jurisdiction: one.official_until for one in alarms},
        "clocks": [_row(one, today) for one in found],
    }


def _show(
    found: Sequence[LegalClock], tally: ClockTally, alarms: Sequence[CalendarAlarm], today: _Today, *, empty: str
) -> None:
    if tally.running:
        out.print(
            f"{tally.missed} missed, {tally.today} due today, {tally.soon} later this week, {tally.running} running"
            f"  已逾期 {tally.missed}，今日到期 {tally.today}，本周内到期 {tally.soon}，未办结 {tally.running}",
            markup=False,
        )
    table([_words(one, today) for one in found], _COLUMNS, as_json=False, empty=empty)
    for alarm in alarms:
        until = alarm.official_until or "-"
        out.print(
            f"calendar {alarm.jurisdiction}: announced until {until}; install the next year's pack"
            f"  工作日历 {alarm.jurisdiction} 仅公布至 {until}，请安装下一年度日历",
            markup=False,
        )


def _row(clock: LegalClock, today: _Today) -> dict[str, Any]:
    """Every fact of a clock, for programs."""
    rule = today.law.rules.clocks.get(clock.code)
    return {
        "number": clock.number,
        "clock": clock.code,
        "zh": None if rule is None else rule.zh,
        "en": None if rule is None else rule.en,
        "article": clock.article,
        "rule_pack": clock.rule_pack,
        "about": clock.subject.about,
        "name": clock.subject.name,
        "count": clock.subject.count,
        "peer": clock.subject.peer or None,
        "event": clock.start.event,
        "started_on": clock.start.on,
        "due_on": clock.due_on,
        "outer_on": clock.outer_on,
        "working_days_left": _left(clock, today),
        "calendars": clock.packs,
        "provisional": clock.provisional,
        "standing": clock.standing_on(today.day),
        "met_by": clock.met_by,
        "met_at": clock.met_at,
    }


def _words(clock: LegalClock, today: _Today) -> dict[str, Any]:
    """The same in plain words, for people."""
    rule, left = today.law.rules.clocks.get(clock.code), _left(clock, today)
    return {
        "when": _when(clock, today),
        "what": clock.code if rule is None else f"{rule.en}  {rule.zh}",
        "article": f"S {clock.article}" if clock.article[:1].isdigit() else clock.article,
        "subject": _about(clock),
        "peer": clock.subject.peer or None,
        "due": f"{clock.due_on}{' (provisional 暂定)' if clock.provisional else ''}",
        "left": None if left is None else str(left),
    }


def _when(clock: LegalClock, today: _Today) -> str:
    standing = clock.standing_on(today.day)
    if clock.met_at is not None:
        ended = "lapsed 已失效" if clock.has_lapsed else "met 已办结"
        return ended if standing is Timeliness.IN_TIME else f"{ended.split(maxsplit=1)[0]} {_MISSED[standing]}"
    if standing is not Timeliness.IN_TIME:
        return _MISSED[standing]
    if clock.due_on == today.day:
        return "today 今日"
    return "this week 本周" if clock.due_on <= today.sunday else "running 未到期"


_MISSED: Final = {Timeliness.LATE: "late 逾期", Timeliness.BREACH: "in breach 超过法定期限"}


def _about(clock: LegalClock) -> str:
    subject = clock.subject
    if subject.about is About.AGREEMENT:
        return f"agreement {shortened(subject.name)}"
    if subject.about is About.NOTICES:
        return f"notice {subject.name}" if subject.count == 1 else f"{subject.count} notices from no. {subject.name}"
    if subject.about is About.RECORD:
        return f"record {subject.name}"
    record, _, version = subject.name.partition("@")
    named = f"record {record}, version {version}"
    return named if subject.count == 1 else f"{subject.count} records from {named}"


def _left(clock: LegalClock, today: _Today) -> int | None:
    """Working days left by the mainland's calendar; None when it is over, or they cannot be counted."""
    if clock.met_at is not None or clock.due_on < today.day:
        return None
    try:
        return today.law.calendar.working_days_until(today.day, clock.due_on)
    except CalendarUnavailable:
        return None
