"""Notices: neither order nor repetition of them changes what may be held in the end."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from node.domain.notices import NO_FLOOR, Effect, Floor, Notice, apply

NOON = datetime(2026, 6, 1, 4, tzinfo=UTC)
NOTICES = st.lists(
    st.builds(
        Notice,
        alias=st.just("0a" * 16),
        basis=st.just("0b" * 32),
        due=st.just(NOON),
        effect=st.sampled_from(Effect),
        notice=st.just("0c" * 16),
        occurred_at=st.just(NOON),
        version=st.integers(1, 20),
    ),
    max_size=8,
)


def floor_after(notices: list[Notice]) -> Floor:
    floor = NO_FLOOR
    for one in notices:
        floor = apply(one, [], floor).floor
    return floor


@given(notices=NOTICES, data=st.data())
def test_order_and_repetition_change_nothing(notices: list[Notice], data: st.DataObject) -> None:
    mixed = data.draw(st.permutations(notices + notices))

    assert floor_after(mixed) == floor_after(notices)


@given(notices=NOTICES, more=NOTICES, version=st.integers(1, 25))
def test_what_is_forbidden_once_stays_forbidden(notices: list[Notice], more: list[Notice], version: int) -> None:
    if floor_after(notices).forbids(version):
        assert floor_after(notices + more).forbids(version)


@given(notices=NOTICES, version=st.integers(1, 25))
def test_a_deletion_anywhere_forbids_everything(notices: list[Notice], version: int) -> None:
    deleted = any(one.effect is Effect.DELETE for one in notices)

    assert floor_after(notices).forbids(version) is (deleted or any(version < one.version for one in notices))
