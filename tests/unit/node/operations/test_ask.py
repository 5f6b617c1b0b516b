"""The bank asks: plans once, sends the same bytes after a crash, and accepts nothing that is not as it must be."""

from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from agreements.consent import Consent, SubjectName, attest
from agreements.refusal import Refused
from crypto import commitment, envelope
from crypto.commitment import Rendition, Value, make_rendition
from crypto.keys import Purpose, SigningKey
from node.domain.identifiers import Identifier, Scheme
from node.domain.jobs import JobKind
from node.domain.operators import SigningOperator
from node.domain.receipts import Receipt, Stage
from node.domain.records import Kind
from node.operations.accept_answers import Arrived, note_refusals
from node.operations.ask import (
    ItemRefused,
    PlannedSubject,
    Question,
    Target,
    chunks,
    plan_query,
    unknown_subjects,
)
from node.operations.operators import NotAllowed
from node.operations.ports import UnitOfWork
from registry.parties import PartyId
from tests.fakes.asking import (
    Forger,
    accepted,
    answered,
    arrived,
    evaluated,
    payload,
    planned,
    prepared,
)
from tests.fakes.exchange import (
    ALL_FIELDS,
    OTHERS,
    PURPOSE,
    QUOTAS,
    REGISTRATIONS,
    SHOWN,
    SHOWN_ABROAD,
    crowd_of,
    filed,
    identifier,
    load,
    pseudonym,
    reasons,
    terms,
)
from tests.fakes.members import LAW, Member
from tests.fakes.world import AGENCY, HK, World


def inbox(world: World) -> int:
    """Frames that the bank keeps."""
    return len(world.bank.read(lambda work: work.received_frames.headers(AGENCY, 1_000)))


def receipts(world: World) -> list[Receipt]:
    """Receipts that wait to be sent."""
    due = world.bank.read(lambda work: work.outbox.due(world.clock() + timedelta(days=1), 100))
    return [msgspec.json.decode(job.payload, type=Receipt) for job in due if job.kind is JobKind.RECEIPTS]


def test_a_question_becomes_one_job_under_the_operators_signature(world: World) -> None:
    number, plan = planned(world, SHOWN)

    job = world.bank.read(lambda work: work.outbox.find(number))
    written = world.bank.journal()[-1]
    assert job is not None
    assert (job.kind, job.peer) == (JobKind.QUERY, AGENCY)
    assert plan.subjects == (PlannedSubject(scheme=SHOWN.scheme.value, value=SHOWN.value),)
    assert (plan.batch, plan.prepared, plan.epoch) == (False, False, 1)
    assert written.told == ("query.asked", "")
    assert (written.detail["count"], written.detail["purpose"]) == (1, PURPOSE)
    assert SHOWN.value not in repr(plan)


def test_each_query_is_ordered_for_itself(world: World) -> None:
    """Also in the same second, and with the same subjects: an order is for one query, and says nothing about whom."""
    orders = []
    for _ in range(2):
        planned(world, SHOWN)
        orders.append(world.bank.journal()[-1].detail["order"])

    assert len(set(orders)) == 2


def test_whoever_is_no_operator_here_asks_nothing(world: World) -> None:
    bank = world.bank
    stranger = SigningOperator(name="alice", key=SigningKey(Purpose.OPERATOR, b"\x0b" * 32))
    asked = Question(
        subjects=[SHOWN], purpose=PURPOSE, asked=ALL_FIELDS, batch=False, patience=timedelta(seconds=9),
        rule_pack=LAW.rules.reference,
    )  # fmt: skip
    target = Target.of(world.agreement(), world.clock())
    before = len(bank.journal())

    refused = bank.write(lambda work: plan_query(work, asked, target, stranger, bank.context))

    assert isinstance(refused, NotAllowed)
    assert len(bank.journal()) == before
    assert bank.read(lambda work: work.outbox.due(world.clock(), 10)) == []


