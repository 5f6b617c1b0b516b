"""Pushing: which records go, in which frames, and that every frame is written down before it may leave."""

import msgspec
import pytest

from agreements.refusal import Refusal, Refused, refuse
from agreements.terms import Manner
from crypto import commitment
from crypto.envelope import parse, read_payload
from crypto.frame import KIND, FrameHeader, open_frame
from crypto.keys import Purpose
from node.domain.context import Context
from node.domain.jobs import Job
from node.domain.records import Kind
from node.operations import push_records
from node.operations.facts import NodeFacts
from node.operations.keep_agreements import receive_document
from node.operations.ports import UnitOfWork
from node.operations.push_records import (
    PORTION,
    PushPlan,
    PushResult,
    Wanted,
    fill,
    fit,
    frames_waiting,
    give_up,
    next_frame,
    next_portion,
    plan_push,
)
from node.operations.render import Shown
from node.operations.rows import SentFrameRow
from node.operations.send_notices import Delivery, next_delivery
from tests.fakes.exchange import PENALTIES, REGISTRATIONS, crowd_of, filed, index, load, pseudonym, terms
from tests.fakes.exchange import SHOWN as ENTERPRISE
from tests.fakes.members import LAW
from tests.fakes.world import BANK, World
from tests.unit.node.operations.test_change_records import corrected
from tests.unit.node.operations.test_keep_agreements import ending

BOTH = (Manner.PULL, Manner.PUSH)
Made = SentFrameRow | PushResult | Refused


@pytest.fixture
def pushing(admitted: World) -> World:
    """An agreement that allows pushing, and records under it."""
    filed(admitted, msgspec.structs.replace(terms(admitted), manner=BOTH))
    load(admitted, Kind.REGISTRATION, *REGISTRATIONS)
    load(admitted, Kind.PENALTY, *PENALTIES)
    index(admitted)
    return admitted


def order_push(world: World, wanted: Wanted | None = None) -> int:
    agency = world.agency

    def act(work: UnitOfWork) -> object:
        return plan_push(work, wanted or Wanted(), world.agreement(), agency.operator, LAW, agency.context)

    job = agency.write(act)
    assert isinstance(job, int), job
    return job


def made(world: World, job: int) -> Made:
    return world.agency.write(lambda work: next_frame(work, job, world.agency.desk(work)))


def frame(world: World, job: int) -> SentFrameRow:
    one = made(world, job)
    assert isinstance(one, SentFrameRow), one
    return one


def header(row: SentFrameRow) -> FrameHeader:
    return read_payload(parse(row.header, KIND), FrameHeader)


def opened(world: World, row: SentFrameRow) -> list[commitment.Rendition]:
    key = world.agency.card.key(Purpose.FRAME)
    return open_frame(row.header, row.body, key, world.bank.context.keys.seal).renditions


def taken(world: World, row: SentFrameRow) -> None:
    def act(work: UnitOfWork) -> None:
        work.pushed_frames.answered({row.frame: None}, world.clock())
        work.commit()

    world.agency.write(act)


def _known(world: World) -> tuple[NodeFacts, Context]:
    return world.agency.known(), world.agency.context


def plan_of(world: World, job: int) -> PushPlan:
    stored = world.agency.read(lambda work: work.outbox.find(job))
    assert isinstance(stored, Job)
    return msgspec.json.decode(stored.payload, type=PushPlan)


def test_everything_visible_goes_in_full_under_the_first_identifier(pushing: World) -> None:
    one = frame(pushing, order_push(pushing))

    kinds = sorted(rendition.header.kind for rendition in opened(pushing, one))
    names = {rendition.header.pseudonym for rendition in opened(pushing, one)}
    assert kinds == ["101"] * len(REGISTRATIONS) + ["201"], "one penalty is withheld, and looks like none"
    assert pseudonym(pushing, ENTERPRISE).hex() in names
    assert len(names) == len(REGISTRATIONS)


