"""States of records: whatever they are, a column keeps them, and none takes another away."""

from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from node.domain.dates import shanghai_day
from node.domain.records import Coming, Withheld
from node.domain.serving import is_visible, withheld
from node.storage.states import states_from_text, text_from_states
from registry.norms.law import shipped_law
from tests.unit.node.domain.given import penalised

LAW = shipped_law()
RECORD = penalised().record
DAYS = st.dates(date(2025, 1, 1), date(2029, 1, 1))
STATES = st.frozensets(st.sampled_from(Withheld))
COMING = st.lists(st.builds(Coming, st.sampled_from(Withheld), DAYS), max_size=4, unique=True).map(tuple)


@given(STATES, COMING)
def test_a_column_keeps_states_and_those_to_come(now: frozenset[Withheld], coming: tuple[Coming, ...]) -> None:
    text = text_from_states(now, coming)

    assert states_from_text(text) == (now, tuple(sorted(coming, key=lambda one: (one.on, one.state))))
    assert text_from_states(*states_from_text(text)) == text
    assert (text == "" or text[0] == "@") is not bool(now), "what is shown until a day begins with its mark"


@given(STATES, COMING, DAYS)
def test_no_state_takes_another_away_and_each_to_come_acts_from_its_day_on(
    now: frozenset[Withheld], coming: tuple[Coming, ...], day: date
) -> None:
    at = datetime.combine(day, time(8), UTC)
    record = structs.replace(RECORD, states=now, coming=coming)
    due = {one.state for one in coming if one.on <= shanghai_day(at)}

    assert withheld(record, at, LAW) == withheld(RECORD, at, LAW) | now | due
    assert is_visible(record, at, LAW) is (not (now or due) and is_visible(RECORD, at, LAW))


@given(COMING, DAYS)
def test_what_withholds_on_a_day_withholds_on_every_later_one_until_somebody_lifts_it(
    coming: tuple[Coming, ...], day: date
) -> None:
    record = structs.replace(RECORD, coming=coming)
    at = datetime.combine(day, time(8), UTC)

    assert withheld(record, at, LAW) <= withheld(record, at + timedelta(days=1), LAW)