@pytest.mark.parametrize(("scheme", "code"), [(Scheme.CN_USCC, "92440300MA5TERT31B"), (Scheme.MO_TIN, "00000001")])
def test_nobody_asks_about_a_natural_person_not_even_blinded(world: World, scheme: Scheme, code: str) -> None:
    bank = world.bank
    asked = Question(
        subjects=[SHOWN, identifier(scheme, code)], purpose=PURPOSE, asked=ALL_FIELDS, batch=True,
        patience=timedelta(seconds=9), rule_pack=LAW.rules.reference,
    )  # fmt: skip
    target = Target.of(world.agreement(), world.clock())
    before = len(bank.journal())

    refused = bank.write(lambda work: plan_query(work, asked, target, bank.operator, bank.context))

    assert isinstance(refused, Refused)
    assert (refused.reason, refused.article, refused.rule_pack) == (
        *("NATURAL_PERSON_SUBJECT", "S 14"), LAW.rules.reference,
    )  # fmt: skip
    assert "subject 2" in refused.detail
    assert code not in refused.detail
    assert len(bank.journal()) == before
    assert bank.read(lambda work: work.outbox.due(world.clock(), 10)) == []


def test_an_agreement_out_of_its_time_is_asked_about_under_its_last_epoch(world: World) -> None:
    later = world.clock() + timedelta(days=1_000)

    assert Target.of(world.agreement(), later).epoch == world.agreement().terms.epochs[-1].number == 2


def test_each_unknown_subject_is_evaluated_once_in_an_epoch(world: World) -> None:
    _, plan = planned(world, SHOWN, OTHERS[0])
    first = world.bank.read(lambda work: unknown_subjects(work, plan))
    evaluated(world, plan)
    _, again = planned(world, SHOWN, OTHERS[1])

    assert [one.value for one in first] == [SHOWN.value, OTHERS[0].value]
    assert [one.value for one in world.bank.read(lambda work: unknown_subjects(work, again))] == [OTHERS[1].value]


def test_subjects_are_evaluated_two_hundred_at_a_time() -> None:
    subjects = [PlannedSubject(scheme="HK-CR", value=f"{number:07d}") for number in range(401)]

    portions = chunks(subjects)

    assert [len(one) for one in portions] == [200, 200, 1]
    assert [one for portion in portions for one in portion] == subjects
    assert chunks([]) == []


def test_a_single_question_is_one_message_with_an_authorisation_for_its_subject(world: World) -> None:
    (message,) = prepared(world, SHOWN).messages

    assert [(one.subject, one.pseudonym) for one in message.items] == [(0, pseudonym(world, SHOWN).hex())]
    assert message.checkpoint == b"head"
    assert message.items[0].consent is not None
    assert reasons([answered(world, prepared(world, SHOWN), message)]) == ["Answered"]


def test_a_batch_is_cut_into_messages_of_the_agreed_size(world: World) -> None:
    subjects = (SHOWN, SHOWN_ABROAD, *OTHERS)

    plan = prepared(world, *subjects)

    assert [len(one.items) for one in plan.messages] == [QUOTAS.batch_size, len(subjects) - QUOTAS.batch_size]
    assert [item.subject for one in plan.messages for item in one.items] == list(range(len(subjects)))
    assert len({one.request for one in plan.messages}) == len(plan.messages)


def test_the_messages_are_kept_before_anything_is_sent(world: World) -> None:
    number, plan = planned(world, SHOWN)
    evaluated(world, plan)
    assert payload(world, number).messages == ()

    ready = prepared(world, SHOWN)

    kept = [payload(world, one) for one in range(1, 10) if _exists(world, one)]
    assert ready in kept
    assert ready.prepared


def _exists(world: World, number: int) -> bool:
    job = world.bank.read(lambda work: work.outbox.find(number))
    return job is not None and job.kind is JobKind.QUERY