def test_a_pushed_frame_answers_nothing_and_has_a_number(pushing: World) -> None:
    first = header(frame(pushing, order_push(pushing)))
    second = header(frame(pushing, order_push(pushing, Wanted(again=True))))

    assert (first.mode, first.request, first.authorisation, first.purpose) == ("PUSH", None, None, None)
    assert (first.push_sequence, second.push_sequence) == (1, 2)


def test_a_frame_its_ledger_and_its_entry_are_written_before_it_is_given(pushing: World) -> None:
    one = frame(pushing, order_push(pushing))

    written = pushing.agency.journal()[-1]
    rows = pushing.agency.read(lambda work: work.ledger.of_record(1))
    assert written.told == ("push", "PUSHED")
    assert written.leaf.hex() == header(one).journal_leaf
    assert [(row.frame, row.fields, row.closed_at) for row in rows] == [(one.frame, None, None)]


def test_what_is_on_its_way_or_held_is_not_pushed_again(pushing: World) -> None:
    job = order_push(pushing)
    one = frame(pushing, job)
    assert made(pushing, order_push(pushing)) == PushResult(frames=0, renditions=0, taken=0, cancelled=0, refused=())
    taken(pushing, one)

    assert made(pushing, job) == PushResult(frames=1, renditions=6, taken=1, cancelled=0, refused=())
    assert isinstance(made(pushing, order_push(pushing)), PushResult)
    assert isinstance(made(pushing, order_push(pushing, Wanted(again=True))), SentFrameRow)


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (Wanted(kinds=frozenset({"201"})), 1),
        (Wanted(records=(1, 2, 999)), 2),
        (Wanted(records=()), 0),
        (Wanted(kinds=frozenset({"201"}), records=(1, 2)), 0),
    ],
)
def test_a_part_is_selected_by_kind_and_list(pushing: World, wanted: Wanted, count: int) -> None:
    one = made(pushing, order_push(pushing, wanted))

    assert (header(one).count if isinstance(one, SentFrameRow) else 0) == count


def test_only_what_changed_since_is_selected(pushing: World) -> None:
    pushing.wait(hours=1)
    later = pushing.clock()
    load(pushing, Kind.REGISTRATION, REGISTRATIONS[2] | {"status": "REVOKED"})

    assert header(frame(pushing, order_push(pushing, Wanted(since=later)))).count == 1


def test_records_go_in_frames_of_a_portion_each(pushing: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push_records, "PORTION", 4)
    job = order_push(pushing)

    assert [header(frame(pushing, job)).count for _ in range(2)] == [4, 2]
    assert isinstance(made(pushing, job), PushResult)
    assert (plan_of(pushing, job).frames, plan_of(pushing, job).shown) == (2, 6)
    assert PORTION == 500


def test_a_frame_takes_no_more_than_it_holds_and_the_rest_goes_in_the_next(
    pushing: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push_records, "fit", lambda shown: fit(shown, 2 * len(shown[0].body)))
    job = order_push(pushing)

    counts = []
    while isinstance(one := made(pushing, job), SentFrameRow):
        counts.append(header(one).count)

    assert sum(counts) == 6
    assert len(counts) > 2


def test_a_large_padding_bucket_is_filled_rather_than_left_half_empty() -> None:
    kibibyte = Shown(record_no=1, record_version=1, identifier_no=1, fields=None, body=bytes(1020), commitment=b"")

    assert len(fill([kibibyte] * 255)) == 255
    assert len(fill([kibibyte] * 500)) == 255
    assert len(fill([kibibyte] * 513)) == 513
    assert len(fill([kibibyte] * 20)) == 20


def test_one_rendition_always_fits() -> None:
    huge = Shown(record_no=1, record_version=1, identifier_no=1, fields=None, body=bytes(9), commitment=b"")

    assert fit([huge, huge], 1) == [huge]
    assert fit([], 1) == []


