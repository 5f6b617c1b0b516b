"""What an authority adopts: packs by digest, from a day on; and which of its adoptions count at a moment (S 16, 82).

A later day replaces an earlier one. An authority that contradicts itself is not followed either way: while a
contradiction is the newest that it said of a pack, no version of it is in force, and nothing is disclosed (rule 10).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import combinations

from registry.norms.shelf import Named, PackDigest


class Contradiction(StrEnum):
    """How two adoptions of one pack cannot both be followed."""

    SAME_DAY = "SAME_DAY"
    """From one day on, two different things."""
    SAME_VERSION = "SAME_VERSION"
    """One version with two digests: its bytes were changed."""
    ROLLBACK = "ROLLBACK"
    """From a later day on, a lower version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """An authority's word that a pack of these bytes is in force in [`works_from`, `works_until`).

    `effective_from` is the day it states; `works_from` is never before anybody could know of it. `number` is the
    statement's position in the log.
    """

    named: Named
    version: int
    digest: PackDigest
    effective_from: date
    works_from: datetime
    works_until: datetime | None
    number: int

    @property
    def reference(self) -> str:
        """`<kind>/<id>@<version>`."""
        return f"{self.named}@{self.version}"

    @property
    def _says(self) -> tuple[int, bytes, datetime | None]:
        return self.version, self.digest, self.works_until


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """Two adoptions that contradict one another, the one with the later day (or number) last."""

    how: Contradiction
    first: Adopted
    second: Adopted

    @property
    def place(self) -> str:
        """Where it stands: the pack, and the two statements by number in the log."""
        return f"{self.second.named}, statements {self.first.number} and {self.second.number}"


def clashes(adoptions: Iterable[Adopted]) -> tuple[Clash, ...]:
    """Every contradiction in what one authority said, whether or not it matters at some moment."""
    found = [
        clash
        for versions in _by_name(adoptions).values()
        for first, second in combinations(versions, 2)
        if (clash := _clash(first, second)) is not None
    ]
    return tuple(found)


def adds_nothing(adoptions: Iterable[Adopted], number: int) -> bool:
    """Whether all that the statement of this number says of packs stood already: it changes no day of any of them."""
    return all(
        _repeats(versions, one) for versions in _by_name(adoptions).values() for one in versions if one.number == number
    )


def in_force(adoptions: Iterable[Adopted], at: datetime) -> Mapping[Named, Adopted | Clash]:
    """Of every pack the adoption that counts at `at`, or why none does; a pack whose adoption ended is not there."""
    working = (one for one in adoptions if one.works_from <= at)
    chosen = {named: _chosen(versions) for named, versions in _by_name(working).items()}
    return {named: one for named, one in chosen.items() if not _is_over(one, at)}


def changes_after(adoptions: Iterable[Adopted], at: datetime) -> Iterator[datetime]:
    """The moments after `at` at which something begins or ends to be in force."""
    for one in adoptions:
        yield from (moment for moment in (one.works_from, one.works_until) if moment is not None and moment > at)


def _by_name(adoptions: Iterable[Adopted]) -> dict[Named, list[Adopted]]:
    """The adoptions of each pack, by the day they state, then by position."""
    found: dict[Named, list[Adopted]] = {}
    for one in sorted(adoptions, key=lambda one: (one.effective_from, one.number)):
        found.setdefault(one.named, []).append(one)
    return found


def _chosen(versions: Sequence[Adopted]) -> Adopted | Clash:
    *earlier, newest = versions
    found = (_clash(first, newest) for first in earlier)
    return next((clash for clash in found if clash is not None), newest)


def _repeats(versions: Sequence[Adopted], new: Adopted) -> bool:
    """Whether what counts on the day that this adoption states would be the same without it, and to the same end."""
    before = [one for one in versions if one.effective_from <= new.effective_from and one.number != new.number]
    return bool(before) and before[-1]._says == new._says  # noqa: SLF001 - of one class


def _clash(first: Adopted, second: Adopted) -> Clash | None:
    """Why the second, which states the same day or a later one, cannot follow the first."""
    how = None
    if first.version == second.version and first.digest != second.digest:
        how = Contradiction.SAME_VERSION
    elif first.effective_from == second.effective_from and first._says != second._says:  # noqa: SLF001 - of one class
        how = Contradiction.SAME_DAY
    elif second.version < first.version:
        how = Contradiction.ROLLBACK
    return None if how is None else Clash(how=how, first=first, second=second)


def _is_over(one: Adopted | Clash, at: datetime) -> bool:
    return isinstance(one, Adopted) and one.works_until is not None and one.works_until <= at