def test_a_subject_without_a_consent_is_asked_about_without_an_authorisation_and_home_says_why_not(
    world: World,
) -> None:
    plan = prepared(world, identifier(SHOWN_ABROAD.scheme, "9999999"))
    (message,) = plan.messages

    assert (message.items[0].authorisation, message.items[0].consent) == (b"", None)
    assert reasons([answered(world, plan, message)]) == ["AUTHORISATION_MISSING"]


def test_a_consent_that_ran_out_carries_no_question(world: World) -> None:
    world.wait(days=171)

    (message,) = prepared(world, SHOWN).messages

    assert message.items[0].authorisation == b""


@pytest.mark.parametrize(
    ("warned", "kind", "carried"), [(False, "502", False), (True, "502", True), (False, "101", True)]
)
def test_a_consent_from_elsewhere_that_was_kept_without_the_warning_carries_no_grave_question(
    world: World, kind: str, *, warned: bool, carried: bool
) -> None:
    """As an older program left it in the database, or somebody put it there: it is looked at again with each use."""
    subject = identifier(SHOWN_ABROAD.scheme, "7654321")
    keep(world, subject, adverse_warning=warned)

    (message,) = prepared(world, subject, asked={kind: frozenset()}).messages

    assert (message.items[0].authorisation != b"", message.items[0].consent is not None) == (carried, carried)


def keep(world: World, subject: Identifier, **changed: object) -> None:
    """Put a consent of the bank to registrations and credit facilities into its database, by nobody's rules."""
    bank = world.bank
    *_, (_, row) = bank.read(lambda work: work.consents.page(0, 1_000))
    known = envelope.read_payload(envelope.parse(row.raw, "consent"), Consent)
    name = SubjectName(scheme=subject.scheme.value, value=subject.value)
    kept = msgspec.structs.replace(known, consent="0d" * 16, subject=name, kinds=("101", "502"), **changed)
    raw = attest(kept, bank.context.keys.document)
    where = {"consent": bytes.fromhex(kept.consent), "scheme": name.scheme, "value": name.value}
    wanted = msgspec.structs.replace(row, raw=raw, **where)
    with bank.store.write() as work:
        work.consents.add(wanted)
        work.commit()


def test_a_given_frame_is_kept_with_its_copies_and_receipted(world: World) -> None:
    plan = prepared(world, SHOWN)
    (message,) = plan.messages
    frame = arrived(message, answered(world, plan, message))

    kept = accepted(world, message, frame)

    assert isinstance(kept, bytes)
    stored = world.bank.read(lambda work: work.received_frames.find(kept))
    copies = world.bank.read(lambda work: work.received_frames.copies(kept))
    written = world.bank.journal()[-1]
    assert stored is not None
    assert (stored.header, stored.sender) == (frame.header, AGENCY)
    assert stored.commitments == b"".join(commitment.commitment(commitment.decode(one.rendition)) for one in copies)
    assert sorted(one.kind for one in copies) == ["101", "201"]
    assert {one.keep_until for one in copies} == {world.clock() + timedelta(days=90)}
    assert {one.pseudonym for one in copies} == {pseudonym(world, SHOWN)}
    assert written.told == ("frame.received", "RECEIVED")
    (receipt,) = receipts(world)
    assert (receipt.frame, receipt.stage) == (kept.hex(), Stage.RECEIVED)
    assert (receipt.header, receipt.journal_leaf) == (stored.header_digest.hex(), written.leaf.hex())


def test_a_copy_ends_with_the_time_in_which_home_may_show_it_if_that_is_earlier(world: World) -> None:
    """S 31: home shows it until 20 July, and says so by the month; copies are agreed to be kept for 90 days."""
    ending = REGISTRATIONS[0] | {"valid_until": "2026-07-20"}
    load(world, Kind.REGISTRATION, ending, *crowd_of(ending))
    plan = prepared(world, SHOWN)
    (message,) = plan.messages

    kept = accepted(world, message, arrived(message, answered(world, plan, message)))

    assert isinstance(kept, bytes)
    copies = world.bank.read(lambda work: work.received_frames.copies(kept))
    assert {one.kind: one.keep_until for one in copies} == {
        "101": datetime(2026, 6, 30, 16, tzinfo=UTC),
        "201": world.clock() + timedelta(days=90),
    }


