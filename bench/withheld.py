"""Withheld against absent: how often a clock tells a subject whose record is withheld from one that nobody knows."""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from csv import DictReader, DictWriter
from itertools import islice
from multiprocessing import get_context
from os import urandom
from pathlib import Path
from random import Random

from creditport.v1 import exchange_pb2

from bench.network import Network
from bench.queries import Asker
from bench.results import Effort, Row, row
from bench.wires import Load, Shape, drive

KIND = "201"
SEED = 20_260_101
SUBJECTS = 200
LONG_AGO = "2001-02-03"
"""A penalty of this day has not been disclosed for many years (S 31)."""


def measure_withheld(network: Network, effort: Effort) -> list[Row]:
    """Ask about pairs of subjects, one withheld and one absent, in either order; then guess which was which."""
    asker = Asker.of(network)
    withheld = asker.about(asker.pseudonyms_of(network, _withhold(network)), {KIND})
    absent = withheld.about([urandom(16) for _ in range(SUBJECTS)])
    with ProcessPoolExecutor(1, get_context("spawn")) as client:
        guessed = _guessed(network, (withheld, absent), effort.guessed, client)
    return [row("withheld_or_absent", network.place.store, "right guesses", [guessed], [0.5])]


def _guessed(network: Network, askers: tuple[Asker, Asker], count: int, client: ProcessPoolExecutor) -> float:
    """The share of right guesses of the better of two classifiers that were taught on the first half of the pairs."""
    random = Random(SEED)
    messages = list(zip(*(one.messages(Shape.UNARY, count) for one in askers), strict=True))
    withheld_first = [random.random() < 0.5 for _ in range(count)]
    asked = [
        message
        for pair, first in zip(messages, withheld_first, strict=True)
        for message in (pair if first else reversed(pair))
    ]
    load = Load(address=network.server.address, tls=network.tls(), shape=Shape.UNARY, callers=1, messages=asked)
    answers = client.submit(drive, load).result()
    _check_silent(answers.example)
    taken = list(zip(answers.latencies[::2], answers.latencies[1::2], strict=True))
    # As (seconds of the withheld one, seconds of the absent one).
    pairs = [pair if first else pair[::-1] for pair, first in zip(taken, withheld_first, strict=True)]
    half = count // 2
    return max(guess(pairs[:half])(pairs[half:]) for guess in (_slower_of_two, _beyond_a_threshold))


_Pairs = Sequence[tuple[float, float]]


def _slower_of_two(taught: _Pairs) -> Callable[[_Pairs], float]:
    """Guess that the slower of a pair is the withheld one, or the faster if that was so more often before."""
    slower = sum(withheld > absent for withheld, absent in taught) * 2 >= len(taught)
    return lambda pairs: sum((withheld > absent) == slower for withheld, absent in pairs) / len(pairs)


def _beyond_a_threshold(taught: _Pairs) -> Callable[[_Pairs], float]:
    """Guess each answer alone: withheld if it took longer (or less long) than what parted them best before."""
    labelled = sorted([(seconds, True) for seconds, _ in taught] + [(seconds, False) for _, seconds in taught])
    best, threshold, longer, above, below = 0, 0.0, True, len(taught), 0
    for seconds, is_withheld in labelled:
        above, below = above - is_withheld, below + (not is_withheld)
        right = above + below
        for score, direction in ((right, True), (2 * len(taught) - right, False)):
            if score > best:
                best, threshold, longer = score, seconds, direction

    def guess(pairs: _Pairs) -> float:
        right = sum(((withheld > threshold) == longer) + ((absent > threshold) != longer) for withheld, absent in pairs)
        return right / (2 * len(pairs))

    return guess


def _withhold(network: Network) -> list[str]:
    """Give enterprises without a penalty one that is too old to be shown; their codes."""
    folder = Path(network.enterprises).parent
    with (folder / "penalties.csv").open(encoding="utf-8", newline="") as lines:
        penalties = list(DictReader(lines))
    with network.enterprises.open(encoding="utf-8", newline="") as lines:
        punished = {one["uscc"] for one in penalties}
        clean = [
            one for one in DictReader(lines) if one["entity_type"] == "LIMITED" and one["uscc"] not in punished | {""}
        ]
    rows = [
        like
        | {name: one[name] for name in like if name in one}
        | {"decision_no": f"withheld {number}", "decided_on": LONG_AGO, "generated_on": LONG_AGO}
        for number, (one, like) in enumerate(zip(islice(clean, SUBJECTS), penalties, strict=False))
    ]
    file = folder / "withheld.csv"
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = DictWriter(lines, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    words = ("records", "import", str(file), "--kind", KIND, "--source", "SZ-CREDIT")
    loaded = network.home.ask(*words, expect=(0, 1))
    if loaded["new"] != len(rows):
        raise SystemExit(f"records to withhold were not loaded: {loaded['new']} of {len(rows)}")
    return [one["uscc"] for one in rows]


def _check_silent(example: bytes) -> None:
    """An answer that refuses would make guessing easy, and the number worthless."""
    message = exchange_pb2.QueryResponse.FromString(example)
    if not message.HasField("frame"):
        raise SystemExit("a question was refused")
