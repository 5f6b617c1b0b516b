"""Laws of mappings: a sheet that is mapped at once says what each of its rows says mapped alone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.domain.mapping import Mapping, read_mapping, standard_mapping
from node.domain.mappings import shipped_mappings
from node.domain.records import Kind
from node.domain.rows import Header, Sheet, one_by_one
from tests.unit.node.domain.test_mapping import TEXT

MAPPINGS = [read_mapping(text) for text in (TEXT, *shipped_mappings().values())]
MAPPINGS += [standard_mapping(kind) for kind in (Kind.REGISTRATION, Kind.PENALTY)]
TEXTS = st.one_of(
    st.sampled_from(
        [
            "",
            " ",
            "罚款",
            "警告",
            "罚款、警告 ",
            "别的",
            "有限责任公司",
            "05/03/2024",
            "2024-03-05",
            "2024年3月5日",
            " 甲 ",
        ]
    ),
    st.text(max_size=4),
)


@settings(max_examples=150)
@given(st.sampled_from(MAPPINGS), st.data())
def test_a_sheet_mapped_at_once_has_the_rows_that_each_gives_alone(mapping: Mapping, data: st.DataObject) -> None:
    wanted = sorted({source for column in mapping.columns for source in column.sources})
    left_out = data.draw(st.sets(st.sampled_from(wanted), max_size=2))
    names = [*(name for name in wanted if name not in left_out), "shoe_size"]
    rows = data.draw(st.lists(st.lists(TEXTS, min_size=len(names), max_size=len(names)), min_size=1, max_size=5))
    sheet = Sheet(7, Header(tuple(names)), tuple(zip(*rows, strict=True)))

    mapped = mapping.apply_all(sheet)

    at_once = [*one_by_one([mapped])] if isinstance(mapped, Sheet) else mapped
    assert at_once == [mapping.apply(row) for row in sheet]


@pytest.mark.parametrize("kind", [Kind.REGISTRATION, Kind.PENALTY])
def test_a_sheet_in_our_own_header_stays_as_it_is(kind: Kind) -> None:
    mapping = standard_mapping(kind)
    sheet = Sheet(2, Header(tuple(sorted(mapping.own))), tuple([[text] for text in sorted(mapping.own)]))

    assert mapping.apply_all(sheet) is sheet
