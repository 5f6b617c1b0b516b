"""Laws of intake and de-identification that hold for every row."""

import json
from datetime import date
from io import BytesIO

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from crypto.canonical import canonical
from node.domain.check_digits import ALPHABET, organisation_check, unified_check
from node.domain.deidentified import check_deidentified
from node.domain.identifiers import Identifier, Scheme, canonical_text, parse_identifier
from node.domain.intake import Admitted, Rejected, admit
from node.domain.money import Money, parse_money
from node.domain.records import (
    Kind,
    PenaltyContent,
    RegistrationContent,
    decode_content,
    encode_content,
)
from node.domain.rendition import render, renderable
from node.domain.rows import BadRow, Format, Row, read_rows
from node.domain.vocabulary import load_vocabulary
from tests.unit.node.domain.given import PENALTY, REGISTRATION, intake

WORDS = load_vocabulary()
OPENED = {kind: intake(kind) for kind in Kind}
DAYS = st.dates(date(1900, 1, 1), date(2026, 11, 1))
# Letters that no code, band or region is written with, so that finding one of them in a rendition is a leak.
PRIVATE_TEXT = st.text(st.sampled_from("甲乙丙丁戊己庚辛"), min_size=1, max_size=30)
SERIALS = st.text(st.sampled_from(ALPHABET), min_size=6, max_size=6)
ORIGINS = st.sampled_from(["91440300MA", "51440300MJ", "N2440300MF", "91110000MA"])


AMOUNTS = st.builds(Money, st.integers(10**6, 10**14), st.sampled_from(["CNY", "HKD", "USD"]))


def code_of(origin: str, serial: str) -> str:
    organisation = origin[8:] + serial
    body = origin[:8] + organisation + organisation_check(organisation)
    return body + unified_check(body)


USCCS = st.builds(code_of, ORIGINS, SERIALS)
IDENTIFIERS = st.builds(Identifier, st.just(Scheme.CN_USCC), USCCS).map(lambda one: (one,))


def maybe(codes: frozenset[str]) -> st.SearchStrategy[str | None]:
    return st.none() | st.sampled_from(sorted(codes))


REGISTRATIONS = st.builds(
    RegistrationContent,
    identifiers=IDENTIFIERS,
    name_zh=PRIVATE_TEXT,
    name_en=PRIVATE_TEXT,
    entity_type_code=maybe(WORDS.entity_types - WORDS.natural_person),
    established_on=DAYS,
    capital=AMOUNTS,
    industry_section=maybe(WORDS.industry_sections),
    region_code=maybe(WORDS.regions),
    address=PRIVATE_TEXT,
    status_code=maybe(WORDS.statuses),
    valid_until=st.none() | DAYS,
    has_lei=st.booleans(),
)
PENALTIES = st.builds(
    PenaltyContent,
    identifiers=IDENTIFIERS,
    name_zh=PRIVATE_TEXT,
    name_en=PRIVATE_TEXT,
    decision_no=PRIVATE_TEXT,
    facts=PRIVATE_TEXT,
    legal_basis_code=maybe(WORDS.legal_bases),
    penalty_types=st.frozensets(st.sampled_from(sorted(WORDS.penalty_types)), min_size=1).map(
        lambda x: tuple(sorted(x))
    ),
    amount=AMOUNTS,
    decided_on=DAYS,
    authority_name=PRIVATE_TEXT,
    authority_class=st.sampled_from(sorted(WORDS.authority_classes)),
    authority_level=st.sampled_from(sorted(WORDS.authority_levels)),
    performed=st.none() | st.booleans(),
    minor_circumstances=st.just(False),
    small_impact=st.booleans(),
    liability_borne=st.booleans(),
    legal_form_ref=PRIVATE_TEXT,
)
CONTENTS = st.one_of(st.tuples(st.just(Kind.REGISTRATION), REGISTRATIONS), st.tuples(st.just(Kind.PENALTY), PENALTIES))


@given(CONTENTS, st.data())
def test_a_rendition_tells_nothing_that_identifies(
    made: tuple[Kind, RegistrationContent | PenaltyContent], data: st.DataObject
) -> None:
    kind, content = made
    forms = sorted(renderable(kind))
    granted = dict(data.draw(st.lists(st.sampled_from(forms), min_size=1)))
    rendered = render(content, granted, WORDS)
    shown = json.dumps(rendered, ensure_ascii=False)
    day = content.decided_on if isinstance(content, PenaltyContent) else content.established_on
    money = content.amount if isinstance(content, PenaltyContent) else content.capital

    assert rendered.keys() == granted.keys()
    assert not set(shown) & set("甲乙丙丁戊己庚辛")
    assert content.identifiers[0].value not in shown
    assert content.identifiers[0].value[8:17] not in shown
    assert day is not None
    assert day.isoformat() not in shown
    assert money is not None
    assert str(money.amount // 100) not in shown  # five digits at least, so it is no year


@given(CONTENTS)
def test_every_rendition_passes_the_receivers_own_check(
    made: tuple[Kind, RegistrationContent | PenaltyContent],
) -> None:
    kind, content = made

    for name, precision in renderable(kind):
        rendered = render(content, {name: precision}, WORDS)
        assert check_deidentified(kind.value, rendered, WORDS, "SZ-DRAFT-82") is None


@given(CONTENTS)
def test_stored_content_is_canonical_json_and_comes_back(
    made: tuple[Kind, RegistrationContent | PenaltyContent],
) -> None:
    kind, content = made
    raw = encode_content(content)

    assert decode_content(kind, raw) == content
    assert raw == canonical(msgspec.to_builtins(content))


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


@given(st.sampled_from(Kind), st.data())
def test_every_row_has_an_answer_and_the_same_one_twice(kind: Kind, data: st.DataObject) -> None:
    row = REGISTRATION if kind is Kind.REGISTRATION else PENALTY
    changes = data.draw(st.dictionaries(st.sampled_from(sorted(row)), st.text(max_size=40), max_size=3))
    answer = admit(Row(2, row | changes), OPENED[kind])

    assert isinstance(answer, Admitted | Rejected)
    assert admit(Row(2, row | changes), OPENED[kind]) == answer


@given(st.binary(max_size=400), st.sampled_from(Format))
def test_no_bytes_stop_the_reading(raw: bytes, form: Format) -> None:
    for row in read_rows(BytesIO(raw), form):
        assert isinstance(row, Row | BadRow)


@given(st.lists(st.lists(st.text('ab,"\n\r 深', max_size=6), min_size=2, max_size=2), max_size=8))
def test_what_is_written_as_csv_is_read_back(table: list[list[str]]) -> None:
    lines = ["a,b"] + [",".join('"' + cell.replace('"', '""') + '"' for cell in record) for record in table]
    rows = list(read_rows(BytesIO("\r\n".join(lines).encode()), Format.CSV))

    assert [list(row.values.values()) for row in rows if isinstance(row, Row)] == table
