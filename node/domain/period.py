"""How long a record is shown: the day of its generation, and the first day on which it is withheld (S 31)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import repeat
from typing import Final

from node.domain.records import Stored
from registry.norms.calendar import anniversary, months_later
from registry.norms.catalogue import CatalogueEntry

_DAY: Final = timedelta(days=1)
_ANY_DAY: Final = date.max
"""In place of a day of generation where none is asked for."""
_MOST_REMEMBERED: Final = 20_000

Values = Sequence[Stored] | Mapping[int, Stored]
"""The values of a row by their places, or as many of them as a period looks at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """What decides an entry's period, as places in the values of a row; None where the kind has no such field.

    `years` is the shorter of the rule pack's and the catalogue's period, None for what is shown while it is valid;
    `months` is the longest period of each severity, where the law grades.
    """

    generated: tuple[int, ...]
    years: int | None
    until: int | None
    provider_until: int | None
    publicity_until: int | None
    severity: int | None
    months: Mapping[str, int]

    @property
    def ends(self) -> tuple[int, ...]:
        """The places that decide the first day withheld."""
        ends = (self.until, self.provider_until, self.publicity_until, self.severity)
        return tuple(place for place in ends if place is not None)

    @property
    def counts_from_generation(self) -> bool:
        """Whether the day of generation decides the first day withheld, too."""
        return self.years is not None or self.provider_until is not None

    def generation(self, values: Values, stated: date | None) -> date | None:
        """The earliest of the dates present: S 31 does not define "generation", and the earliest is strictest."""
        earliest = stated
        for place in self.generated:
            value = values[place]
            earliest = _earliest(earliest, _first_day(value) if isinstance(value, str) else value)
        return earliest

    def first_withheld_day(self, values: Values, generated_at: date) -> date | None:
        """The first day on which the record is not shown (S 31), None while there is none.

        The earliest counts of: the anniversary of its generation, the days after its last valid day and after the
        provider's own end, and the end that an overlay sets for its severity. Who states a shortest publicity period
        only means it as its own end, too.
        """
        end = None if self.years is None else anniversary(generated_at, self.years)
        last = None if self.until is None else values[self.until]
        if isinstance(last, date):
            end = _earlier(end, last + _DAY)
        if self.provider_until is None:  # the kinds that have a period in years have a provider's end, too
            return end
        providers = values[self.provider_until] or _at(values, self.publicity_until)
        if isinstance(providers, date):
            end = _earlier(end, providers + _DAY)
        months = self.months.get(str(_at(values, self.severity)))
        return end if months is None else _earlier(end, months_later(generated_at, months))


class Spans:
    """Both days of many rows at once. An end is remembered by all that decides it: in many rows that is the same."""

    def __init__(self, period: Period) -> None:
        self._period, self._ends = period, _Ends(period)

    def of_all(
        self, stated: Sequence[date | None], columns: Sequence[Sequence[Stored]]
    ) -> tuple[list[date | None], list[date | None]]:
        """The days of generation of many rows, and the first days withheld.

        From the days that they state, and the columns of their values. Without a day of generation there is no record.
        """
        generated = [*stated]
        for place in self._period.generated:
            generated = [*map(_earliest, generated, _days(columns[place]))]
        counted = generated if self._period.counts_from_generation else repeat(_ANY_DAY, len(generated))
        deciding = zip(counted, *[columns[place] for place in self._period.ends], strict=True)
        return generated, [*map(self._ends.__getitem__, deciding)]


class _Ends(dict[tuple[Stored, ...], date | None]):
    """The first day withheld, by the day of generation and what stands in the places of the period's ends."""

    def __init__(self, period: Period) -> None:
        super().__init__()
        self._period = period

    def __missing__(self, deciding: tuple[Stored, ...]) -> date | None:
        generated_at, *rest = deciding
        end = None
        if isinstance(generated_at, date):
            values = dict(zip(self._period.ends, rest, strict=True))
            end = self._period.first_withheld_day(values, generated_at)
        if len(self) < _MOST_REMEMBERED:
            self[deciding] = end
        return end


def _days(column: Sequence[Stored]) -> Sequence[Stored]:
    """A column of days: of a month, its first."""
    if str in {*map(type, column)}:
        return [_first_day(value) if isinstance(value, str) else value for value in column]
    return column


def _first_day(month: str) -> date:
    return date.fromisoformat(f"{month}-01")


def _earliest(one: date | None, other: Stored) -> date | None:
    return other if isinstance(other, date) and (one is None or other < one) else one


def _earlier(one: date | None, other: date) -> date:
    return other if one is None or other < one else one


def period_of(entry: CatalogueEntry, names: Sequence[str], most_years: int, months: Mapping[str, int]) -> Period:
    """The period of an entry whose fields stand in the order of `names`."""
    places = {name: place for place, name in enumerate(names)}
    until, years = entry.disclosure.until, entry.disclosure.years
    return Period(
        generated=tuple(places[name] for name in entry.generated),
        years=None if years is None else min(years, most_years),
        until=None if until is None else places[until],
        provider_until=places.get("provider_until"),
        publicity_until=places.get("min_publicity_until"),
        severity=places.get("severity"),
        months=months,
    )


def _at(values: Values, place: int | None) -> Stored:
    return None if place is None else values[place]
