"""Laws of intake and de-identification that hold for every row."""

import json
from datetime import date
from io import BytesIO

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.canonical import canonical
from node.domain.check_digits import ALPHABET, organisation_check, unified_check
from node.domain.columns import IDENTITY_COLUMNS
from node.domain.deidentified import check_deidentified, check_precision
from node.domain.identifiers import Identifier, Scheme, canonical_text, parse_identifier
from node.domain.intake import Admitted, Intake, Rejected, admit
from node.domain.money import Money, parse_money
from node.domain.portion import admit_all, ready_of
from node.domain.records import Content, Kind, decode_content, encode_content
from node.domain.rendition import renderable
from node.domain.rows import BadRow, Format, Header, Row, Sheet, read_rows
from node.domain.vocabulary import load_vocabulary
from node.operations.stored_records import Envelopes, row_from_admitted, rows_from_lot
from registry.norms.catalogue import ValueType, load_catalogue
from tests.fakes.forms import render
from tests.unit.node.domain.given import TOKENS, intake
from tests.unit.node.domain.sampled import ADMITTED, sampled

WORDS = load_vocabulary()
OPENED: dict[Kind, Intake] = {kind: intake(kind) for kind in ADMITTED}
DAYS = st.dates(date(1900, 1, 1), date(2026, 11, 1))
# Letters that no code, band or region is written with, so that finding one of them in a rendition is a leak.
PRIVATE_TEXT = st.text(st.sampled_from("甲乙丙丁戊己庚辛"), min_size=1, max_size=30)
SERIALS = st.text(st.sampled_from(ALPHABET), min_size=6, max_size=6)
ORIGINS = st.sampled_from(["91440300MA", "51440300MJ", "N2440300MF", "91110000MA"])


def code_of(origin: str, serial: str) -> str:
    organisation = origin[8:] + serial
    body = origin[:8] + organisation + organisation_check(organisation)
    return body + unified_check(body)


USCCS = st.builds(code_of, ORIGINS, SERIALS)
OWN_WORDS = frozenset({ValueType.TEXT, ValueType.FREE_TEXT, ValueType.DOCUMENT_NUMBER, ValueType.REFERENCE})


@st.composite
def contents(draw: st.DrawFn) -> Content:
    """What an admitted row says, of any kind: an invented row with texts, days and amounts of its own."""
    kind = draw(st.sampled_from(ADMITTED))
    (row,) = sampled(kind, draw(st.integers(0, 999)))
    row |= dict.fromkeys(IDENTITY_COLUMNS, "") | {"uscc": draw(USCCS), "entity_type": "LIMITED"}
    row |= {"name_zh": draw(PRIVATE_TEXT), "name_en": draw(PRIVATE_TEXT)}
    for field in load_catalogue().entries[kind.value].columns:
        if field.type in OWN_WORDS:
            row[field.heading] = draw(PRIVATE_TEXT)
        elif field.type is ValueType.MONEY:
            # Six digits in hundredths of yuan at least, so that no amount can be taken for a year.
            row[field.heading] = f"{draw(st.integers(10**6, 10**12))}.{draw(st.integers(0, 99)):02d} HKD"
        elif field.type is ValueType.DAY and not field.ahead and field.name != "consented_on":
            row[field.heading] = draw(DAYS).isoformat()
    answer = admit(Row(2, row), OPENED[kind])
    assert isinstance(answer, Admitted), answer
    return answer.record.content


@given(contents(), st.data())
def test_a_rendition_tells_nothing_that_identifies(content: Content, data: st.DataObject) -> None:
    forms = sorted(renderable(content.KIND))
    granted = dict(data.draw(st.lists(st.sampled_from(forms), min_size=1)))
    rendered = render(content, granted, WORDS, TOKENS)
    shown = json.dumps(rendered, ensure_ascii=False)

    assert rendered.keys() == granted.keys()
    assert not set(shown) & set("甲乙丙丁戊己庚辛")
    assert content.identifiers[0].value not in shown
    assert content.identifiers[0].value[8:17] not in shown
    for value in map(content.__getitem__, content.__struct_fields__):
        if isinstance(value, date):
            assert value.isoformat() not in shown
        elif isinstance(value, Money):
            assert str(value.amount // 100) not in shown


@given(contents())
def test_every_rendition_passes_the_receivers_own_check(content: Content) -> None:
    for name, precision in renderable(content.KIND):
        rendered = render(content, {name: precision}, WORDS, TOKENS)
        assert check_deidentified(content.KIND.value, rendered, WORDS, "SZ-DRAFT-82") is None
        assert check_precision(content.KIND.value, rendered, {name: precision}, WORDS, "SZ-DRAFT-82") is None


@given(contents())
def test_stored_content_is_canonical_json_and_comes_back(content: Content) -> None:
    raw = encode_content(content)

    assert decode_content(content.KIND, raw) == content
    assert raw == canonical(msgspec.json.decode(raw))


@given(st.text())
def test_canonical_text_is_its_own_canonical_text(text: str) -> None:
    once = canonical_text(text)

    assert once is None or canonical_text(once) == once


@given(st.sampled_from(Scheme), st.text(max_size=24))
def test_any_text_is_an_identifier_or_a_problem_without_it(scheme: Scheme, text: str) -> None:
    found = parse_identifier(scheme, text)

    if isinstance(found, Identifier):
        assert parse_identifier(scheme, found.value) == found


@given(st.integers(0, 10**11), st.integers(0, 99), st.sampled_from(["CNY", "HKD", "USD"]))
def test_an_amount_written_out_is_read_back_exactly(whole: int, cents: int, currency: str) -> None:
    assert parse_money(f"{whole:,}.{cents:02d} {currency}") == Money(whole * 100 + cents, currency)


@given(st.text(max_size=40))
def test_any_text_is_an_amount_or_none(text: str) -> None:
    money = parse_money(text)

    assert money is None or 0 <= money.amount < 2**53


@given(st.sampled_from(ADMITTED), st.data())
def test_every_row_has_an_answer_and_the_same_one_twice(kind: Kind, data: st.DataObject) -> None:
    (row,) = sampled(kind)
    changes = data.draw(st.dictionaries(st.sampled_from(sorted(row)), st.text(max_size=40), max_size=3))
    answer = admit(Row(2, row | changes), OPENED[kind])

    assert isinstance(answer, Admitted | Rejected)
    assert admit(Row(2, row | changes), OPENED[kind]) == answer
    assert admit(Row(2, row | changes), intake(kind)) == answer  # whatever was read before


ODD_TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "", " ", "甲" * 201, "甲" * 401, "13800138000", "电话13800138000", "a@b.cn", "11010119900307457X",
            "SECRET", "INDIVIDUAL", "A1234567", "12345678", "F1234567", "true", "2031-01-01", "1998-06-18", "国家秘密",
        ]
    ),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ADMITTED), st.data())
