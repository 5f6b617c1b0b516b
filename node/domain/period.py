"""How long a record is shown: the day of its generation, and the first day on which it is withheld (S 31)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, NamedTuple

from node.domain.records import Stored
from registry.norms.calendar import anniversary, months_later
from registry.norms.catalogue import CatalogueEntry

_DAY: Final = timedelta(days=1)
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
    def places(self) -> tuple[int, ...]:
        """All the places that it looks at."""
        ends = (self.until, self.provider_until, self.publicity_until, self.severity)
        return (*self.generated, *(place for place in ends if place is not None))

    def generation(self, values: Values, stated: date | None) -> date | None:
        """The earliest of the dates present: S 31 does not define "generation", and the earliest is strictest."""
        earliest = stated
        for place in self.generated:
            value = values[place]
            if isinstance(value, str):
                value = date.fromisoformat(f"{value}-01")  # a month
            if isinstance(value, date) and (earliest is None or value < earliest):
                earliest = value
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


class Span(NamedTuple):
    """The day of generation, and the first day withheld; without the first there is no record."""

    generated_at: date | None
    disclose_until: date | None


_Deciding = tuple[Stored, ...]
"""The day that a row states for its generation, and what stands in the places of its period."""


class Spans(dict[_Deciding, Span]):
    """The spans of rows by all that decides them: in many rows that is the same."""

    def __init__(self, period: Period) -> None:
        super().__init__()
        self._period, self._places = period, period.places

    def of_all(self, stated: Sequence[date | None], columns: Sequence[Sequence[Stored]]) -> list[Span]:
        """The spans of many rows, from the days they state and the columns of their values."""
        deciding = zip(stated, *[columns[place] for place in self._places], strict=True)
        return [*map(self.__getitem__, deciding)]

    def __missing__(self, deciding: _Deciding) -> Span:
        stated, *rest = deciding
        values = dict(zip(self._places, rest, strict=True))
        generated_at = self._period.generation(values, stated if isinstance(stated, date) else None)
        end = None if generated_at is None else self._period.first_withheld_day(values, generated_at)
        span = Span(generated_at, end)
        if len(self) < _MOST_REMEMBERED:
            self[deciding] = span
        return span


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