def test_the_receipt_arrives_at_home_and_stands_at_the_frame(world: World) -> None:
    plan = prepared(world, SHOWN)
    (message,) = plan.messages
    accepted(world, message, arrived(message, answered(world, plan, message)))

    assert world.deliver(world.bank) == [None]
    ((_, _, receipted_at),) = world.agency.read(lambda work: work.sent_frames.page(0, 10))
    assert receipted_at == world.clock()


def test_the_same_frame_twice_is_kept_and_receipted_once(world: World) -> None:
    plan = prepared(world, SHOWN)
    (message,) = plan.messages
    frame = arrived(message, answered(world, plan, message))
    first = accepted(world, message, frame)
    before = len(world.bank.journal())

    assert accepted(world, message, frame) == first
    assert (inbox(world), len(receipts(world)), len(world.bank.journal())) == (1, 1, before)


def test_another_frame_under_the_id_of_one_that_is_held_is_refused(world: World) -> None:
    plan = prepared(world, SHOWN)
    (message,) = plan.messages
    given = answered(world, plan, message)
    accepted(world, message, arrived(message, given))

    other = accepted(world, message, Forger.of(world, given).frame([]))

    assert isinstance(other, Refused)
    assert other.reason.value == "REPLAYED"
    assert world.bank.journal()[-1].told == ("frame.received", "REPLAYED")
    assert (inbox(world), len(receipts(world))) == (1, 1)


def test_nothing_is_accepted_of_a_subject_that_home_says_it_refused(world: World) -> None:
    plan = prepared(world, SHOWN)
    (message,) = plan.messages
    forged = Forger.of(world, answered(world, plan, message)).frame(authorisation=None)

    kept = accepted(world, message, replace(forged, refused=frozenset({0})))

    assert isinstance(kept, Refused)
    assert kept.reason.value == "AGREEMENT_SCOPE"


def test_an_empty_frame_is_receipted_too(world: World) -> None:
    plan = prepared(world, identifier(SHOWN_ABROAD.scheme, "3456789"))
    (message,) = plan.messages

    kept = accepted(world, message, arrived(message, answered(world, plan, message)))

    assert isinstance(kept, bytes)
    assert world.bank.read(lambda work: work.received_frames.copies(kept)) == []
    assert [one.frame for one in receipts(world)] == [kept.hex()]


def _values(one: Rendition, **changed: Value) -> Rendition:
    return make_rendition(one.header, one.values() | changed, bytes)


def _headed(one: Rendition, **changed: object) -> Rendition:
    return make_rendition(msgspec.structs.replace(one.header, **changed), one.values(), bytes)


def _altered(forger: Forger, **changed: object) -> Arrived:
    """A header altered after it was signed."""
    frame = forger.frame()
    signed = msgspec.json.decode(frame.header)
    inner = msgspec.json.decode(b64decode(signed["payload"])) | changed
    signed["payload"] = b64encode(msgspec.json.encode(inner, order="sorted")).decode()
    return replace(frame, header=msgspec.json.encode(signed))


def _flipped(frame: Arrived) -> Arrived:
    return replace(frame, body=bytes([frame.body[0] ^ 1]) + frame.body[1:])


def _registration(forger: Forger) -> Rendition:
    return next(one for one in forger.shown if one.header.kind == "101")


def _key(member: Member, purpose: Purpose = Purpose.FRAME) -> SigningKey:
    return SigningKey(purpose, member.part.secret(purpose))


