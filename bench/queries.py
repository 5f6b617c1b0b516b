"""Queries on a real serving node, one a call and fifty a message, beside their ceilings."""

from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from csv import DictReader
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from multiprocessing import get_context
from os import urandom
from statistics import median

from creditport.v1 import exchange_pb2

from agreements.agreement import Agreement
from agreements.authorisation import KIND, LIFETIME, Authorisation
from agreements.signatures import sign_document
from agreements.terms import epoch_at
from bench.ceilings import Ceiling, Echo, serving
from bench.network import Network
from bench.query_ceiling import Composed
from bench.results import Effort, Row, row
from bench.wires import Answers, Load, Server, Shape, drive
from crypto import envelope
from crypto.frame import KIND as FRAME
from crypto.frame import FrameHeader
from crypto.keys import SigningKey, Suite
from crypto.pseudonym import own_pseudonyms, subject_input
from node.app.opening import utc_now
from node.domain.identifiers import Scheme
from node.operations.asked import AskedItem
from node.wire.outgoing import QueryCall, batch_query_call_to_wire, query_call_to_wire
from registry.parties import PartyId

PURPOSE = "CROSS_BORDER_FINANCING"
CALLERS = 64
STREAMS = 16
BATCH = 50
COMPOSED, ECHO = 1, 2
"""Places of the ceilings in a round; home is the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Makes distinct, authorised questions of the bank about home's subjects."""

    agreement: Agreement
    epoch: int
    requester: PartyId
    key: SigningKey
    pseudonyms: Sequence[bytes]
    kinds: frozenset[str]

    @classmethod
    def of(cls, network: Network) -> "Asker":
        """The asker of a network, about every enterprise there, in all that is agreed."""
        with network.keys(network.home) as home, home.store.read() as work:
            agreement = home.facts(work).agreements[bytes.fromhex(network.agreement)]
        epoch = epoch_at(agreement.terms, utc_now())
        assert epoch is not None
        with network.enterprises.open(encoding="utf-8", newline="") as lines:
            codes = [one["uscc"] for one in DictReader(lines) if one["uscc"]]
        with network.keys(network.bank) as bank:
            asker = cls(
                agreement=agreement, epoch=epoch.number, requester=bank.party, key=bank.context.keys.document,
                pseudonyms=(), kinds=frozenset(agreement.terms.precisions),
            )  # fmt: skip
        return asker.about(asker.pseudonyms_of(network, codes))

    def pseudonyms_of(self, network: Network, codes: Sequence[str]) -> list[bytes]:
        """The pseudonyms of unified codes; they are home's own, which are those that a bank would be given."""
        with network.keys(network.home) as home:
            seed = home.context.keys.pseudonym_seed
        inputs = [subject_input(Scheme.CN_USCC, code) for code in codes]
        return own_pseudonyms(seed, self.agreement.terms.agreement, self.epoch, inputs)

    def about(self, pseudonyms: Sequence[bytes], kinds: Collection[str] = ()) -> "Asker":
        """The same asker about other subjects, and only about these kinds if any are named."""
        return replace(self, pseudonyms=pseudonyms, kinds=frozenset(kinds) or self.kinds)

    def messages(self, shape: Shape, count: int) -> list[bytes]:
        """So many messages, each subject asked about as often as the others."""
        size, now = (1, BATCH)[shape is Shape.STREAM], datetime.now(UTC).replace(microsecond=0)
        subjects = self._subjects()
        write = query_call_to_wire if shape is Shape.UNARY else batch_query_call_to_wire
        return [
            write(self._call([self._item(next(subjects), now) for _ in range(size)])).raw for _ in range(count)
        ]  # fmt: skip

    def _subjects(self) -> Iterator[bytes]:
        while True:
            yield from self.pseudonyms

    def _call(self, items: Sequence[AskedItem]) -> QueryCall:
        return QueryCall(
            request_id=urandom(16),
            agreement=self.agreement.digest,
            epoch=self.epoch,
            purpose=PURPOSE,
            asked={kind: frozenset(self.agreement.terms.precisions[kind]) for kind in self.kinds},
            items=tuple(items),
            checkpoint=b"",
        )

    def _item(self, pseudonym: bytes, now: datetime) -> AskedItem:
        authorisation = Authorisation(
            agreement=self.agreement.digest.hex(),
            consent_commitment=urandom(32).hex(),
            epoch=self.epoch,
            expires_at=now + LIFETIME,
            kinds=tuple(sorted(self.kinds)),
            nonce=urandom(16).hex(),
            pseudonym=pseudonym.hex(),
            purpose=PURPOSE,
            requester=self.requester,
            suite=Suite.ONE,
            valid_from=now,
        )
        return AskedItem(pseudonym=pseudonym, authorisation=sign_document(KIND, authorisation, self.key))


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One server's turn in a round: what the client saw, and the processor time it took the server, in seconds."""

    answers: Answers
    cpu: float

    @property
    def cpu_each(self) -> float:
        """Microseconds of processor time for one message."""
        return 1e6 * self.cpu / len(self.answers.latencies)


