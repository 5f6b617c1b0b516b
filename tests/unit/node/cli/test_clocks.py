"""`creditport clocks` says in plain words, in two languages, what is due and what is missed, and ends with 1 then."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from node.cli import clocks as command
from node.cli import nodes
from node.config import Folder, read_config
from node.domain.clocks import About, LegalClock, Subject
from node.storage.engine import open_store
from registry.norms.clocks import Timeliness
from tests.contracts.test_clocks import clock
from tests.unit.node.cli.conftest import Terminal

WEDNESDAY = datetime(2026, 9, 23, 4, tzinfo=UTC)
NOTHING = "nothing is due  没有待办期限"


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is noon in Shenzhen, two days before the Mid-Autumn Festival, and the next year is not asked for yet."""
    for module in (command, nodes):
        monkeypatch.setattr(module, "utc_now", lambda: WEDNESDAY)


def due(day: int, name: str, code: str = "D10_CORR_NOTIFY", outer: int | None = None, **others: object) -> LegalClock:
    last = date(2026, 9, day)
    bound = None if outer is None else date(2026, 9, outer)
    return replace(clock(name, code=code), due_on=last, outer_on=bound, provisional=False, **others)  # type: ignore[arg-type] # fields as the test names them


def keep(terminal: Terminal, clocks: Sequence[LegalClock]) -> None:
    folder = Folder(terminal.node)
    with closing(open_store(folder.database_url(read_config(folder)))) as store, store.write() as work:
        work.clocks.add(clocks)
        work.commit()


def filing() -> LegalClock:
    subject = Subject(about=About.AGREEMENT, name="8d4ff796" * 8)
    return replace(due(28, "", code="AGR_FILE"), subject=subject, article="34.1")


def test_a_node_with_nothing_to_do_says_so_in_one_line(bank: Terminal) -> None:
    assert bank.run("clocks").stdout == f"{NOTHING}\n"
    assert bank.run("clocks", "--all").stdout == f"{NOTHING}\n"
    assert bank.run("clocks", "--missed").stdout == "nothing was missed  没有逾期事项\n"
    assert bank.ask("clocks") == {
        "today": "2026-09-23", "missed": 0, "due_today": 0, "due_this_week": 0, "running": 0,
        "calendars_announced_until": {}, "clocks": [],
    }  # fmt: skip


def test_what_is_due_is_told_by_day_in_plain_words(bank: Terminal) -> None:
    keep(bank, [filing(), due(27, "7@3"), due(23, "8@2", code="OPT_NOTIFY")])

    said = bank.run("clocks").stdout.splitlines()

    assert said[0] == (
        "0 missed, 1 due today, 1 later this week, 3 running  已逾期 0，今日到期 1，本周内到期 1，未办结 3"
    )
    assert [line.split()[0] for line in said[2:]] == ["today", "this", "running"]
    for words in ("A sharing agreement is filed  共享协议报送备案", "S 34.1", "agreement 8d4ff7968d4f…", "2026-09-28"):
        assert words in said[4]
    assert "12 records from record 7, version 3" in said[3]
    assert "hk-bank" in said[3]


def test_days_left_are_working_days(bank: Terminal) -> None:
    """The festival rests from Friday to Sunday."""
    keep(bank, [filing(), due(23, "8@2")])

    assert [one["working_days_left"] for one in bank.ask("clocks")["clocks"]] == [0, 2]


def test_as_long_as_something_is_missed_the_program_ends_with_one(bank: Terminal) -> None:
    keep(bank, [due(22, "7@3", outer=24), due(21, "8@3", outer=22), due(29, "9@1")])

    said = bank.run("clocks", code=1).stdout.splitlines()
    told = bank.ask("clocks", "--missed", code=1)

    assert "in breach 超过法定期限" in said[2]
    assert "late 逾期" in said[3]
    assert [(one["name"], one["standing"]) for one in told["clocks"]] == [("7@3", "LATE"), ("8@3", "BREACH")]
    assert (told["missed"], told["running"]) == (2, 3)


