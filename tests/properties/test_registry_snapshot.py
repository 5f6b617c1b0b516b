"""Laws of the registry: what no order of statements and no way of fetching them may change."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from registry.mirror import Advanced, Mirror, advance
from registry.snapshot import Standing, fold, standing
from tests.unit.registry.cast import AGENCY, NOON, SHENZHEN, Authority

HOUR = timedelta(hours=1)
CARDS = [replace(AGENCY, round=number).card() for number in (1, 2, 3)]

hours = st.integers(-3, 12).map(lambda number: NOON + number * HOUR)
statements = st.lists(st.tuples(st.sampled_from([None, 0, 1, 2]), hours), max_size=7)
moments = st.integers(-4, 14).map(lambda number: NOON + number * HOUR)


def office_with(script: list[tuple[int | None, datetime]]) -> Authority:
    """The authority after this script: a card number admits it, None revokes the agency."""
    office = Authority(SHENZHEN)
    for card, effective_at in script:
        if card is None:
            office.revokes(AGENCY.party, effective_at)
        else:
            office.admits(CARDS[card], effective_at)
    return office


def standing_in(mirror: Mirror, as_of: datetime) -> Standing:
    return standing(fold([mirror], [mirror.authority], as_of).party(AGENCY.party), as_of)


@settings(deadline=None)
@given(script=statements, cut=st.integers(0, 7))
def test_fetching_in_two_steps_sees_the_same_log(script: list[tuple[int | None, datetime]], cut: int) -> None:
    office = office_with(script)
    size = min(cut, len(script))
    half = advance(Mirror(authority=office.card), office.head(size=size), office.log[:size])
    assert isinstance(half, Advanced)

    assert office.seen_by(half.mirror) == office.seen_by()


@settings(deadline=None)
@given(script=statements, as_of=moments, later=moments)
def test_a_snapshot_of_today_tells_the_past_as_it_was(
    script: list[tuple[int | None, datetime]], as_of: datetime, later: datetime
) -> None:
    as_of, later = sorted((as_of, later))
    mirror = office_with(script).seen_by()
    listing = fold([mirror], [mirror.authority], later).party(AGENCY.party)

    assert standing(listing, as_of) is standing_in(mirror, as_of)


@settings(deadline=None)
@given(script=statements, effective_at=hours, as_of=moments)
def test_a_revocation_in_effect_at_the_end_of_the_log_always_holds(
    script: list[tuple[int | None, datetime]], effective_at: datetime, as_of: datetime
) -> None:
    mirror = office_with([*script, (None, effective_at)]).seen_by()
    works_from = mirror.statements[-1].works_from

    assert as_of < works_from or standing_in(mirror, as_of) is not Standing.ADMITTED


@settings(deadline=None)
@given(script=statements, as_of=moments)
def test_a_further_revocation_never_admits_anybody(script: list[tuple[int | None, datetime]], as_of: datetime) -> None:
    before = standing_in(office_with(script).seen_by(), as_of)
    after = standing_in(office_with([*script, (None, NOON)]).seen_by(), as_of)

    assert before is Standing.ADMITTED or after is not Standing.ADMITTED
