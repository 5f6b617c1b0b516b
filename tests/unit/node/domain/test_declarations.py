"""Rows of self-declarations: the subject's signature, then the institution's word, then the very row (S 20, 26)."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

import msgspec
import pytest

from agreements.attestation import Declared, OpenedAttestation, WaiverReason
from agreements.declaration import DECLARED, SelfDeclaration, sign_declaration
from agreements.refusal import Refusal
from crypto.keys import Purpose, SigningKey
from node.domain.attestations import Attested, ToAttest, attested_in
from node.domain.correction import correct
from node.domain.declarations import name_of, read_declarations
from node.domain.intake import Admitted, Rejected, admit
from node.domain.reading import Finding
from node.domain.records import Kind
from node.domain.rows import Row
from registry.errors import BadPack
from registry.norms.catalogue import Polarity, load_catalogue, read_catalogue
from registry.norms.entries import Condition
from registry.norms.packs import shipped
from tests.unit.agreements.test_attestation import ATTESTATION
from tests.unit.agreements.world import key_of
from tests.unit.node.domain.given import TODAY, intake
from tests.unit.node.domain.sampled import sampled

KIND = Kind.SELF_DECLARATION
KEY, ANOTHER = key_of("firm", Purpose.SUBJECT), key_of("another firm", Purpose.SUBJECT)
INTAKE = intake(KIND)
ROW, OTHER = ({**row, "statement": f"本企业的声明 {row['declaration_no']}"} for row in sampled(KIND, count=2))


def signed(row: dict[str, str], key: SigningKey = KEY, **changed: Any) -> bytes:
    """What the subject of a row signed of it."""
    said = taken(row)
    words: dict[str, Any] = {name: said.record.content[name] for name in DECLARED}
    declaration = SelfDeclaration(
        **words, key=key.public.raw.hex(), subject=name_of(said.subject.identifiers[0]), suite=1
    )
    return sign_declaration(msgspec.structs.replace(declaration, **changed), key)


def naming(row: dict[str, str], raw: bytes) -> dict[str, str]:
    """The row with the digest of its signed document."""
    (digest,) = read_declarations([raw], "P@1")
    return {**row, "attestation": digest}


def taken(row: dict[str, str], attested: Attested | None = None) -> Admitted:
    answer = decided(row, attested)
    assert isinstance(answer, Admitted), answer
    return answer


def decided(row: dict[str, str], attested: Attested | None) -> Admitted | Rejected:
    return admit(Row(2, row), replace(INTAKE, attested=attested))


def refused(row: dict[str, str], attested: Attested) -> tuple[Refusal, str]:
    answer = decided(row, attested)
    assert isinstance(answer, Rejected), answer
    return answer.reason, answer.problem.field


def attested(rows: Iterable[dict[str, str]], documents: Iterable[bytes], key: SigningKey = KEY) -> Attested:
    """What an institution attests that knows this key to be that of every row's subject."""
    found = [taken(row) for row in rows]
    declarations = [
        Declared(
            content=one.record.content_digest.hex(),
            key=key.public.raw.hex(),
            subject=name_of(one.subject.identifiers[0]),
        )
        for one in found
    ]
    word = msgspec.structs.replace(ATTESTATION, declarations=tuple(declarations))
    return attested_in([OpenedAttestation(attestation=word, digest=b"")], read_declarations(documents, "P@1"))


DOCUMENT = signed(ROW)
GOOD = naming(ROW, DOCUMENT)
COVERED = attested([GOOD], [DOCUMENT])


def test_a_row_that_its_subject_signed_and_an_institution_attests_is_taken_in() -> None:
    assert taken(GOOD, COVERED) == taken(GOOD)


def test_without_the_signed_document_the_institution_s_word_alone_is_not_enough() -> None:
    assert refused(GOOD, attested([GOOD], [])) == (Refusal.ATTESTATION_MISSING, "attestation")


def test_without_the_institution_s_word_the_subject_s_signature_alone_is_not_enough() -> None:
    nobody = Attested(signed=read_declarations([DOCUMENT], "P@1"))

    assert refused(GOOD, nobody) == (Refusal.ATTESTATION_MISSING, "attestation")


def test_a_document_with_a_flipped_bit_spoils_its_own_row_and_no_other() -> None:
    altered = DOCUMENT[:-20] + bytes([DOCUMENT[-20] ^ 1]) + DOCUMENT[-19:]
    second = signed(OTHER)
    rows = naming(ROW, altered), naming(OTHER, second)
    covered = attested(rows, [altered, second])

    assert refused(rows[0], covered) == (Refusal.SIGNATURE_INVALID, "attestation")
    assert taken(rows[1], covered) == taken(rows[1])