def test_rows_read_together_have_the_answers_that_each_has_alone(kind: Kind, data: st.DataObject) -> None:
    sample = sampled(kind)[0]
    odd = st.dictionaries(st.sampled_from(sorted(sample)), ODD_TEXTS, max_size=3)
    left_out = st.sets(st.sampled_from(sorted(sample)), max_size=1)
    drawn = data.draw(st.lists(st.tuples(st.integers(0, 20), odd, left_out), max_size=8))
    rows = []
    for number, (start, changes, missing) in enumerate(drawn, 2):
        (row,) = sampled(kind, start)
        rows.append(Row(number, {name: text for name, text in (row | changes).items() if name not in missing}))

    alone = [admit(row, OPENED[kind]) for row in rows]
    admitted = [one for one in alone if isinstance(one, Admitted)]

    together = admit_all(rows, intake(kind))

    assert [*together.lot.each()] == [ready_of(one) for one in admitted]
    assert together.rejected == [one for one in alone if isinstance(one, Rejected)]
    assert admit_all(rows, OPENED[kind]) == together
    stored = rows_from_lot(together.lot, kind, Envelopes(OPENED[kind].shared))
    assert [*stored] == [row_from_admitted(one) for one in admitted]


@given(st.binary(max_size=400), st.sampled_from(Format))
def test_no_bytes_stop_the_reading(raw: bytes, form: Format) -> None:
    for row in read_rows(BytesIO(raw), form):
        assert isinstance(row, Row | BadRow)


def read_back(header: list[str], table: list[list[str]], *before: str) -> list[Row | BadRow]:
    """What is read of a CSV file with these rows, and with these lines before them."""
    lines = [",".join('"' + cell.replace('"', '""') + '"' for cell in record) for record in [header, *table]]
    text = "\r\n".join([lines[0], *before, *lines[1:]])
    return list(read_rows(BytesIO(text.encode()), Format.CSV))


@given(st.lists(st.lists(st.text('ab,"\n\r 深', max_size=6), min_size=2, max_size=2), max_size=8))
def test_what_is_written_as_csv_is_read_back(table: list[list[str]]) -> None:
    rows = read_back(["a", "b"], table)

    assert [list(row.values.values()) for row in rows if isinstance(row, Row)] == table


@given(st.lists(st.lists(st.text('ab,"\n\r 深', max_size=6), min_size=2, max_size=2), max_size=8))
def test_rows_are_the_same_whether_their_block_is_read_at_once_or_row_by_row(table: list[list[str]]) -> None:
    at_once = read_back(["a", "b"], table)
    odd, *one_by_one = read_back(["a", "b"], table, "a line of another width")

    assert isinstance(odd, BadRow)
    assert [row.values for row in one_by_one if isinstance(row, Row)] == [
        row.values for row in at_once if isinstance(row, Row)
    ]
    assert [row.number - 1 for row in one_by_one] == [row.number for row in at_once]


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(ADMITTED), st.data())
def test_rows_of_a_sheet_have_the_answers_of_rows_that_come_alone(kind: Kind, data: st.DataObject) -> None:
    names = sorted(sampled(kind)[0])
    odd = st.dictionaries(st.sampled_from(names), ODD_TEXTS, max_size=2)
    drawn = data.draw(st.lists(st.tuples(st.integers(0, 20), odd), min_size=1, max_size=6))
    table = [[(sampled(kind, start)[0] | changes)[name] for name in names] for start, changes in drawn]
    sheet = Sheet(2, Header(tuple(names)), tuple(zip(*table, strict=True)))

    assert [[*row.values.values()] for row in sheet] == table
    assert admit_all(sheet, intake(kind)) == admit_all([*sheet], OPENED[kind])


@given(st.integers(1, 9), st.integers(1, 9))
def test_a_sheet_that_is_parted_has_all_its_rows(count: int, most: int) -> None:
    sheet = Sheet(2, Header(("a", "b")), (list("abcdefghi")[:count], list("ABCDEFGHI")[:count]))

    first, rest = sheet.parted(most)

    assert len(first) == min(most, count)
    assert [row for part in (first, rest) if part is not None for row in part] == [*sheet]
