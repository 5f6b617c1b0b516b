"""The sample generator: repeatable, admissible, and without a code given twice."""

from itertools import islice

from node.domain.identifiers import Identifier, Remark, Scheme, parse_identifier
from node.domain.intake import Admitted, admit
from node.domain.records import Kind
from node.domain.rows import Row
from node.domain.sample import sample_enterprises
from node.domain.sample_records import sample_records
from tests.unit.node.domain.given import TODAY, intake

ROWS = list(sample_enterprises(7, 3000, TODAY))


def test_one_seed_gives_one_sample_and_another_gives_another() -> None:
    assert list(islice(sample_enterprises(7, 100, TODAY), 100)) == ROWS[:100]
    assert list(sample_enterprises(8, 100, TODAY)) != ROWS[:100]


def test_every_enterprise_is_admitted_and_is_another_subject() -> None:
    answers = [admit(Row(number, row), intake(Kind.REGISTRATION)) for number, row in enumerate(ROWS)]
    admitted = [answer for answer in answers if isinstance(answer, Admitted)]

    assert len(admitted) == len(ROWS)
    assert len({answer.subject.identifiers for answer in admitted}) == len(ROWS)


def test_several_registers_are_met_and_no_code_is_doubtful() -> None:
    codes = [row["uscc"] for row in ROWS if row["uscc"]]
    parsed = [parse_identifier(Scheme.CN_USCC, code) for code in codes]

    assert {code[:2] for code in codes} == {"91", "51", "52", "N2", "Y1"}
    assert any(row["hk_cr"] for row in ROWS)
    assert any(row["mo_tin"] for row in ROWS)
    assert not any(Remark.ORGANISATION_CHECK in one.remarks for one in parsed if isinstance(one, Identifier))


def test_every_penalty_is_admitted_and_some_are_past_their_period() -> None:
    rows = sample_records(Kind.PENALTY, 7, ROWS, 1000, TODAY)
    answers = [admit(Row(number, row), intake(Kind.PENALTY)) for number, row in enumerate(rows)]
    ends = [answer.record.disclose_until for answer in answers if isinstance(answer, Admitted)]
    past = sum(end is not None and end <= TODAY for end in ends)

    assert len(ends) == 1000
    assert 250 < past < 500