def test_another_key_than_the_attested_one_signs_for_nobody() -> None:
    by_another = signed(ROW, ANOTHER)
    row = naming(ROW, by_another)

    assert refused(row, attested([row], [by_another])) == (Refusal.ATTESTATION_MISSING, "attestation")
    assert taken(row, attested([row], [by_another], ANOTHER)) == taken(row)


def test_a_declaration_of_one_subject_is_not_replayed_for_another() -> None:
    elsewhere = {**GOOD, "uscc": "91440300MA5TERT15Q", "hk_brn": "", "hk_cr": "", "mo_tin": "", "mo_cr": "", "lei": ""}

    assert refused(elsewhere, attested([elsewhere], [DOCUMENT])) == (Refusal.ATTESTATION_MISSING, "subject")
    assert refused(elsewhere, COVERED) == (Refusal.ATTESTATION_MISSING, "subject")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("declaration_no", "2026-8"),
        ("topic_code", "FINANCE"),
        ("statement", "本企业从未受到处罚"),
        ("statement", ""),
        ("declared_on", "2020-01-01"),
        ("consent_until", "2026-12-31"),
    ],
)
def test_a_row_says_word_by_word_what_was_signed_whoever_attests_it(column: str, value: str) -> None:
    row = {**GOOD, column: value}
    assert taken(row) != taken(GOOD)

    assert refused(row, attested([row], [DOCUMENT])) == (Refusal.ATTESTATION_MISSING, column)


def test_what_the_subject_does_not_sign_is_covered_by_the_attestation_alone() -> None:
    assert refused({**GOOD, "consent": "0a" * 32}, COVERED) == (Refusal.ATTESTATION_MISSING, "attestation")


def test_a_declaration_whose_time_is_over_is_taken_in_no_more() -> None:
    row = {**ROW, "consented_on": "2026-01-01", "consent_until": TODAY.isoformat()}
    document = signed(row)
    good = naming(row, document)
    tomorrow = date.fromordinal(TODAY.toordinal() + 1)
    later = replace(INTAKE.plan.measure, today=tomorrow)

    covered = attested([good], [document])
    assert taken(good, covered) == taken(good)
    after = replace(INTAKE, attested=covered, plan=replace(INTAKE.plan, measure=later))
    answer = admit(Row(2, good), after)
    assert isinstance(answer, Rejected)
    assert (answer.reason, answer.problem.field) == (Refusal.CONSENT_EXPIRED, "consent_until")


def test_an_institution_attests_only_what_is_signed_by_the_key_it_knows() -> None:
    subject, record = (one := taken(GOOD)).subject, INTAKE.declared(one.record)
    signatures, name = read_declarations([DOCUMENT], "P@1"), name_of(subject.identifiers[0])

    def findings(**known: Any) -> Finding | None:
        return ToAttest(**known).take(subject, record, WaiverReason.ISSUED_SO)

    unsigned = findings(keys={name: frozenset({KEY.public.raw.hex()})})
    unknown = findings(signed=signatures)
    another = findings(signed=signatures, keys={name: frozenset({ANOTHER.public.raw.hex()})})
    assert {one.reason for one in (unsigned, unknown, another) if one} == {Refusal.ATTESTATION_MISSING}
    assert unsigned is not None
    assert unknown == another is not None
    assert findings(signed=signatures, keys={name: frozenset({KEY.public.raw.hex()})}) is None


def test_what_a_subject_signed_is_corrected_by_nobody_else() -> None:
    record = taken(GOOD).record
    for column in (*DECLARED[1:3], "attestation"):
        text = {"topic_code": "FINANCE", "attestation": "0a" * 32}.get(column, "别的话")
        answer = correct(record, {column: text}, INTAKE)
        assert isinstance(answer, Rejected)
        assert (answer.reason, answer.problem.field) == (Refusal.ATTESTATION_MISSING, column)


def test_a_self_declaration_is_never_negative_information_and_says_that_nobody_verified_it() -> None:
    entry = load_catalogue().entries[KIND.value]

    assert (entry.polarity, entry.negative_category) == (Polarity.NEUTRAL, None)
    assert "未经核实" in entry.name_zh
    assert "not verified" in entry.name_en
    assert taken(GOOD, COVERED).record.negative_category is None


def test_no_catalogue_makes_what_a_subject_declares_negative() -> None:
    text = shipped("catalogue", "SZ-2026")
    adverse = [kind for kind, one in load_catalogue().entries.items() if one.polarity is Polarity.ADVERSE]
    at = text.index("[entries.201]")
    asking = text[:at] + text[at:].replace("polarity", 'conditions = ["ATTESTED"]\npolarity', 1)

    assert all(Condition.ATTESTED not in load_catalogue().entries[kind].conditions for kind in adverse)
    with pytest.raises(BadPack, match="polarity"):
        read_catalogue(asking)