def test_what_was_met_is_shown_when_asked_for_and_nobody_is_called_for_it(bank: Terminal) -> None:
    in_time = due(22, "7@3").met("notices.dispatched", datetime(2026, 9, 22, 4, tzinfo=UTC))
    late = due(21, "8@3").met("notices.dispatched", datetime(2026, 9, 22, 4, tzinfo=UTC))
    keep(bank, [in_time, late])

    assert bank.run("clocks").stdout == f"{NOTHING}\n"
    assert "met late 逾期" in bank.run("clocks", "--missed").stdout
    assert "met 已办结" in bank.run("clocks", "--all").stdout
    assert [one["standing"] for one in bank.ask("clocks", "--all")["clocks"]] == [Timeliness.IN_TIME, Timeliness.LATE]
    assert [one["name"] for one in bank.ask("clocks", "--all", "--after", "1")["clocks"]] == ["8@3"]


def test_what_lapsed_is_not_called_met_and_nobody_is_called_for_it(bank: Terminal) -> None:
    over = [filing().met("agreement.over", datetime(2026, 9, day, 4, tzinfo=UTC)) for day in (25, 29)]
    keep(
        bank, [replace(one, subject=replace(one.subject, name=name * 64)) for one, name in zip(over, "ab", strict=True)]
    )

    assert bank.run("clocks").stdout == f"{NOTHING}\n"
    assert "lapsed 已失效" in bank.run("clocks", "--all").stdout
    assert [line.split()[:3] for line in bank.run("clocks", "--missed").stdout.splitlines()[1:]] == [
        ["lapsed", "late", "逾期"]
    ]


def test_a_day_of_a_year_that_was_not_announced_is_marked(bank: Terminal) -> None:
    notices = Subject(about=About.NOTICES, name="5", peer="sz-agency", count=2)
    keep(bank, [replace(due(28, ""), provisional=True, code="SOMETHING_NEW", article="Guidelines", subject=notices)])

    said = bank.run("clocks").stdout

    assert "2026-09-28 (provisional 暂定)" in said
    assert "SOMETHING_NEW" in said
    assert "2 notices from no. 5" in said


def test_one_notice_is_told_as_one(bank: Terminal) -> None:
    one = Subject(about=About.NOTICES, name="5", peer="sz-agency", count=1)
    keep(bank, [replace(due(28, ""), subject=one)])

    assert "  notice 5  " in bank.run("clocks").stdout


def test_status_counts_clocks_in_one_line(bank: Terminal) -> None:
    keep(bank, [due(22, "7@3"), due(23, "8@3"), due(29, "9@1")])

    assert bank.ask("status")["clocks"] == {"missed": 1, "due_today": 1, "running": 3}
    assert "missed=1  due_today=1  running=3" in bank.run("status").stdout
    assert "calendars_announced_until" not in bank.ask("status")


def test_the_next_years_calendar_is_asked_for(bank: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (command, nodes):
        monkeypatch.setattr(module, "utc_now", lambda: datetime(2026, 11, 20, tzinfo=UTC))

    said = bank.run("clocks").stdout

    assert "calendar CN-MAINLAND: announced until 2026-12-31; install the next year's pack" in said
    assert "工作日历 CN-MAINLAND 仅公布至 2026-12-31" in said
    assert bank.ask("clocks")["calendars_announced_until"]["CN-MAINLAND"] == "2026-12-31"
    assert bank.ask("status")["calendars_announced_until"]["CN-MAINLAND"] == "2026-12-31"


def test_days_beyond_every_calendar_are_not_guessed(bank: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "utc_now", lambda: datetime(2030, 1, 1, tzinfo=UTC))
    keep(bank, [replace(filing(), due_on=date(2030, 1, 5))])

    told = bank.ask("clocks")

    assert told["clocks"][0]["working_days_left"] is None
    assert told["calendars_announced_until"]["CN-MAINLAND"] is None
