"""The ceiling of queries: what no honest node can leave out of an answer, and nothing else.

For each message one signature and one seal, for each item one point read and one row, and one durable commit for all
messages that came together. Messages come together as a node's do, through the same coalescing thread.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from os import urandom

from bench.ceilings import Answer
from bench.databases import bare
from crypto.keys import Purpose, generate, generate_seal_key
from crypto.sealing import seal
from node.wire.coalesce import Coalescer

RECORD_SIZE = 350
RECORDS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """Answers messages about so many subjects with so many bytes, a sealed body of `body` bytes among them."""

    url: str
    items: int
    answer: int
    body: int

    def opened(self) -> Answer:
        """Open the database in the thread that answers."""
        thread = ThreadPoolExecutor(1)
        return Coalescer(thread.submit(_Composed, self).result().answer, thread).ask


class _Composed:
    """Lives in one thread, with the database it opened there."""

    def __init__(self, task: Composed) -> None:
        self._task = task
        self._key = generate(Purpose.FRAME, urandom)
        self._recipient = generate_seal_key(urandom).public
        self._database = bare(task.url)
        self._database.create("records", {"content": "bytes"})
        self._database.create("audit", {"entry": "bytes"})
        self._database.begin()
        self._database.insert("records", ["content"], [(urandom(RECORD_SIZE),) for _ in range(RECORDS)])
        self._database.commit()

    def answer(self, messages: Sequence[bytes]) -> list[bytes]:
        """Answer messages that came together, with one commit."""
        self._database.begin()
        answers = [self._one(message) for message in messages]
        entries = [(answer[:RECORD_SIZE],) for answer in answers for _ in range(self._task.items)]
        self._database.insert("audit", ["entry"], entries)
        self._database.commit()
        return answers

    def _one(self, message: bytes) -> bytes:
        digest = sha256(message).digest()
        start = int.from_bytes(digest[:4])
        content = b"".join(
            self._database.content((start + place) % RECORDS + 1) for place in range(self._task.items)
        )  # fmt: skip
        sealed = seal(self._recipient, content[: self._task.body].ljust(self._task.body, b"\0"), digest)
        return (self._key.sign(digest) + sealed).ljust(self._task.answer, b"\0")
