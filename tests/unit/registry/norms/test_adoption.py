from datetime import UTC, date, datetime, timedelta

import pytest

from registry.norms.adoption import Adopted, Clash, Contradiction, adds_nothing, changes_after, clashes, in_force
from registry.norms.shelf import Named, PackDigest, PackKind

NAMED = Named(kind=PackKind.RULES, id="X")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def adopted(
    version: int = 1, *, day: int = 0, digest: bytes | None = None, until: int | None = None, number: int = 0
) -> Adopted:
    return Adopted(
        named=NAMED,
        version=version,
        digest=PackDigest(digest or bytes([version]) * 32),
        effective_from=date(2026, 3, 2) + day * DAY,
        works_from=NOON + day * DAY,
        works_until=None if until is None else NOON + until * DAY,
        number=number,
    )


def version_at(adoptions: list[Adopted], days: float) -> int | Contradiction | None:
    found = in_force(adoptions, NOON + days * DAY).get(NAMED)
    if found is None:
        return None
    return found.how if isinstance(found, Clash) else found.version


def test_a_pack_is_in_force_from_its_day_and_not_before() -> None:
    assert version_at([adopted()], -0.1) is None
    assert version_at([adopted()], 0) == 1


def test_a_later_day_replaces_an_earlier_one_from_that_day() -> None:
    both = [adopted(1), adopted(2, day=5, number=1)]

    assert [version_at(both, days) for days in (0, 4.9, 5)] == [1, 1, 2]
    assert clashes(both) == ()


def test_an_end_ends_it_and_nothing_older_comes_back() -> None:
    ended = [adopted(1), adopted(2, day=1, until=3, number=1)]

    assert [version_at(ended, days) for days in (0, 1, 2.9, 3)] == [1, 2, 2, None]


@pytest.mark.parametrize(
    ("second", "how"),
    [
        (adopted(2, number=1), Contradiction.SAME_DAY),
        (adopted(1, until=9, number=1), Contradiction.SAME_DAY),
        (adopted(1, day=2, digest=b"x" * 32, number=1), Contradiction.SAME_VERSION),
        (adopted(1, digest=b"x" * 32, number=1), Contradiction.SAME_VERSION),
    ],
)
def test_contradictions_are_named_and_neither_side_is_followed(second: Adopted, how: Contradiction) -> None:
    (clash,) = clashes([adopted(1), second])

    assert (clash.how, clash.place) == (how, "rules/X, statements 0 and 1")
    assert version_at([adopted(1), second], 3) is how


@pytest.mark.parametrize(
    ("new", "repeated"),
    [
        (adopted(1, number=1), True),
        (adopted(1, day=3, number=1), True),
        (adopted(1, day=-3, number=1), False),
        (adopted(1, day=3, until=9, number=1), False),
        (adopted(2, day=3, number=1), False),
    ],
)
def test_what_only_says_again_what_stands_adds_nothing(new: Adopted, *, repeated: bool) -> None:
    assert adds_nothing([adopted(1), new], 1) is repeated


def test_what_follows_something_else_adds_something() -> None:
    ended = [adopted(1, until=2), adopted(1, day=5, number=1)]

    assert not adds_nothing(ended, 1)


def test_going_back_to_a_lower_version_is_not_followed() -> None:
    back = [adopted(2), adopted(1, day=2, number=1)]

    assert [version_at(back, days) for days in (0, 2)] == [2, Contradiction.ROLLBACK]


def test_a_higher_version_stated_for_an_earlier_day_is_going_back() -> None:
    assert version_at([adopted(2), adopted(3, day=-1, number=1)], 1) is Contradiction.ROLLBACK


def test_a_higher_version_of_a_later_day_ends_a_contradiction() -> None:
    contradicted = [adopted(1), adopted(2, number=1), adopted(3, day=4, number=2)]

    assert [version_at(contradicted, days) for days in (0, 4)] == [Contradiction.SAME_DAY, 3]


def test_saying_the_same_twice_changes_nothing() -> None:
    assert version_at([adopted(1), adopted(1, number=1), adopted(1, day=1, number=2)], 2) == 1


def test_the_order_of_what_is_given_changes_nothing() -> None:
    some = [adopted(1), adopted(2, day=3, number=1), adopted(3, day=5, until=7, number=2)]

    assert [in_force(some, NOON + days * DAY) for days in range(9)] == [
        in_force(some[::-1], NOON + days * DAY) for days in range(9)
    ]


def test_the_moments_of_change_are_beginnings_and_ends() -> None:
    moments = changes_after([adopted(1), adopted(2, day=3, until=7)], NOON)

    assert sorted(moments) == [NOON + 3 * DAY, NOON + 7 * DAY]
