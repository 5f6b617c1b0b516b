"""What can go wrong between two nodes, as one small family.

    WireError
    ├── Misshapen         bytes that are not a permitted message; holds the refusal to answer with
    ├── Overloaded        too many calls wait already; nothing was done
    ├── BatchFailed       the operation that served this call together with others broke
    ├── CannotListen      the address is taken or is not ours
    ├── PeerRefused       the peer answered "no", with its reason and journal leaf
    └── PeerUnreachable   no answer came that can be used; trying again later is right
        └── BadAnswer     an answer came, but it is not a permitted message

A refusal that this node itself decides is never raised: it is an answer (RefusedAnswer).
"""

from agreements.refusal import Refusal, Refused, refuse
from node.domain.troubles import Trouble, in_words
from node.operations.asked import RefusedAnswer
from registry.parties import PartyId


class WireError(Exception):
    """Anything that goes wrong on purpose between two nodes. Messages never hold content."""


class Misshapen(WireError):
    """Bytes that are not a permitted message: which field, what was expected and what was got, no content."""

    def __init__(self, reason: Refusal, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        # No rule pack decides the shape of a message, so none is named.
        self.refused: Refused = refuse(reason, "", detail)


class Overloaded(WireError):
    """Too many calls wait already. Nothing was done; the caller tries again later."""


class BatchFailed(WireError):
    """The operation that served this call, alone or with others, raised; its error is the cause."""


class CannotListen(WireError):
    """The server could not bind its address."""


class PeerRefused(WireError):
    """The peer said no. `answer` holds its reason and its journal leaf (empty: it keeps none)."""

    def __init__(self, peer: PartyId, answer: RefusedAnswer) -> None:
        super().__init__(f"{peer} refused: {answer.refused.reason}")
        self.peer = peer
        self.answer = answer


class PeerUnreachable(WireError):
    """No usable answer came; the text is one sentence for a person. The same call may be made again later.

    `trouble` says why in a code that may be kept.
    """

    def __init__(self, peer: PartyId, sentence: str = "", trouble: Trouble = Trouble.NOT_REACHED) -> None:
        super().__init__(sentence or in_words(trouble, peer)[0])
        self.peer = peer
        self.trouble = trouble


class BadAnswer(PeerUnreachable):
    """The peer's answer is not a permitted message."""

    def __init__(self, peer: PartyId, sentence: str) -> None:
        super().__init__(peer, sentence, Trouble.BAD_ANSWER)
