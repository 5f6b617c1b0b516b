"""De-identification: the allow-listed, generalised form in which a record may leave its home (S 14, 17, 23).

Everything that can cross is a wire field of the catalogue, in one of its precisions. What is not there has no way out,
whatever an agreement may say.
"""

from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache, lru_cache, partial
from operator import attrgetter
from typing import Final

from crypto.commitment import Value
from crypto.document_token import DocumentTokens
from node.domain.document_numbers import token_items, token_of
from node.domain.errors import NotRenderable
from node.domain.money import Money, in_yuan
from node.domain.records import Content, Kind, Stored
from node.domain.vocabulary import Vocabulary, load_vocabulary
from registry.norms.catalogue import DataItem, Precision

_CITY_DIGITS: Final = 4
Rule = Callable[[Content], Value]
"""Makes one field's value from the content of a record of the rule's own kind."""
Form = Callable[[Stored], Value]
"""Makes one field's value from that of its home field, which is not empty."""
Told = Mapping[str, Precision | None]
"""In which precision each field is told; None for one that is given up, and told as null."""


def rules_of(
    kind: Kind, granted: Told, vocabulary: Vocabulary, tokens: DocumentTokens | None = None
) -> dict[str, Rule]:
    """By granted field of a kind, how its value is made at its precision; null where it is given up, or not known.

    No identifier, name, exact day, document number, amount or free text of a content is in what is made. `tokens` are
    those of the agreement; without them no token has a form. Raises NotRenderable when a granted field or precision
    has no de-identified form; an agreement that passed the catalogue's check never asks for one.
    """
    rules = {**_rules(kind, vocabulary), **({} if tokens is None else _token_rules(kind, vocabulary, tokens))}
    try:
        return {name: rules[name, how] if how is not None else _given_up for name, how in granted.items()}
    except KeyError:
        raise NotRenderable("a granted field or precision has no de-identified form") from None


def renderable(kind: Kind, vocabulary: Vocabulary | None = None) -> frozenset[tuple[str, Precision]]:
    """Every field and precision that has a de-identified form for this kind."""
    words = vocabulary or load_vocabulary()
    tokens = {(item.name, Precision.TOKEN) for item in token_items(words.catalogue, kind)}
    return frozenset(_rules(kind, words)) | tokens


@lru_cache(maxsize=4096)
def valid_until(disclose_until: date | None, precision: Precision = Precision.MONTH) -> date | None:
    """The last word on showing a copy: a record's `disclose_until` rounded down to the first of its month or year.

    Earlier is stricter, and the exact day would be a searchable mark of the record.
    """
    if disclose_until is None:
        return None
    return disclose_until.replace(day=1) if precision is Precision.MONTH else disclose_until.replace(month=1, day=1)


def untold_through(today: date) -> date:
    """The last `disclose_until` of which today nothing is told any more, however coarsely: it ends this month.

    A copy would have to be destroyed at once, so that none is sent. Who asks can then leave out such a record before
    looking at what it says, as one whose period is over: neither takes time that tells of it.
    """
    return date(today.year, today.month, monthrange(today.year, today.month)[1])


def form_of(item: DataItem, precision: Precision, vocabulary: Vocabulary) -> Form | None:
    """How a wire field is made at one of its precisions; None where it is the home field's value as it is."""
    return _band(item, vocabulary) if precision is Precision.BAND else _FORMS.get(precision)


def _given_up(_: Content) -> Value:
    return None


@cache
def _rules(kind: Kind, vocabulary: Vocabulary) -> Mapping[tuple[str, Precision], Rule]:
    entry = vocabulary.catalogue.entry(kind.value)
    items = () if entry is None else entry.items
    return {
        (item.name, how): _rule(item, how, vocabulary)
        for item in items
        for how in item.precisions
        if how is not Precision.TOKEN
    }


def _token_rules(kind: Kind, vocabulary: Vocabulary, tokens: DocumentTokens) -> Mapping[tuple[str, Precision], Rule]:
    """The rules that need a key; never cached, so that none outlives the act it is made for."""
    return {
        (item.name, Precision.TOKEN): partial(token_of, item=item, tokens=tokens)
        for item in token_items(vocabulary.catalogue, kind)
    }


def _rule(item: DataItem, precision: Precision, vocabulary: Vocabulary) -> Rule:
    """How one wire field is made of its home field, which may be empty."""
    told: Callable[[Content], Stored] = attrgetter(item.made_from)
    form = form_of(item, precision, vocabulary)
    if form is None:
        return told  # type: ignore[return-value]  # the catalogue gives codes and flags as they are, and nothing else

    def make(content: Content) -> Value:
        value = told(content)
        return None if value is None else form(value)

    return make


def _band(item: DataItem, vocabulary: Vocabulary) -> Form:
    if item.bands is None:
        raise NotRenderable("a band without a table")
    bands = vocabulary.bands(item.bands)
    return lambda value: bands.code_of(in_yuan(value) if isinstance(value, Money) else _number(value))


def _number(value: Stored) -> int:
    return value if isinstance(value, int) else 0


def _month(value: Stored) -> str:
    """The month of a day or of a month."""
    return str(value)[:7]


def _quarter(value: Stored) -> str:
    month = _month(value)
    return f"{month[:4]}-Q{(int(month[5:]) + 2) // 3}"


def _year(value: Stored) -> int:
    return value.year if isinstance(value, date) else int(str(value)[:4])


def _five_years(value: Stored) -> str:
    year = _year(value)
    start = year - year % 5
    return f"{start}-{start + 4}"


def _city(value: Stored) -> str | None:
    """The city of a region; null where home knows the province only. HK and MO stay whole."""
    code = str(value)[:_CITY_DIGITS]
    return code if len(code) == _CITY_DIGITS or not code.isdigit() else None


_FORMS: Final[Mapping[Precision, Form]] = {
    Precision.MONTH: _month,
    Precision.QUARTER: _quarter,
    Precision.YEAR: _year,
    Precision.FIVE_YEARS: _five_years,
    Precision.CITY: _city,
    Precision.PROVINCE: lambda value: str(value)[:2],
}
