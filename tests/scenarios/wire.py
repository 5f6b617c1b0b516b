"""A client that speaks raw bytes to a serving node with another node's own keys, and keeps what was exchanged."""

import os
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self, cast

import grpc
from creditport.v1 import exchange_pb2, inspection_pb2

from agreements.authorisation import KIND, LIFETIME, Authorisation
from agreements.signatures import sign_document
from crypto.canonical import from_base64
from crypto.pseudonym import blind, subject_input
from node.keys import OpenKeys, open_node_keys
from node.wire.methods import Method
from node.wire.tls import Identity, channel_credentials, target_name
from registry.parties import PartyCard, PartyId, read_card
from tests.scenarios.cast import FINANCING, Actor

PATIENCE = 60


@dataclass
class RawClient:
    """Speaks as `caller` to `home`, message by message. `exchanged` are all requests and responses, in order."""

    caller: Actor
    home: Actor
    keys: OpenKeys = field(init=False, repr=False)
    exchanged: list[bytes] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        self.keys = open_node_keys(self.caller.folder / "keystore.json", self.caller.passphrase)
        own, other = card_of(self.caller), card_of(self.home)
        identity = Identity.of(from_base64(own.tls_certificate), self.keys.tls_secret)
        credentials = channel_credentials(identity, from_base64(other.tls_certificate))
        name = ("grpc.ssl_target_name_override", target_name(PartyId(self.home.party)))
        self._channel = grpc.secure_channel(f"127.0.0.1:{self.home.port}", credentials, options=[name])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()

    def call(self, method: Method, request: bytes) -> bytes:
        """One unary call; grpc.RpcError when it is refused."""
        self.exchanged.append(request)
        try:
            # Without serialisers, requests and responses are bytes; the stubs cannot say so.
            response: bytes = cast("Any", self._channel.unary_unary(method.value))(request, timeout=PATIENCE)
        except grpc.RpcError as error:
            self.exchanged.append(told(error))
            raise
        self.exchanged.append(response)
        return response

    def attempt(self, method: Method, request: bytes) -> None:
        """One unary call, whatever comes of it."""
        with suppress(grpc.RpcError):
            self.call(method, request)

    def pseudonyms(self, agreement: str, key: str, subjects: Collection[str]) -> list[bytes]:
        """Have unified codes evaluated in the agreement's first epoch, whose public key (hex) is `key`."""
        blinding = blind([subject_input("CN-USCC", code) for code in subjects])
        request = exchange_pb2.EvaluateRequest(
            request_id=os.urandom(16), agreement=bytes.fromhex(agreement), epoch=1, blinded=blinding.blinded
        )
        raw = self.call(Method.EVALUATE, request.SerializeToString(deterministic=True))
        answer = exchange_pb2.EvaluateResponse.FromString(raw)
        return blinding.finalize(list(answer.evaluated), answer.proof, bytes.fromhex(key))

    def authorisation(self, agreement: str, pseudonym: bytes, kinds: Collection[str]) -> bytes:
        """A signed authorisation, as the caller's node would make it for a customer who consented."""
        now = datetime.now(UTC).replace(microsecond=0)
        document = Authorisation(
            agreement=agreement, consent_commitment=os.urandom(32).hex(), epoch=1, expires_at=now + LIFETIME,
            kinds=tuple(sorted(kinds)), nonce=os.urandom(16).hex(), pseudonym=pseudonym.hex(), purpose=FINANCING,
            requester=PartyId(self.caller.party), suite=1, valid_from=now,
        )  # fmt: skip
        return sign_document(KIND, document, self.keys.node.document)

    def question(self, agreement: str, pseudonym: bytes, asked: Mapping[str, Collection[str]]) -> bytes:
        """One QueryRequest about one subject."""
        request = exchange_pb2.QueryRequest(
            request_id=os.urandom(16), agreement=bytes.fromhex(agreement), epoch=1, purpose=FINANCING,
            asked=[exchange_pb2.KindSelection(kind=kind, fields=sorted(asked[kind])) for kind in sorted(asked)],
            item=exchange_pb2.QueryItem(
                pseudonym=pseudonym, authorisation=self.authorisation(agreement, pseudonym, asked)
            ),
        )  # fmt: skip
        return request.SerializeToString(deterministic=True)

    def query(self, request: bytes) -> exchange_pb2.QueryResponse:
        """Ask it."""
        return exchange_pb2.QueryResponse.FromString(self.call(Method.QUERY, request))

    def prove(self, leaf: bytes) -> inspection_pb2.ProveJournalResponse:
        """Have one leaf of the journal proven."""
        request = inspection_pb2.ProveJournalRequest(leaf_hash=leaf)
        raw = self.call(Method.PROVE_JOURNAL, request.SerializeToString(deterministic=True))
        return inspection_pb2.ProveJournalResponse.FromString(raw)


def card_of(actor: Actor) -> PartyCard:
    """What a node's party card says."""
    return read_card(actor.card.read_bytes()).card


def told(error: grpc.RpcError) -> bytes:
    """Everything a failed call said: its words and its trailing metadata."""
    call = cast("grpc.Call", error)
    words = [str(call.details()).encode()]
    for key, value in cast("Iterable[tuple[str, str | bytes]]", call.trailing_metadata()):
        words += [key.encode(), value if isinstance(value, bytes) else value.encode()]
    return b"\n".join(words)
