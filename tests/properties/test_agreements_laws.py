"""Laws of agreements that hold for every order of documents, every question and every moment."""

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from agreements.agreement import State, fold, state_at
from agreements.documents import propose
from agreements.permission import (
    Facts,
    Granted,
    Item,
    Question,
    decide_query,
)
from agreements.refusal import NUMBER, Refused
from registry.parties import PartyClass
from registry.snapshot import Standing
from tests.unit.agreements.world import (
    AGENCY,
    BANK,
    CATALOGUE,
    DIGEST,
    END,
    FACTS,
    FILED_AT,
    HK,
    ITEM,
    NOON,
    PSEUDONYM,
    QUESTION,
    RULES,
    SNAPSHOT,
    START,
    TERMS,
    both_signed,
    ended,
    filed,
    folded,
    key_of,
    terms_with,
)

RIVAL = terms_with(title="Rival")
DOCUMENTS = (
    propose(TERMS, key_of(AGENCY)),
    propose(TERMS, key_of(BANK)),
    both_signed(),
    both_signed(RIVAL),
    filed(),
    filed(at=FILED_AT + timedelta(hours=1), number="SZ-2026-2"),
    filed(RIVAL),
    ended(AGENCY, NOON),
    ended(BANK, NOON + timedelta(days=1)),
    ended(BANK, NOON, terms=RIVAL),
    b"not a document",
)

moments = st.datetimes(START.replace(tzinfo=None), END.replace(tzinfo=None)).map(
    lambda at: at.replace(microsecond=0, tzinfo=START.tzinfo)
)
documents = st.lists(st.sampled_from(DOCUMENTS), max_size=14)
kinds = st.sampled_from(["101", "201", "403"])
names = st.sampled_from(["capital_band", "established", "status_code", "decision", "region", "name_zh"])
asked = st.dictionaries(kinds, st.frozensets(names, max_size=4), max_size=3)
questions = st.builds(
    Question,
    peer=st.sampled_from([BANK, HK]),
    agreement=st.sampled_from([DIGEST, bytes(32)]),
    epoch=st.integers(0, 3),
    purpose=st.sampled_from([*sorted(RULES.purposes_abroad.value), "OTHER"]),
    asked=asked,
    batch=st.booleans(),
    batch_size=st.integers(1, 60),
)
items = st.builds(
    Item,
    pseudonym=st.sampled_from([PSEUDONYM, bytes(16)]),
    authorisation=st.sampled_from([None, ITEM.authorisation]),
    place=st.integers(0, 12),
)


situations = st.builds(
    lambda chosen, standing, party_class, fresh: replace(
        FACTS,
        agreement=fold(chosen, SNAPSHOT, RULES),
        peer=standing,
        peer_class=party_class,
        registry_fresh=fresh,
    ),
    documents,
    st.sampled_from(Standing),
    st.sampled_from(PartyClass),
    st.booleans(),
)


@given(chosen=documents, order=st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_order_and_repetition_of_documents_change_nothing(chosen: list[bytes], order: Random) -> None:
    shuffled = [*chosen, *chosen[:2]]
    order.shuffle(shuffled)

    assert fold(shuffled, SNAPSHOT, RULES) == fold(chosen, SNAPSHOT, RULES)


@given(chosen=documents, at=moments)
@settings(max_examples=60, deadline=None)
def test_termination_dominates_whatever_else_is_there(chosen: list[bytes], at: datetime) -> None:
    agreement = folded(*[one for one in chosen if one != DOCUMENTS[3]], both_signed(), ended(AGENCY, START))

    assert agreement.digest == DIGEST
    assert state_at(agreement, at) is State.TERMINATED


@given(chosen=documents, at=moments)
@settings(max_examples=60, deadline=None)
def test_one_more_filing_never_turns_granted_into_refused(chosen: list[bytes], at: datetime) -> None:
    own = [one for one in chosen if one not in {DOCUMENTS[3], DOCUMENTS[6]}]
    before = fold(own, SNAPSHOT, RULES)
    after = fold([*own, filed(number="SZ-2026-3")], SNAPSHOT, RULES)

    was = decide_query(QUESTION, ITEM, replace(FACTS, agreement=before), at)
    now = decide_query(QUESTION, ITEM, replace(FACTS, agreement=after), at)

    assert not isinstance(was, Granted) or now == was


@given(question=questions, item=items, facts=situations, at=moments)
@settings(max_examples=300, deadline=None)
def test_every_question_gets_an_answer(question: Question, item: Item, facts: Facts, at: datetime) -> None:
    answer = decide_query(question, item, facts, at)

    if isinstance(answer, Refused):
        assert answer.reason in NUMBER
        assert answer.rule_pack == RULES.reference
    else:
        assert facts.registry_fresh
        assert facts.peer is Standing.ADMITTED
        assert answer.fields.keys() == question.asked.keys()


@given(extra=names, kind=kinds)
def test_a_field_outside_the_agreement_refuses_the_whole_question(extra: str, kind: str) -> None:
    wanted = {"101": frozenset({"capital_band"}), kind: frozenset({"capital_band", extra})}
    agreed = TERMS.precisions

    answer = decide_query(replace(QUESTION, asked=wanted), ITEM, FACTS, NOON)

    inside = kind in agreed and {"capital_band", extra} <= agreed[kind].keys()
    assert isinstance(answer, Granted) is inside


@given(question=questions, at=moments)
@settings(max_examples=200, deadline=None)
def test_whatever_is_granted_is_in_agreement_and_catalogue(question: Question, at: datetime) -> None:
    answer = decide_query(question, ITEM, FACTS, at)

    if isinstance(answer, Granted):
        for kind, fields in answer.fields.items():
            for name, precision in fields.items():
                assert TERMS.precisions[kind][name] is precision
                assert CATALOGUE.allows(kind, name, precision)
