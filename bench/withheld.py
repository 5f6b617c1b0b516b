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
from bench.withheld_inside import read_times

KIND = "201"
SEED = 20_260_101
SUBJECTS = 200
PART = 2_000
"""Questions of each asker that are authorised at once."""
LONG_AGO = "2001-02-03"
"""A penalty of this day has not been disclosed for many years (S 31)."""


def measure_withheld(network: Network, effort: Effort) -> list[Row]:
    """Ask about subjects of which nothing is shown, withheld and absent ones; then guess which was which.

    Once as a partner does, over a network, and once as nobody outside can, by the time that finding and rendering take.
    Chance is the same guess about two absent ones.
    """
    asker, store = Asker.of(network), network.place.store
    withheld = asker.about(asker.pseudonyms_of(network, _withhold(network)), {KIND})
    absent = [withheld.about([urandom(16) for _ in range(SUBJECTS)]) for _ in range(2)]
    with ProcessPoolExecutor(1, get_context("spawn")) as client:
        asked = _ask(network, (withheld, *absent), effort.guessed, client)
    read = read_times(network, effort.guessed)
    return [
        row(f"{name}{what}", store, "right guesses", [guessed], [0.5])
        for name, times in (("withheld_or_absent", asked), ("withheld_or_absent inside", read))
        for what, guessed in _guessed(times).items()
    ]


_Times = Sequence[Sequence[float]]
"""Seconds that each of some questions took that were asked together: about a withheld subject, and two absent ones."""


def _ask(network: Network, askers: Sequence[Asker], count: int, client: ProcessPoolExecutor) -> _Times:
    """Let a partner ask one question of each asker, in an order drawn anew, so many times."""
    random, times = Random(SEED), list[Sequence[float]]()
    while len(times) < count:
        # In parts, each authorised just before: an authorisation lives for ten minutes.
        messages = zip(*(one.messages(Shape.UNARY, min(PART, count - len(times))) for one in askers), strict=True)
        orders, asked = list[list[int]](), list[bytes]()
        for together in messages:
            orders.append(random.sample(range(len(askers)), len(askers)))
            asked += [together[place] for place in orders[-1]]
        load = Load(address=network.server.address, tls=network.tls(), shape=Shape.UNARY, callers=1, messages=asked)
        answers = client.submit(drive, load).result()
        _check_silent(answers.example)
        taken = iter(answers.latencies)
        times += [[seconds for _, seconds in sorted(zip(order, taken, strict=False))] for order in orders]
    return times


def _guessed(times: _Times) -> dict[str, float]:
    """Shares of right guesses which of a pair is withheld, and, as a measure of chance, which of two absent ones is."""
    return {
        "": _best([(withheld, absent) for withheld, absent, _ in times]),
        ": chance": _best([(other, absent) for _, absent, other in times]),
    }


def _best(pairs: "_Pairs") -> float:
    """The better of two classifiers that were taught on the first half of the pairs, on the second half."""
    half = len(pairs) // 2
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