def test_a_push_without_the_manner_agreed_is_refused(world: World) -> None:
    refused = made(world, order_push(world))

    assert isinstance(refused, Refused)
    assert refused.reason.value == "AGREEMENT_SCOPE"


def test_nothing_is_pushed_before_the_index_is_there(admitted: World) -> None:
    filed(admitted, msgspec.structs.replace(terms(admitted), manner=BOTH))
    load(admitted, Kind.REGISTRATION, *REGISTRATIONS)

    refused = made(admitted, order_push(admitted))

    assert isinstance(refused, Refused)
    assert refused.reason.value == "NOT_READY"


def test_what_was_made_before_a_break_is_decided_again_before_it_is_sent(pushing: World) -> None:
    job = order_push(pushing)
    one = frame(pushing, job)
    agency = pushing.agency

    def waiting(work: UnitOfWork) -> object:
        return frames_waiting(work, job, agency.desk(work), 10)

    assert agency.read(waiting) == [one]
    agency.write(lambda work: receive_document(work, BANK, ending(pushing.agreement(), pushing.bank), *_known(pushing)))
    refused = agency.read(waiting)

    assert isinstance(refused, Refused)
    assert refused.reason.value == "AGREEMENT_EXPIRED"


def test_a_record_whose_time_passes_while_its_frame_waits_is_not_sent(pushing: World) -> None:
    ending = PENALTIES[0] | {"decided_on": "2021-07-15", "decision_no": "深市监罚〔2021〕9号"}
    load(pushing, Kind.PENALTY, ending, *crowd_of(ending))
    job, agency = order_push(pushing), pushing.agency
    one = frame(pushing, job)
    assert [rendition.header.kind for rendition in opened(pushing, one)].count("201") == 2

    def waiting(work: UnitOfWork) -> object:
        return frames_waiting(work, job, agency.desk(work), 10)

    assert agency.write(waiting) == [one]
    pushing.wait(days=50)

    assert agency.write(waiting) == []
    again = frame(pushing, job)
    assert [rendition.header.kind for rendition in opened(pushing, again)].count("201") == 1
    assert header(again).count == header(one).count - 1


def test_a_record_whose_time_passes_while_its_correction_waits_is_not_sent(pushing: World) -> None:
    ending = PENALTIES[0] | {"decided_on": "2021-07-15", "decision_no": "深市监罚〔2021〕9号"}
    alike = [*crowd_of(ending), *crowd_of(ending | {"amount": "1元", "decision_no": "深市监罚〔2021〕10号"})]
    load(pushing, Kind.PENALTY, *alike, ending)
    taken(pushing, frame(pushing, order_push(pushing)))
    agency = pushing.agency
    kinds = {row.record_no: row for row in agency.read(lambda work: work.records.page("201", 0, 100))}
    corrected(pushing, max(kinds), amount="1元")

    def delivered() -> Delivery:
        delivery = agency.write(lambda work: next_delivery(work, BANK, agency.desk(work)))
        assert delivery is not None
        return delivery

    first = delivered()
    assert first.replacement is not None
    assert delivered() == first
    pushing.wait(days=50)

    assert delivered().replacement is None
    assert delivered().batch == first.batch


def test_frames_of_a_push_that_was_given_up_are_never_sent(pushing: World) -> None:
    job = order_push(pushing)
    frame(pushing, job)
    agency = pushing.agency

    def act(work: UnitOfWork) -> None:
        give_up(work, job, refuse(Refusal.AGREEMENT_EXPIRED, LAW.rules.reference), pushing.clock())
        work.commit()

    agency.write(act)

    assert agency.read(lambda work: list(work.pushed_frames.waiting(job, 10))) == []
    assert isinstance(made(pushing, order_push(pushing)), SentFrameRow), "what was in them is pushed another time"


def test_after_a_frame_that_was_filled_few_records_are_read_in_vain() -> None:
    assert next_portion(rendered=500, fitting=338) == 360
    assert next_portion(rendered=360, fitting=360) is None
