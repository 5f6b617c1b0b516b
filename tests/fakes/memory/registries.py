"""The ports Generation, Operators, Registries and Peers."""

from collections.abc import Sequence

from node.operations.rows import ActRow, OperatorRow, PeerHead, StoredMirror, StoredStatement
from node.storage.errors import OutOfOrder
from registry.parties import PartyId
from tests.fakes.memory.state import Part, add_once


class MemoryGeneration(Part):
    def read(self) -> int:
        return self._seen.generation

    def move(self) -> None:
        self._changing.generation += 1


class MemoryOperators(Part):
    def add(self, operator: OperatorRow) -> bool:
        return add_once(self._changing.operators, operator.name, operator)

    def find(self, name: str) -> OperatorRow | None:
        return self._seen.operators.get(name)

    def all(self) -> list[OperatorRow]:
        return [operator for _, operator in sorted(self._seen.operators.items())]

    def record_act(self, act: ActRow) -> None:
        self._changing.acts.setdefault(act.digest, act)


class MemoryRegistries(Part):
    def pins(self) -> dict[PartyId, bytes]:
        return dict(self._seen.pins)

    def pin(self, authority: PartyId, card: bytes) -> None:
        self._changing.pins[authority] = card

    def mirror(self, authority: PartyId) -> StoredMirror:
        return StoredMirror(statements=self._seen.statements.get(authority, ()), head=self._seen.heads.get(authority))

    def extend(self, authority: PartyId, statements: Sequence[StoredStatement], head: bytes) -> None:
        state = self._changing
        grown = (*state.statements.get(authority, ()), *statements)
        if [one.number for one in grown] != list(range(len(grown))):
            raise OutOfOrder("registry statement: expected the next place of the log, got another one")
        state.statements[authority] = grown
        state.heads[authority] = head

    def heads(self) -> dict[PartyId, bytes]:
        return dict(self._seen.heads)


class MemoryPeers(Part):
    def head(self, peer: PartyId) -> PeerHead | None:
        return self._seen.peers.get(peer)

    def see(self, peer: PartyId, head: PeerHead) -> None:
        self._changing.peers[peer] = head
