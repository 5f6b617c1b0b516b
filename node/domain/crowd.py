"""Crowds: a rendition's rare values are true of at least k enterprises at home, or are made coarser (S 14, 17, 23).

What can single out an enterprise is a record's rare values (`CatalogueEntry.rare`) and the end of its disclosure. Both
stand, in every precision there is, in the record's *cell*. A *ladder* says how one grant of a kind becomes coarser,
step by step: generalised first, given up last. Along a ladder a cell has a key of parts, coarsest first, and each step
drops the last part that is left: so all records that look alike after some steps are neighbours in the order of keys.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date
from functools import cache, lru_cache
from hashlib import sha256
from itertools import accumulate, pairwise, repeat
from operator import attrgetter
from typing import Final, Protocol

import msgspec

from node.domain.records import Content, Kind, Stored
from node.domain.rendition import Form, Told, form_of, valid_until
from node.domain.vocabulary import Vocabulary, vocabulary_of
from registry.norms.catalogue import CatalogueEntry, DataItem, Precision
from registry.norms.law import Law

END: Final = "\x1f"
"""Between the parts of a cell, and behind each part of a key; no coarse value has it."""
BEHIND: Final = "\x20"
"""In the place of its last END, this makes the end of all keys that begin with a prefix."""

_ENDING: Final = ""
"""In place of an item's name: the end of disclosure. Its year is told in any case, for the holder must know it."""
_ENDINGS: Final = (Precision.MONTH, Precision.YEAR)
_MOST_REMEMBERED: Final = 20_000


class Cell(msgspec.Struct, frozen=True, order=True, gc=False):
    """All that can single out a record, as text; `shape` (32 bytes) says what stands in it, which the law decides."""

    shape: bytes
    finest: str

    def __repr__(self) -> str:
        return "Cell(...)"


class Asker(Protocol):
    """Counts enterprises at home."""

    def __call__(self, prefixes: Sequence[str]) -> AbstractSet[str]:
        """Give those prefixes under whose keys there are enough different enterprises."""


def cell_of(content: Content, disclose_until: date | None, law: Law) -> Cell | None:
    """The cell of a record under a law, from its content and the first day on which it is withheld.

    None for a kind that the law's catalogue does not list: it is not shown, and nobody hides behind it.
    """
    vocabulary = vocabulary_of(law)
    if vocabulary.catalogue.entry(content.KIND.value) is None:
        return None
    return cells_of(content.KIND, vocabulary).of(content, disclose_until)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """Makes the cells of one kind; for the records of a file it is made once, and remembers values it met."""

    shape: bytes
    names: tuple[str, ...]
    texts: "tuple[_Remembered, ...]" = field(repr=False)

    def of(self, content: Content, disclose_until: date | None) -> Cell:
        """The cell of one record."""
        (cell,) = self.of_all([content], [disclose_until])
        return cell

    def of_all(self, contents: Sequence[Content], ends: Sequence[date | None]) -> list[Cell]:
        """The cells of many records: hardly more than a look-up for each value."""
        columns = [ends, *(map(attrgetter(name), contents) for name in self.names)]
        texts = [map(known.__getitem__, column) for known, column in zip(self.texts, columns, strict=True)]
        return [*map(Cell, repeat(self.shape), map(END.join, zip(*texts, strict=True)))]


@cache
def cells_of(kind: Kind, vocabulary: Vocabulary) -> Cells:
    """What makes the cells of a kind."""
    entry = vocabulary.catalogue.entries[kind.value]
    items = entry.rare_items
    return Cells(
        shape=_shape(entry, vocabulary),
        names=tuple(item.made_from for item in items),
        texts=(_Remembered(None, vocabulary), *(_Remembered(item, vocabulary) for item in items)),
    )


class _Remembered(dict[Stored, str]):
    """The text of a value in every precision of its item, coarsest first; without an item, of an end of disclosure."""

    def __init__(self, item: DataItem | None, vocabulary: Vocabulary) -> None:
        super().__init__()
        self._forms: list[Form | None]
        if item is None:
            self._forms = [_ending(how) for how in reversed(_ENDINGS)]
        else:
            self._forms = [form_of(item, how, vocabulary) for how in reversed(item.precisions)]

    def __missing__(self, value: Stored) -> str:
        if value is None:
            text = END * (len(self._forms) - 1)
        else:
            # One form is the rule for amounts, which rarely repeat.
            text, *others = [_text(value if form is None else form(value)) for form in self._forms]
            text = END.join((text, *others)) if others else text
        if len(self) < _MOST_REMEMBERED:
            self[value] = text
        return text


