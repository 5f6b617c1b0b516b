"""Asking over the wire: evaluate, prepare, send, accept; each step is kept before the next one begins."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import msgspec

from agreements.refusal import Refused
from crypto.pseudonym import Blinding, blind, subject_input
from node.app.errands import PASSING
from node.app.opening import Node
from node.app.threads import Threads
from node.domain.jobs import Job
from node.operations.accept_answers import Arrived, accept_answer, note_refusals
from node.operations.ask import (
    Asker,
    ItemRefused,
    Plan,
    PlannedMessage,
    PlannedSubject,
    QueryResult,
    asked_items,
    came_late,
    chunks,
    keep_pseudonyms,
    prepare,
    unknown_subjects,
)
from node.operations.asked import Answered, RefusedAnswer
from node.operations.ports import UnitOfWork
from node.wire.errors import PeerRefused
from node.wire.outgoing import (
    EvaluateCall,
    Outgoing,
    QueryCall,
    batch_query_call_to_wire,
    evaluate_call_to_wire,
    query_call_to_wire,
)
from node.wire.peers import PeerClient
from registry.parties import PartyId


@dataclass(frozen=True, slots=True, kw_only=True)
class _Evaluation:
    """An evaluation that was asked for: of what, the secrets that unblind its answer, and the call as it was sent."""

    of: tuple[str, int, tuple[PlannedSubject, ...]]
    blinding: Blinding = field(repr=False)
    call: Outgoing


@dataclass(frozen=True, slots=True)
class Asking:
    """Does query jobs. What is known by now is kept in the job, so that a crash repeats no question.

    Blinds stay in memory, so that a call whose answer was lost is the same one again, which home charges once. A crash
    loses them: what was evaluated and not kept yet is evaluated again, and charged again.
    """

    node: Node
    peers: PeerClient
    threads: Threads
    _evaluations: dict[PartyId, _Evaluation] = field(default_factory=dict, repr=False)

    async def do(self, jobs: Sequence[Job]) -> None:
        """Do query jobs one after another."""
        for job in jobs:
            plan = msgspec.json.decode(job.payload, type=Plan)
            try:
                if not plan.prepared:
                    plan = await self._prepared(job, plan)
                plan = await self._asked(job, plan)
                if any(came_late(one) for one in plan.messages):
                    # Once in a try: what is late again now is so by home's clock, and stands.
                    plan = await self._asked(job, await self.threads.write(partial(self._renew, job, plan)))
            except PeerRefused as error:
                if error.answer.refused.reason in PASSING:
                    raise
                result = await self.threads.read(partial(_ended, job, _refused(error.answer, None, error.peer)))
            else:
                result = _result(plan)
            await self.threads.write(partial(self._finish, job, plan, result))

    async def _prepared(self, job: Job, plan: Plan) -> Plan:
        """Have unknown identifiers evaluated, then make the messages."""
        unknown = await self.threads.read(lambda work: unknown_subjects(work, plan))
        for portion in chunks(unknown):
            names = await self._evaluated(job.peer, plan, portion)
            await self.threads.write(partial(_keep_names, plan, portion, names))
        return await self.threads.write(partial(self._prepare, job, plan))

    async def _evaluated(self, peer: PartyId, plan: Plan, portion: Sequence[PlannedSubject]) -> list[bytes]:
        asked = self._evaluations[peer] = await self._evaluation(peer, plan, portion)
        evaluated = await self.peers.evaluate(peer, asked.call)
        del self._evaluations[peer]
        asker = await self.threads.read(partial(self._asker, plan))
        key = next(one.public_key for one in asker.agreement.terms.epochs if one.number == plan.epoch)
        return await self.threads.run(
            lambda: asked.blinding.finalize(evaluated.elements, evaluated.proof, bytes.fromhex(key))
        )

    async def _evaluation(self, peer: PartyId, plan: Plan, portion: Sequence[PlannedSubject]) -> _Evaluation:
        """The evaluation that is under way at this peer if it is this one, or else a new one."""
        of = (plan.agreement, plan.epoch, tuple(portion))
        known = self._evaluations.get(peer)
        if known is not None and known.of == of:
            return known
        blinding = blind([subject_input(one.scheme, one.value) for one in portion])
        call = EvaluateCall(
            request_id=self.node.context.random(16),
            agreement=bytes.fromhex(plan.agreement),
            epoch=plan.epoch,
            blinded=tuple(blinding.blinded),
            checkpoint=await self._checkpoint(),
        )
        return _Evaluation(of=of, blinding=blinding, call=evaluate_call_to_wire(call))

    async def _asked(self, job: Job, plan: Plan) -> Plan:
        """Send the messages that are not answered yet, and keep each answer as it comes."""
        messages = list(plan.messages)
        open_places = [place for place, one in enumerate(messages) if not one.done]
        write = batch_query_call_to_wire if plan.batch else query_call_to_wire
        calls = [write(_call(plan, messages[place])) for place in open_places]
        if plan.batch and calls:
            places = iter(zip(open_places, calls, strict=True))
            async for answer in self.peers.batch_query(job.peer, calls):
                if isinstance(answer, RefusedAnswer) and answer.refused.reason in PASSING:
                    raise PeerRefused(job.peer, answer)
                place, call = next(places)
                messages[place] = await self._kept(job, plan, messages, place, answer, call)
        elif not plan.batch:
            for place, call in zip(open_places, calls, strict=True):
                messages[place] = await self._kept(job, plan, messages, place, await self._one(job.peer, call), call)
        return msgspec.structs.replace(plan, messages=tuple(messages))

    async def _one(self, peer: PartyId, call: Outgoing) -> Answered | RefusedAnswer:
        try:
            return await self.peers.query(peer, call)
        except PeerRefused as error:
            if error.answer.refused.reason in PASSING:
                raise
            return error.answer

    async def _kept(
        self,
        job: Job,
        plan: Plan,
        messages: list[PlannedMessage],
        place: int,
        answer: Answered | RefusedAnswer,
        call: Outgoing,
    ) -> PlannedMessage:
        """Accept one answer and note it in the job, in one transaction."""

        def write(work: UnitOfWork) -> PlannedMessage:
            done = self._accepted(work, job.peer, plan, messages[place], answer, call.digest)
            noted = (*messages[:place], done, *messages[place + 1 :])
            payload = msgspec.json.encode(msgspec.structs.replace(plan, messages=noted))
            work.outbox.retry(job.number, self.threads.now(), payload)
            work.commit()
            return done

        return await self.threads.write(write)

    def _accepted(
        self,
        work: UnitOfWork,
        peer: PartyId,
        plan: Plan,
        message: PlannedMessage,
        answer: Answered | RefusedAnswer,
        request: bytes,
    ) -> PlannedMessage:
        refused: tuple[ItemRefused, ...]
        if isinstance(answer, RefusedAnswer):
            refused = (_refused(answer, None if plan.batch else message.items[0].subject, peer),)
            return msgspec.structs.replace(message, refused=refused, done=True)
        arrived = Arrived(
            peer=peer,
            request=request,
            purpose=plan.purpose,
            asked={kind: frozenset(names) for kind, names in plan.asked.items()},
            header=answer.header,
            body=answer.body,
            refused=frozenset(place for place, _ in answer.refused_items),
        )
        kept = accept_answer(work, arrived, message, self._asker(plan, work))
        if isinstance(kept, Refused):
            refused = (ItemRefused(reason=kept.reason.value, article=kept.article, by=self.node.party),)
            return msgspec.structs.replace(message, refused=refused, done=True)
        refused = tuple(_refused(one, message.items[place].subject, peer) for place, one in answer.refused_items)
        return msgspec.structs.replace(message, frame=kept.hex(), refused=refused, done=True)

    def _finish(self, job: Job, plan: Plan, result: QueryResult, work: UnitOfWork) -> None:
        note_refusals(work, plan, job.peer, result.refused, self.node.context)
        work.outbox.finish(job.number, msgspec.json.encode(result), self.threads.now(), failed=not result.frames)
        work.commit()

    def _prepare(self, job: Job, plan: Plan, work: UnitOfWork) -> Plan:
        head = work.journal.head()
        return prepare(work, job.number, plan, self._asker(plan, work), head.note if head else b"")

    def _renew(self, job: Job, plan: Plan, work: UnitOfWork) -> Plan:
        late = [refused for one in plan.messages if came_late(one) for refused in one.refused]
        note_refusals(work, plan, job.peer, late, self.node.context)
        return self._prepare(job, plan, work)

    def _asker(self, plan: Plan, work: UnitOfWork) -> Asker:
        facts = self.node.facts(work)
        return Asker(
            agreement=facts.agreements[bytes.fromhex(plan.agreement)],
            facts=facts,
            settings=self.node.settings,
            context=self.node.context,
        )

    async def _checkpoint(self) -> bytes:
        head = await self.threads.read(lambda work: work.journal.head())
        return head.note if head else b""


def _call(plan: Plan, message: PlannedMessage) -> QueryCall:
    return QueryCall(
        request_id=bytes.fromhex(message.request),
        agreement=bytes.fromhex(plan.agreement),
        epoch=plan.epoch,
        purpose=plan.purpose,
        asked={kind: frozenset(names) for kind, names in plan.asked.items()},
        items=asked_items(message),
        checkpoint=message.checkpoint,
    )


def _refused(answer: RefusedAnswer, subject: int | None, by: PartyId) -> ItemRefused:
    refused = answer.refused
    return ItemRefused(
        reason=refused.reason.value, article=refused.article, subject=subject, by=by, leaf=answer.leaf.hex()
    )


def _result(plan: Plan) -> QueryResult:
    return QueryResult(
        frames=tuple(one.frame for one in plan.messages if one.frame is not None),
        refused=tuple(refused for one in plan.messages for refused in one.refused),
    )


def _ended(job: Job, refused: ItemRefused, work: UnitOfWork) -> QueryResult:
    """The result of a query that the peer would not go on with: what was answered before stays answered."""
    noted = msgspec.json.decode((work.outbox.find(job.number) or job).payload, type=Plan)
    known = _result(noted)
    return msgspec.structs.replace(known, refused=(*known.refused, refused))


def _keep_names(plan: Plan, portion: Sequence[PlannedSubject], names: Sequence[bytes], work: UnitOfWork) -> None:
    keep_pseudonyms(work, plan, portion, names)