class Arena:
    """Has the same messages answered by home and by its ceilings, in turns, round by round."""

    def __init__(self, network: Network, asker: Asker, client: ProcessPoolExecutor) -> None:
        self._network = network
        self._asker = asker
        self._client = client
        self._tls = network.tls()

    def rounds(self, shape: Shape, callers: int, count: int, rounds: int) -> list[tuple[Turn, ...]]:
        """For each round the turns of home, of the composed ceiling and of the echo."""
        warm = max(callers, len(self._asker.pseudonyms) // (1, BATCH)[shape is Shape.STREAM])
        servers = [self._network.server]
        first = self._turn(servers[0], shape, callers, self._asker.messages(shape, warm))
        with ExitStack() as stack:
            for ceiling in self._ceilings(shape, first.answers.example):
                servers.append(stack.enter_context(serving(ceiling, self._tls)))
                self._turn(servers[-1], shape, callers, self._asker.messages(shape, warm))
            done = []
            for _ in range(rounds):
                messages = self._asker.messages(shape, count)
                done.append(tuple(self._turn(server, shape, callers, messages) for server in servers))
                _sizes(shape, done[-1][0].answers.example)
        return done

    def _ceilings(self, shape: Shape, example: bytes) -> tuple[Ceiling, Ceiling]:
        """The composed ceiling and the echo, with answers of the size of this one."""
        answer, body = _sizes(shape, example)
        items = BATCH if shape is Shape.STREAM else 1
        return Composed(url=self._network.place.url(), items=items, answer=answer, body=body), Echo(answer)

    def _turn(self, server: Server, shape: Shape, callers: int, messages: list[bytes]) -> Turn:
        load = Load(address=server.address, tls=self._tls, shape=shape, callers=callers, messages=messages)
        before = server.cpu_seconds()
        answers = self._client.submit(drive, load).result()
        return Turn(answers=answers, cpu=server.cpu_seconds() - before)


def _sizes(shape: Shape, example: bytes) -> tuple[int, int]:
    """The size of an answer, and of the body sealed in it; refusals and empty frames would make numbers worthless."""
    message: exchange_pb2.QueryResponse | exchange_pb2.BatchQueryResponse
    if shape is Shape.UNARY:
        message = exchange_pb2.QueryResponse.FromString(example)
    else:
        message = exchange_pb2.BatchQueryResponse.FromString(example)
        if not message.HasField("frame") or message.refused_items:
            raise SystemExit(f"a batch was refused: {message.refusal.reason} {message.refused_items}")
    header = envelope.read_payload(envelope.parse(message.frame.header, FRAME), FrameHeader)
    if not header.count:
        raise SystemExit("a frame shows nothing")
    return len(example), len(message.frame.body)


def measure_queries(network: Network, effort: Effort) -> list[Row]:
    """Both ways to ask, and how much the second gains."""
    asker, store = Asker.of(network), network.place.store
    with ProcessPoolExecutor(1, get_context("spawn")) as client:
        arena = Arena(network, asker, client)
        unary = arena.rounds(Shape.UNARY, CALLERS, effort.queries, effort.rounds)
        batched = arena.rounds(Shape.STREAM, STREAMS, effort.batches, effort.rounds)
    rates = [[turn.answers.rate for turn in turns] for turns in unary]
    in_batches = [[turn.answers.rate * BATCH for turn in turns] for turns in batched]
    alone = [median(ours for ours, *_ in rates)] * len(in_batches)

    def beside(name: str, unit: str, rounds: Sequence[Sequence[float]], ceiling: int) -> Row:
        return row(name, store, unit, [one[0] for one in rounds], [one[ceiling] for one in rounds])

    return [
        beside("query_unary / composed", "queries/s", rates, COMPOSED),
        beside("query_unary / echo", "queries/s", rates, ECHO),
        *(beside(f"query_unary p{percent}", "ms", _percentiles(unary, percent), COMPOSED) for percent in (50, 99)),
        beside("query_unary cpu", "us/query", [[turn.cpu_each for turn in turns] for turns in unary], COMPOSED),
        beside("query_batched / composed", "queries/s", in_batches, COMPOSED),
        beside("query_batched / echo", "queries/s", in_batches, ECHO),
        beside("query_batched cpu", "us/query", [[turn.cpu_each / BATCH for turn in of] for of in batched], COMPOSED),
        row("query_batched / query_unary", store, "queries/s", [ours for ours, *_ in in_batches], alone),
    ]


def _percentiles(rounds: Sequence[Sequence[Turn]], percent: int) -> list[list[float]]:
    return [[turn.answers.percentile(percent) for turn in turns] for turns in rounds]
