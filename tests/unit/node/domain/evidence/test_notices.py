"""Deadlines in a bundle: where only a provisional calendar speaks, or none, lateness is no finding but unchecked."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from node.domain.evidence.agreed import Ground, Norms
from node.domain.evidence.findings import Tally, Wrong
from node.domain.evidence.lines import EntryLine
from node.domain.evidence.notices import NoticesCheck
from node.domain.evidence.opened import Opened, open_entry
from node.domain.evidence.trust import EVER, Trust
from node.domain.journal import Act, Detail, EntryFacts, draft
from registry.norms.calendar import load_calendar
from registry.norms.rule_pack import load_rule_pack
from registry.parties import PartyId
from registry.snapshot import fold

SURE = datetime(2026, 6, 1, 4, tzinfo=UTC)
PROVISIONAL = datetime(2026, 12, 31, 4, tzinfo=UTC)
UNKNOWN = datetime(2090, 6, 1, 4, tzinfo=UTC)
HOME = PartyId("sz-agency")


def ground() -> Ground:
    trust = Trust(snapshot=fold([], [], EVER), listed={}, taken={})
    norms = Norms(rules=load_rule_pack(), calendar=load_calendar())
    return Ground(node=HOME, trust=trust, agreements={}, norms=norms, tally=Tally(), endings={})


def change(at: datetime, detail: Detail) -> Opened:
    one = draft(EntryFacts(act=Act.CHANGE, detail=detail), HOME, at, Random(1).randbytes)
    return open_entry(EntryLine(one.entry.decode(), one.detail.decode(), one.salt.hex()), 5)


def after(at: datetime, span: timedelta, detail: Detail) -> Ground:
    """What a check has come to when a change was followed by nothing for some time."""
    stands = ground()
    notices = NoticesCheck(stands, whole=True)
    notices.changed(change(at, detail))
    notices.finish(at + span)
    return stands


QUEUED: Detail = {"effect": "DELETE", "notices": 3}


def test_notices_that_a_change_queued_and_nobody_sent_are_missed_when_due() -> None:
    report = after(SURE, timedelta(days=9), QUEUED).tally.report(HOME)

    assert [(one.wrong, one.place, one.got) for one in report.findings] == [
        (Wrong.NOTICE_MISSING, "journal entry 5", "3 notices not sent")
    ]


def test_before_they_are_due_they_are_not_missed() -> None:
    assert after(SURE, timedelta(days=2), QUEUED).tally.report(HOME).is_clean


@pytest.mark.parametrize("detail", [{}, {"notices": 0, "effect": "DELETE"}, {"notices": 3}, {"notices": "3"}])
def test_a_change_that_queued_none_misses_none(detail: Detail) -> None:
    assert after(SURE, timedelta(days=9), detail).tally.report(HOME).is_clean


@pytest.mark.parametrize("at", [PROVISIONAL, UNKNOWN])
def test_where_no_official_calendar_speaks_it_cannot_be_checked(at: datetime) -> None:
    report = after(at, timedelta(days=60), QUEUED).tally.report(HOME)

    assert (report.findings, report.is_clean) == ((), False)
    assert "calendar" in (report.hindrance or "")


def test_two_changes_of_one_moment_are_counted_together() -> None:
    stands = ground()
    notices = NoticesCheck(stands, whole=True)
    notices.changed(change(SURE, QUEUED))
    notices.changed(change(SURE, QUEUED))
    notices.finish(SURE + timedelta(days=9))

    assert [one.got for one in stands.tally.report(HOME).findings] == ["6 notices not sent"]
