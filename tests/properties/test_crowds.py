"""No rendition shows a combination of rare values that too few enterprises at home share, whatever there is at home."""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from crypto.commitment import Value
from node.domain.crowd import Step, cells_of, ladder_of
from node.domain.money import Money
from node.domain.records import Content, Kind, content_type, encode_content
from node.domain.rendition import valid_until
from node.domain.vocabulary import load_vocabulary
from node.operations.coarsen import Steps
from node.operations.record_rows import NewRecordRow
from registry.norms.catalogue import Precision
from tests.contracts.examples import NOON, deletion, digest
from tests.fakes.forms import render
from tests.fakes.memory import MemoryStore

WORDS = load_vocabulary()
LEAST = WORDS.catalogue.deidentification.k
ENTRY = WORDS.catalogue.entries["101"]
RARE = {item.name: item.precisions for item in ENTRY.rare_items}
CELLS = cells_of(Kind.REGISTRATION, WORDS)

GRANTS = st.fixed_dictionaries({}, optional={name: st.sampled_from(scale) for name, scale in RARE.items()})
UNTIL = st.sampled_from([None, date(2031, 5, 1), date(2031, 5, 30), date(2031, 9, 1), date(2032, 1, 1)])
VALUES = st.fixed_dictionaries(
    {
        "established_on": st.sampled_from([None, date(1998, 6, 18), date(1999, 5, 5), date(2003, 4, 4)]),
        "capital": st.sampled_from([None, Money(50_000_000, "CNY"), Money(90_000_000_000, "CNY")]),
        "industry_section": st.sampled_from([None, "C", "J"]),
        "region_code": st.sampled_from([None, "44", "440300", "440305", "440100", "310000", "HK"]),
    }
)
# Few enterprises with several records each, of which most say what others do; some are deleted.
SAID = st.lists(st.tuples(VALUES, UNTIL), min_size=1, max_size=4)
POPULATIONS = SAID.flatmap(
    lambda said: st.lists(
        st.tuples(st.integers(0, 11), st.sampled_from(said), st.sampled_from([False, False, True])),
        min_size=1,
        max_size=30,
    )
)


def _content(values: Mapping[str, object]) -> Content:
    made = content_type(Kind.REGISTRATION)
    others: dict[str, Any] = dict.fromkeys(made.__struct_fields__) | {"identifiers": (), "has_lei": False}
    return made(**others | dict(values))


def _row(place: int, subject: int, values: Mapping[str, object], until: date | None) -> NewRecordRow:
    content = _content(values)
    return NewRecordRow(
        identifiers=(("HK-CR", f"{subject:07}"),),
        source_key=digest(f"record {place}"),
        kind="101",
        content=encode_content(content),
        content_digest=digest(f"content {place}"),
        facts=b"{}",
        generated_on=date(2026, 11, 23),
        disclose_until=until,
        cell=CELLS.of(content, until),
    )


Shown = tuple[Mapping[str, Value], date | None]


def _shown(values: Mapping[str, object], until: date | None, step: Step, granted: Mapping[str, Precision]) -> Shown:
    """What a rendition says of a record after a step, made of the record itself."""
    return render(_content(values), step.of(granted), WORDS), valid_until(until, step.ending)


@given(POPULATIONS, GRANTS)
def test_no_rendition_shows_a_combination_that_too_few_enterprises_share(
    population: Sequence[tuple[int, tuple[Mapping[str, object], date | None], bool]], granted: Mapping[str, Precision]
) -> None:
    ladder = ladder_of("101", granted, WORDS)
    with MemoryStore().write() as work:
        rows = [_row(place, subject, *said) for place, (subject, said, _) in enumerate(population)]
        work.records.add(rows, NOON, names_may_change=True)
        work.cells.put_shapes({"101": ladder.shape})
        stored = {row.record_no: row for row in work.records.page(None, 0, len(rows))}
        there = {}
        for number, (subject, said, is_deleted) in enumerate(population, 1):
            if is_deleted:
                work.changes.delete(deletion(number))
            else:
                there[number] = subject, *said
        steps = Steps(work, {"101": ladder}, LEAST)
        wanted = [stored[number] for number in there]
        steps.decide(wanted, {}, lambda some: [rows[row.record_no - 1].cell.finest for row in some])  # type: ignore[union-attr]  # each has one

    for number, (_, values, until) in there.items():
        row = stored[number]
        step = steps.told(row)
        shown = _shown(values, until, step, granted)
        alike = {other for other, theirs, ends in there.values() if _shown(theirs, ends, step, granted) == shown}
        if len(alike) < LEAST:
            assert steps.of(row).step == ladder.last
            assert set(shown[0].values()) <= {None}
            assert shown[1] is None or (shown[1].month, shown[1].day) == (1, 1)


@given(VALUES, UNTIL, VALUES, UNTIL, GRANTS)
def test_records_with_one_prefix_look_alike_after_its_step(
    values: Mapping[str, object],
    until: date | None,
    other: Mapping[str, object],
    ends: date | None,
    granted: Mapping[str, Precision],
) -> None:
    ladder = ladder_of("101", granted, WORDS)
    finest = [CELLS.of(_content(one), day).finest for one, day in ((values, until), (other, ends))]

    for step, first, second in zip(ladder.steps, *map(ladder.prefixes, finest), strict=True):
        assert ladder.key(finest[0]).startswith(first)
        if first == second:
            assert _shown(values, until, step, granted) == _shown(other, ends, step, granted)
        elif _has_a_city(values, other):
            assert _shown(values, until, step, granted) != _shown(other, ends, step, granted)


def _has_a_city(*records: Mapping[str, object]) -> bool:
    """Whether both say where exactly they are: of which city a province is known, nobody can tell from the city."""
    return all(one["region_code"] != "44" for one in records)


@given(VALUES, UNTIL, GRANTS)
def test_each_step_is_a_shorter_prefix_that_tells_no_more_than_the_one_before(
    values: Mapping[str, object], until: date | None, granted: Mapping[str, Precision]
) -> None:
    ladder = ladder_of("101", granted, WORDS)
    prefixes = ladder.prefixes(CELLS.of(_content(values), until).finest)

    assert len(prefixes) == len(ladder.steps)
    assert all(finer.startswith(coarser) and finer != coarser for finer, coarser in pairwise(prefixes))
    given_up = [sum(how is None for how in step.told.values()) for step in ladder.steps]
    assert given_up == sorted(given_up)
