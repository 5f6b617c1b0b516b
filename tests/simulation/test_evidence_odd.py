"""Whatever a node signs is judged, and never an error: odd facts in entries, headers, notices and receipts."""

from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any

import msgspec
import pytest

from node.domain.evidence.counterparts import verify_together
from node.domain.evidence.lines import EntryLine, FrameLine, NoticesLine, ReceiptsLine
from node.domain.journal import Act
from tests.fakes.evidence import NORMS, checked, lines
from tests.fakes.hostile import (
    Book,
    batch_of,
    detail_of,
    entry_again,
    entry_telling,
    frame_again,
    notices_again,
    receipts_again,
    receipts_of,
)
from tests.fakes.propagation import HOME
from tests.simulation.bundles import verified_once
from tests.simulation.scene import FIRST, Scene, played

pytestmark = pytest.mark.no_cover  # what this runs is covered by others, and measuring it doubles its time

ROUNDS = 60
MOMENTS = [datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC) for year in (1900, 1999, 2026, 2027, 2100, 2999)]
ODD: list[Any] = [None, "", "x", "é\n\0", -1, 0, 1 << 50, "0" * 64, "f" * 32, "2026-06-01T04:00:00Z", "RECEIVED"]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with played(tmp_path_factory.mktemp("odd")) as opened:
        yield opened


def odd_entry(line: EntryLine, chance: Random) -> EntryLine:
    """An entry of another act, time or party, or with odd facts in its detail."""
    detail = detail_of(line)
    for name in chance.sample(sorted(detail), min(len(detail), chance.randint(0, 2))):
        detail[name] = chance.choice(ODD)
    detail |= {chance.choice(["body", "notices", "effect", "held", "receipt"]): chance.choice(ODD)}
    again = entry_telling(line, detail)
    odd: dict[str, Any] = {
        "act": chance.choice(list(Act)),
        "at": chance.choice(MOMENTS),
        "counterparty": chance.choice(["", "a b\n", "-"]),
    }
    return entry_again(again, **{name: odd[name] for name in chance.sample(sorted(odd), chance.randint(0, 1))})


def odd_line(book: Book, at: int, chance: Random) -> Any:
    line, keys = book.lines[at], book.node.context.keys
    match line:
        case EntryLine():
            return odd_entry(line, chance)
        case FrameLine():
            odd = {
                "time": chance.choice(MOMENTS), "epoch": chance.choice([0, 0xFFFFFFFF]), "recipient": "a b\n",
                "push_sequence": 1 << 52, "purpose": "", "count": 1 << 52,
            }  # fmt: skip
            name = chance.choice(sorted(odd))
            return frame_again(line, keys.frame, **{name: odd[name]})
        case NoticesLine():
            at_odd = chance.choice(MOMENTS)
            notices = [
                msgspec.structs.replace(one, occurred_at=at_odd, due=chance.choice(MOMENTS))
                for one in batch_of(line).notices
            ]
            return notices_again(line, keys.document, notices=tuple(notices * chance.randint(1, 2)))
        case ReceiptsLine():
            batch = receipts_of(line)
            key = book.node.context.keys.document
            odd_receipts: Any = [msgspec.structs.replace(one, at=chance.choice(MOMENTS)) for one in batch.receipts]
            return receipts_again(line, key, receipts=tuple(odd_receipts * chance.randint(0, 2)))[0]
        case _:
            return line


@pytest.mark.parametrize("seed", range(6))
def test_whatever_a_node_signs_is_judged_and_never_an_error(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    verified_once(monkeypatch)
    chance, book = Random(seed), scene.books[(HOME, FIRST)[seed % 2]]
    places = [
        at for at, one in enumerate(book.lines) if isinstance(one, EntryLine | FrameLine | NoticesLine | ReceiptsLine)
    ]
    for _ in range(ROUNDS):
        odd = {at: odd_line(book, at, chance) for at in chance.sample(places, chance.randint(1, 3))}
        bundle = book.putting(odd).signed()
        checked(bundle, scene.anchors)
        other = scene.books[FIRST if seed % 2 == 0 else HOME]
        opened = [
            (one.node.party, lambda raw=raw: lines(raw)) for one, raw in ((book, bundle), (other, other.manifested()))
        ]
        reports = verify_together(opened, scene.anchors, NORMS)

        assert len(reports) == 3
