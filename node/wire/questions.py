"""Queries between the event loop and the node: read, answered and written many at a time, in a thread.

The event loop passes on bytes, and bytes come back. Translating where many messages are translated one after the other
costs a fraction of what it does between two turns of the event loop, and keeps it free for calls.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from agreements.refusal import Refusal
from node.operations.asked import Answered, QueryAsked, RefusedAnswer
from node.wire import codec
from node.wire.errors import Misshapen
from node.wire.gateway import Gateway
from node.wire.methods import Method
from registry.parties import PartyId


@dataclass(frozen=True, slots=True)
class Question:
    """A query message as it came: `method` is QUERY or BATCH_QUERY. It is not asked if its sender is not listed."""

    raw: bytes
    peer: PartyId
    method: Method
    delisted: RefusedAnswer | None = None


class Reply(NamedTuple):
    """What goes back: the response with the reasons of the refusals in it, or (of QUERY alone) a refused call."""

    response: bytes = b""
    refusals: tuple[Refusal, ...] = ()
    refused: RefusedAnswer | None = None


class _Read(NamedTuple):
    asked: QueryAsked
    request_id: bytes = b""


@dataclass(frozen=True, slots=True)
class Questions:
    """The coalesced operation behind both kinds of query."""

    gateway: Gateway

    def answer(self, questions: Sequence[Question]) -> list[Reply | Misshapen]:
        """Answer messages, in order; what is not a permitted message comes back as what is wrong with it."""
        read = [_read(one) for one in questions]
        for one in read:
            if isinstance(one, _Read) and one.asked.checkpoint:
                self.gateway.saw_checkpoint(one.asked.peer, one.asked.checkpoint)
        asked = [
            one.asked
            for question, one in zip(questions, read, strict=True)
            if isinstance(one, _Read) and question.delisted is None
        ]
        answers = iter(self.gateway.answer_queries(asked) if asked else ())
        return [
            one if isinstance(one, Misshapen) else self._write(question, one, question.delisted or next(answers))
            for question, one in zip(questions, read, strict=True)
        ]

    def _write(self, question: Question, read: _Read, answer: Answered | RefusedAnswer) -> Reply:
        if question.method is Method.BATCH_QUERY:
            raw = codec.batch_answer_to_wire(read.request_id, answer, self.gateway.newest_checkpoint())
            return Reply(raw, _reasons(answer))
        if isinstance(answer, RefusedAnswer):
            return Reply(refused=answer)
        if answer.refused_items:
            return Reply(refused=answer.refused_items[0][1])
        return Reply(codec.answer_to_wire(answer))


def _read(question: Question) -> _Read | Misshapen:
    try:
        if question.method is Method.QUERY:
            return _Read(codec.query_from_wire(question.raw, question.peer))
        request_id, asked = codec.batch_query_from_wire(question.raw, question.peer)
        return _Read(asked, request_id)
    except Misshapen as bad:
        return bad


def _reasons(answer: Answered | RefusedAnswer) -> tuple[Refusal, ...]:
    if isinstance(answer, RefusedAnswer):
        return (answer.refused.reason,)
    return tuple(item.refused.reason for _, item in answer.refused_items)
