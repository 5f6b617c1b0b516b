"""The bank's side of a query, step by step as the courier goes, and frames as a lying provider would make them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from agreements.refusal import Refused
from crypto import commitment
from crypto.commitment import Rendition
from crypto.frame import FrameHeader, open_header, seal_body, sign_header
from crypto.keys import PublicKey, Purpose, SigningKey
from crypto.pseudonym import subject_input
from node.domain.identifiers import Identifier
from node.operations.accept_answers import Arrived, accept_answer
from node.operations.ask import (
    Plan,
    PlannedMessage,
    Question,
    Target,
    asked_items,
    keep_pseudonyms,
    plan_query,
    prepare,
    unknown_subjects,
)
from node.operations.asked import Answered, QueryAsked, RefusedAnswer
from tests.fakes.exchange import ALL_FIELDS, PURPOSE, answers, asker
from tests.fakes.members import LAW
from tests.fakes.reading import renditions
from tests.fakes.world import AGENCY, BANK, World


def planned(
    world: World,
    *subjects: Identifier,
    asked: Mapping[str, frozenset[str]] | None = None,
    purpose: str = PURPOSE,
) -> tuple[int, Plan]:
    """A queued query job with its first payload; several subjects are a batch."""
    bank = world.bank
    question = Question(
        subjects=subjects,
        purpose=purpose,
        asked=ALL_FIELDS if asked is None else asked,
        batch=len(subjects) > 1,
        patience=timedelta(seconds=30),
        rule_pack=LAW.rules.reference,
    )
    target = Target.of(world.agreement(), world.clock())
    number = bank.write(lambda work: plan_query(work, question, target, bank.operator, bank.context))
    assert isinstance(number, int), number
    return number, payload(world, number)


def payload(world: World, number: int) -> Plan:
    """What a query job knows by now."""
    job = world.bank.read(lambda work: work.outbox.find(number))
    assert job is not None
    return msgspec.json.decode(job.payload, type=Plan)


def evaluated(world: World, plan: Plan) -> None:
    """Have the plan's unknown subjects evaluated, and keep their pseudonyms."""
    unknown = world.bank.read(lambda work: unknown_subjects(work, plan))
    inputs = [subject_input(one.scheme, one.value) for one in unknown]
    names = world.agency.pseudonyms(world.agreement().terms.agreement, plan.epoch, inputs)
    world.bank.write(lambda work: keep_pseudonyms(work, plan, unknown, names))


def prepared(world: World, *subjects: Identifier, asked: Mapping[str, frozenset[str]] | None = None) -> Plan:
    """A plan whose messages are ready to be sent."""
    number, plan = planned(world, *subjects, asked=asked)
    evaluated(world, plan)
    return world.bank.write(lambda work: prepare(work, number, plan, asker(world, work), b"head"))


def sent(plan: Plan, message: PlannedMessage) -> QueryAsked:
    """A message as it arrives at home."""
    return QueryAsked(
        peer=BANK,
        digest=bytes.fromhex(message.request) * 2,
        agreement=bytes.fromhex(plan.agreement),
        epoch=plan.epoch,
        purpose=plan.purpose,
        asked={kind: frozenset(fields) for kind, fields in plan.asked.items()},
        items=asked_items(message),
        batch=plan.batch,
        checkpoint=message.checkpoint,
    )


def answered(world: World, plan: Plan, message: PlannedMessage) -> Answered | RefusedAnswer:
    """What home says to a message."""
    (given,) = answers(world, sent(plan, message))
    return given


def arrived(message: PlannedMessage, given: Answered | RefusedAnswer) -> Arrived:
    """An answer as it arrives at the bank."""
    assert isinstance(given, Answered), given
    request = bytes.fromhex(message.request) * 2
    return Arrived(
        peer=AGENCY, request=request, purpose=PURPOSE, asked=ALL_FIELDS, header=given.header, body=given.body
    )


def accepted(world: World, message: PlannedMessage, frame: Arrived) -> bytes | Refused:
    """What the bank makes of a frame."""
    with world.bank.store.write() as work:
        kept = accept_answer(work, frame, message, asker(world, work))
        work.commit()
    return kept


@dataclass(frozen=True, kw_only=True)
class Forger:
    """Makes frames like one that was honestly given, with something changed, rightly signed and sealed otherwise."""

    world: World
    honest: FrameHeader
    shown: Sequence[Rendition]

    @classmethod
    def of(cls, world: World, given: Answered | RefusedAnswer) -> "Forger":
        header, shown = renditions(world, given)
        return cls(world=world, honest=header, shown=shown)

    def frame(
        self,
        shown: Sequence[Rendition] | None = None,
        key: SigningKey | None = None,
        seal_to: PublicKey | None = None,
        **changed: object,
    ) -> Arrived:
        """A frame over `shown`, with header fields `changed` last."""
        header = msgspec.structs.replace(
            self.honest, **{name: value for name, value in changed.items() if name in {"frame", "agreement", "suite"}}
        )
        made = [
            (commitment.encode(one), commitment.commitment(one)) for one in (self.shown if shown is None else shown)
        ]
        to = seal_to or self.world.bank.card.key(Purpose.SEAL)
        sealed = seal_body(made, header.binding(), to)
        header = msgspec.structs.replace(header, body=sealed.digest.hex(), root=sealed.root.hex(), count=sealed.count)
        header = msgspec.structs.replace(header, **changed)
        raw = sign_header(header, key or self.world.agency.context.keys.frame)
        request = self.honest.request
        assert request is not None
        digest = bytes.fromhex(request)
        return Arrived(peer=AGENCY, request=digest, purpose=PURPOSE, asked=ALL_FIELDS, header=raw, body=sealed.body)


def header_of(world: World, raw: bytes) -> FrameHeader:
    """A header whose signature by the agency holds."""
    return open_header(raw, world.agency.card.key(Purpose.FRAME))[0]
