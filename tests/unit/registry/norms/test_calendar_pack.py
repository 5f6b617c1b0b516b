from datetime import date

import pytest

from registry.errors import BadPack
from registry.norms.calendar_pack import DayKind, Direction, read_calendar_pack
from tests.unit.registry.norms.packs import pack_text

MONDAY, SATURDAY = date(2026, 3, 2), date(2026, 3, 7)


@pytest.mark.parametrize(
    ("kind", "strict", "lenient"),
    [
        (DayKind.WORK, True, True),
        (DayKind.HALF, True, False),
        (DayKind.OPEN, True, False),
        (DayKind.REST, False, False),
    ],
)
def test_a_doubtful_day_counts_against_the_operator_and_never_against_the_subject(
    kind: DayKind, strict: bool, lenient: bool
) -> None:
    assert (kind.counts(Direction.STRICT), kind.counts(Direction.LENIENT)) == (strict, lenient)


@pytest.mark.parametrize(
    ("status", "make_up_days", "kind"),
    [
        ("OFFICIAL", True, DayKind.REST),
        ("OFFICIAL", False, DayKind.REST),
        ("PROVISIONAL", False, DayKind.REST),
        ("PROVISIONAL", True, DayKind.OPEN),
    ],
)
def test_a_weekend_is_in_doubt_only_where_an_announcement_may_make_it_work(
    status: str, make_up_days: bool, kind: DayKind
) -> None:
    pack = read_calendar_pack(pack_text(status=status, make_up_days=make_up_days))

    assert (pack.kind(SATURDAY), pack.kind(MONDAY)) == (kind, DayKind.WORK)


def test_the_week_rests_on_the_days_that_the_pack_says() -> None:
    friday = pack_text().replace('["SATURDAY", "SUNDAY"]', '["FRIDAY"]')

    assert read_calendar_pack(friday).kind(date(2026, 3, 6)) is DayKind.REST
    assert read_calendar_pack(friday).kind(SATURDAY) is DayKind.WORK


def test_half_days_and_unconfirmed_days_are_facts_of_their_own() -> None:
    lists = "half_days = [2026-03-03]\nunconfirmed = [2026-03-04]"
    pack = read_calendar_pack(pack_text(status="PROVISIONAL", lists=lists))

    assert (pack.kind(date(2026, 3, 3)), pack.kind(date(2026, 3, 4))) == (DayKind.HALF, DayKind.OPEN)


@pytest.mark.parametrize(
    ("changed", "status", "make_up_days", "place"),
    [
        ('2025-12-31 = "REST"', "OFFICIAL", True, "changed.2025-12-31"),
        ('2026-03-04 = "WORK"', "OFFICIAL", True, "changed.2026-03-04"),
        ('2026-03-07 = "REST"', "OFFICIAL", True, "changed.2026-03-07"),
        ('2026-03-07 = "WORK"', "PROVISIONAL", True, "changed.2026-03-07"),
        ('2026-03-07 = "WORK"', "OFFICIAL", False, "changed.2026-03-07"),
        ('2026-03-07 = "REST"', "PROVISIONAL", False, "changed.2026-03-07"),
    ],
)
def test_a_change_that_is_outside_the_year_or_changes_nothing_is_refused(
    changed: str, status: str, make_up_days: bool, place: str
) -> None:
    with pytest.raises(BadPack) as failure:
        read_calendar_pack(pack_text(changed, status=status, make_up_days=make_up_days))

    assert failure.value.place == place


@pytest.mark.parametrize(
    ("lists", "changed", "status", "place"),
    [
        ("half_days = [2025-12-31]", "", "OFFICIAL", "half_days.2025-12-31"),
        ("half_days = [2026-03-07]", "", "OFFICIAL", "half_days.2026-03-07"),
        ("half_days = [2026-03-04]", '2026-03-04 = "REST"', "OFFICIAL", "half_days.2026-03-04"),
        ("unconfirmed = [2026-03-04]", "", "OFFICIAL", "unconfirmed"),
        ("unconfirmed = [2026-03-07]", "", "PROVISIONAL", "unconfirmed.2026-03-07"),
        (
            "half_days = [2026-03-04]\nunconfirmed = [2026-03-04]",
            "",
            "PROVISIONAL",
            "half_days.2026-03-04",
        ),
    ],
)
def test_a_doubtful_day_that_is_outside_the_year_or_decided_elsewhere_is_refused(
    lists: str, changed: str, status: str, place: str
) -> None:
    with pytest.raises(BadPack) as failure:
        read_calendar_pack(pack_text(changed, status=status, lists=lists))

    assert failure.value.place == place


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("not toml", "the whole file"),
        (pack_text().replace("year = 2026\n", ""), "$"),
        (pack_text().replace("make_up_days = true\n", ""), "$"),
        (pack_text().replace("2026", '"2026"'), "$.year"),
        (pack_text(lists="holidays = 1"), "$"),
        (pack_text(lists="half_days = [1]"), "$.half_days[0]"),
        (pack_text().replace("SUNDAY", "SOMEDAY"), "$.week_rest[1]"),
        (pack_text().replace('["SATURDAY", "SUNDAY"]', "[]"), "$.week_rest"),
        (pack_text('2026-03-04 = "NAP"'), "$.changed[...]"),
    ],
)
def test_a_pack_that_does_not_fit_names_the_place(text: str, place: str) -> None:
    with pytest.raises(BadPack) as failure:
        read_calendar_pack(text, "some pack")

    assert (failure.value.pack, failure.value.place) == ("some pack", place)