FORGED: dict[str, tuple[str, Callable[[Forger], Arrived]]] = {
    "for another request": ("REPLAYED", lambda f: f.frame(request="ab" * 32)),
    "naming another authorisation": ("REPLAYED", lambda f: f.frame(authorisation="ab" * 32)),
    "naming no authorisation": ("REPLAYED", lambda f: f.frame(authorisation=None)),
    "pushed, not answered": ("REPLAYED", lambda f: f.frame(mode="PUSH", request=None, push_sequence=1)),
    "header altered after signing": ("SIGNATURE_INVALID", lambda f: _altered(f, count=99)),
    "header of an unknown field": ("SIGNATURE_INVALID", lambda f: _altered(f, more=1)),
    "header truncated": ("MALFORMED", lambda f: replace(f.frame(), header=f.frame().header[:-9])),
    "body altered": ("MALFORMED", lambda f: _flipped(f.frame())),
    "body of another frame": ("MALFORMED", lambda f: replace(f.frame(), body=f.frame(frame="cd" * 16).body)),
    "sealed to another": ("SEAL_INVALID", lambda f: f.frame(seal_to=f.world.hk.card.key(Purpose.SEAL))),
    "bound to another recipient": ("SEAL_INVALID", lambda f: f.frame(recipient=HK)),
    "bound to another sender": ("SEAL_INVALID", lambda f: f.frame(sender=HK)),
    "count of one more": ("MALFORMED", lambda f: f.frame(count=3)),
    "another root": ("MALFORMED", lambda f: f.frame(root="00" * 32)),
    "other filings": ("AGREEMENT_NOT_FILED", lambda f: f.frame(filings="00" * 32)),
    "another agreement": ("MALFORMED", lambda f: f.frame(agreement="00" * 32)),
    "empty under another agreement": ("AGREEMENT_MISSING", lambda f: f.frame([], agreement="00" * 32)),
    "another epoch": ("AGREEMENT_SCOPE", lambda f: f.frame(epoch=2)),
    "another purpose": ("PURPOSE_MISMATCH", lambda f: f.frame(purpose="CROSS_BORDER_TRADE")),
    "from the future": ("MALFORMED", lambda f: f.frame(time=f.honest.time + timedelta(seconds=61))),
    "from before the agreement": (
        "AGREEMENT_NOT_FILED", lambda f: f.frame(time=f.honest.time - timedelta(days=1)),
    ),
    "unknown suite": ("MALFORMED", lambda f: f.frame(suite=9)),
    "signed by another party": ("SIGNATURE_INVALID", lambda f: f.frame(key=_key(f.world.hk))),
    "signed by a key not listed": (
        "SIGNATURE_INVALID", lambda f: f.frame(key=SigningKey(Purpose.FRAME, b"\x0c" * 32)),
    ),
    "a field beyond the grant": (
        "AGREEMENT_SCOPE", lambda f: f.frame([_values(_registration(f), address="Nanshan")]),
    ),
    "a kind beyond the grant": ("AGREEMENT_SCOPE", lambda f: f.frame([_headed(_registration(f), kind="999")])),
    "an identifying value": (
        "NOT_DEIDENTIFIED", lambda f: f.frame([_values(_registration(f), region="440305199001011234")]),
    ),
    "an exact date": ("NOT_DEIDENTIFIED", lambda f: f.frame([_values(_registration(f), established="1998-06-18")])),
    "the very day on which it ends": (
        "NOT_DEIDENTIFIED", lambda f: f.frame([_headed(_registration(f), valid_until=date(2031, 5, 17))]),
    ),
    "another de-identification profile": (
        "NOT_DEIDENTIFIED", lambda f: f.frame([_headed(_registration(f), profile="CP-DEID-0")]),
    ),
    "fields agreed but not asked for": (
        "AGREEMENT_SCOPE", lambda f: replace(f.frame(), asked={"101": frozenset({"region"}), "201": ALL_FIELDS["201"]}),
    ),
    "a kind agreed but not asked for": (
        "AGREEMENT_SCOPE", lambda f: replace(f.frame(), asked={"201": ALL_FIELDS["201"]}),
    ),
    "for a purpose that was not asked for": (
        "PURPOSE_MISMATCH", lambda f: replace(f.frame(), purpose="CROSS_BORDER_TRADE"),
    ),
    "a subject not asked about": (
        "AGREEMENT_SCOPE", lambda f: f.frame([_headed(_registration(f), pseudonym="00" * 16)]),
    ),
    "a rendition of another epoch": ("AGREEMENT_SCOPE", lambda f: f.frame([_headed(_registration(f), epoch=2)])),
    "a rendition of another agreement": (
        "MALFORMED", lambda f: f.frame([_headed(_registration(f), agreement="00" * 32)]),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("reason", "forge"), FORGED.values(), ids=FORGED)
def test_a_frame_that_is_not_as_it_must_be_is_refused_whole_journalled_and_not_kept(
    world: World, reason: str, forge: Callable[[Forger], Arrived]
) -> None:
    plan = prepared(world, SHOWN)
    (message,) = plan.messages
    forger = Forger.of(world, answered(world, plan, message))
    before = len(world.bank.journal())

    kept = accepted(world, message, forge(forger))

    written = world.bank.journal()[before:]
    assert isinstance(kept, Refused)
    assert kept.reason == reason
    assert [one.told for one in written] == [("frame.received", reason)]
    assert (inbox(world), receipts(world)) == (0, [])
    assert isinstance(accepted(world, message, forger.frame()), bytes)


def test_what_the_forger_leaves_alone_is_accepted(world: World) -> None:
    """The control of the test above: a frame made anew and not changed is as good as the honest one."""
    plan = prepared(world, SHOWN)
    (message,) = plan.messages
    forger = Forger.of(world, answered(world, plan, message))

    assert isinstance(accepted(world, message, forger.frame(frame="ee" * 16)), bytes)


def test_a_frame_from_whom_the_registry_does_not_list_is_refused(world: World) -> None:
    plan = prepared(world, SHOWN)
    (message,) = plan.messages
    frame = arrived(message, answered(world, plan, message))

    kept = accepted(world, message, replace(frame, peer=PartyId(world.sz.party + "x")))

    assert isinstance(kept, Refused)
    assert kept.reason == "PEER_UNKNOWN"


def test_a_frame_that_arrives_after_the_end_of_the_agreement_is_refused(world: World) -> None:
    plan = prepared(world, SHOWN)
    (message,) = plan.messages
    frame = arrived(message, answered(world, plan, message))
    world.wait(days=181)

    kept = accepted(world, message, frame)

    assert isinstance(kept, Refused)
    assert kept.reason == "AGREEMENT_EXPIRED"


def test_nothing_is_said_of_who_may_ask_before_home_is_asked(admitted: World) -> None:
    """Another agreement without consents: the plan is made all the same, and the refusal comes from home."""
    filed(admitted, terms(admitted))

    number, plan = planned(admitted, SHOWN, purpose="CROSS_BORDER_TRADE")

    assert number > 0
    assert plan.purpose == "CROSS_BORDER_TRADE"


def test_what_home_refused_is_journalled_here_with_the_leaf_under_which_home_must_show_it(world: World) -> None:
    _, plan = planned(world, SHOWN)
    ours = ItemRefused(reason="SEAL_INVALID", article="-", by=world.bank.party)
    theirs = ItemRefused(reason="RISK_LIMIT", article="S 15", by=AGENCY, subject=0, leaf="1e" * 32)
    before = len(world.bank.journal())

    def note(work: UnitOfWork) -> None:
        note_refusals(work, plan, AGENCY, (ours, theirs), world.bank.context)
        work.commit()

    world.bank.write(note)

    (written,) = world.bank.journal()[before:]
    assert written.told == ("refused.by.peer", "RISK_LIMIT")
    assert (written.detail["leaf"], written.entry.counterparty) == ("1e" * 32, AGENCY)
    assert written.entry.agreement == world.agreement().digest.hex()