def _ending(how: Precision) -> Form:
    return lambda value: str(valid_until(value, how)) if isinstance(value, date) else None


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _shape(entry: CatalogueEntry, vocabulary: Vocabulary) -> bytes:
    """A digest of what cells of the kind hold: its rare items, what they are made from, how, and by which bands."""
    said = [entry.code]
    for item in entry.rare_items:
        table = None if item.bands is None else vocabulary.bands(item.bands)
        bands = () if table is None else zip(table.codes, table.floors, strict=True)
        said += [item.name, item.made_from, ",".join(item.precisions), *(f"{code}={floor}" for code, floor in bands)]
    return sha256(b"creditport/cell/v1\x00" + "\x00".join(said).encode()).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """How records of a kind, in what one grant has of it, become coarser: step 0 is as granted, the last the coarsest.

    `digest` (32 bytes) names it: grants alike share it. `places` are those of a key's parts in a cell.
    """

    digest: bytes
    shape: bytes
    places: tuple[int, ...]
    steps: "tuple[Step, ...]"

    @property
    def last(self) -> int:
        """The last step, in which nothing rare is told but the year in which disclosure ends."""
        return len(self.steps) - 1

    def key(self, finest: str) -> str:
        """The key of a cell of this ladder's shape."""
        parts = finest.split(END)
        return "".join([parts[place] + END for place in self.places])

    def prefixes(self, finest: str) -> list[str]:
        """By step, how the keys of all cells begin that look alike after it, and of no others."""
        parts = finest.split(END)
        return list(accumulate(parts[place] + END for place in self.places))[::-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What is told after a step: each rare field that is granted (None: given up), and when disclosure ends."""

    told: Told
    ending: Precision

    def of(self, granted: Mapping[str, Precision]) -> Told:
        """What is told of these granted fields after it."""
        return {name: self.told.get(name, how) for name, how in granted.items()}


def ladder_of(kind: str, granted: Mapping[str, Precision], vocabulary: Vocabulary) -> Ladder:
    """The ladder of a grant; what the catalogue does not allow in it, any more, is shown in no form."""
    return _ladder(kind, frozenset(granted.items()), vocabulary)


@lru_cache(maxsize=1024)
def _ladder(kind: str, granted: frozenset[tuple[str, Precision]], vocabulary: Vocabulary) -> Ladder:
    entry, allowed = vocabulary.catalogue.entries[kind], dict(granted)
    scales: dict[str, tuple[Precision, ...]] = {_ENDING: _ENDINGS}
    for item in entry.rare_items:
        finest = allowed.get(item.name)
        if finest in item.precisions:
            scales[item.name] = item.precisions[item.precisions.index(finest) :]
    dropped, steps = _walk(scales)
    at = _places(entry)
    said = "\x00".join([f"{name}:{how}" for name, how in dropped])
    shape = _shape(entry, vocabulary)
    return Ladder(
        digest=sha256(b"creditport/ladder/v1\x00" + shape + said.encode()).digest(),
        shape=shape,
        places=tuple(at[one] for one in reversed(dropped)),
        steps=tuple(steps),
    )


_Part = tuple[str, Precision]


def _walk(scales: Mapping[str, Sequence[Precision]]) -> tuple[list[_Part], list[Step]]:
    """Every part in the order in which it is dropped, that which never is at the end; and what is told after each.

    First each field in turn is generalised, then each in turn is given up. The end of disclosure goes first, since it
    lies a fixed time after the day that most records are about, and would tell it.
    """
    told: dict[str, Precision | None] = {name: scale[0] for name, scale in scales.items()}
    dropped: list[_Part] = []
    steps = [_step(told)]
    generalised = [(name, finer, coarser) for name, scale in scales.items() for finer, coarser in pairwise(scale)]
    given_up = [(name, scale[-1], None) for name, scale in scales.items() if name != _ENDING]
    for name, finer, coarser in (*generalised, *given_up):
        dropped.append((name, finer))
        told[name] = coarser
        steps.append(_step(told))
    return [*dropped, (_ENDING, _ENDINGS[-1])], steps


def _step(told: Told) -> Step:
    ending = told[_ENDING] or _ENDINGS[-1]
    return Step(told={name: how for name, how in told.items() if name != _ENDING}, ending=ending)


def _places(entry: CatalogueEntry) -> dict[_Part, int]:
    """Where each part stands in a cell of the kind."""
    parts = [(_ENDING, how) for how in reversed(_ENDINGS)]
    parts += [(item.name, how) for item in entry.rare_items for how in reversed(item.precisions)]
    return {part: place for place, part in enumerate(parts)}


def first_crowded(ladder: Ladder, cells: Sequence[str], crowded: Asker) -> list[int]:
    """For each cell the first step after which enough enterprises look alike; the last one where none does.

    A crowd only grows from step to step, so the step is sought by halving, for all cells together. Most stand in a
    crowd as they are: that is asked first, and of these nothing but their keys is made.
    """
    if not (ladder.last and cells):
        return [ladder.last] * len(cells)
    keys = {finest: ladder.key(finest) for finest in dict.fromkeys(cells)}
    enough = crowded(list(dict.fromkeys(keys.values())))
    prefixes = {finest: ladder.prefixes(finest) for finest, key in keys.items() if key not in enough}
    spans = dict.fromkeys(prefixes, (1, ladder.last))
    while sought := {finest: sum(span) // 2 for finest, span in spans.items() if span[0] < span[1]}:
        enough = crowded(list(dict.fromkeys([prefixes[finest][step] for finest, step in sought.items()])))
        for finest, step in sought.items():
            low, high = spans[finest]
            spans[finest] = (low, step) if prefixes[finest][step] in enough else (step + 1, high)
    return [spans[finest][0] if finest in spans else 0 for finest in cells]
