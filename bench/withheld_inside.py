"""How long a home with many records takes to find out that it shows nothing, without a network and a commit.

Every subject is asked about once, so that what is read is rarely at hand: where an unknown subject reads less than
one whose records are withheld, that is seen here long before it is seen from outside. All that this home holds is
withheld, or the pages that were written to withhold some of it would be at hand sooner than the others.
"""

from os import urandom
from random import Random
from time import perf_counter

from agreements.permission import Granted
from bench.growth import copied, grow
from bench.network import Network
from bench.records import BATCH, Supply
from node.app.opening import Node, utc_now
from node.domain.dates import shanghai_day
from node.domain.records import Withheld
from node.domain.rendition import untold_through
from node.operations.disclose import show
from node.operations.ports import UnitOfWork
from node.operations.render import Disclosure
from node.operations.standing_rows import StandingRow

HOME = 100_000
KIND = "101"
SEED = 20_260_102
UNUSED = 2 * 10**9
"""The first place in the supply of subjects that home cannot have."""


def read_times(network: Network, count: int) -> list[list[float]]:
    """Seconds for each of so many withheld subjects, and for two that nobody knows, in an order drawn anew."""
    network.home.stop()
    with copied(network, "silent") as home:
        network.home.serve()
        random = Random(SEED)
        names = grow(network, home, Supply(UNUSED), HOME, HOME)
        for start in range(0, len(names), BATCH):
            _withhold(network, home, names[start : start + BATCH])
        with home.store.read() as work:
            disclosure = _disclosure(network, home, work)
            return [
                _read(work, [name, urandom(16), urandom(16)], disclosure, random)
                for name in random.sample(names, min(count, len(names)))
            ]


def _read(work: UnitOfWork, names: list[bytes], disclosure: Disclosure, random: Random) -> list[float]:
    granted = Granted(fields={KIND: disclosure.agreement.terms.precisions[KIND]})
    seconds = [0.0] * len(names)
    for place in random.sample(range(len(names)), len(names)):
        began = perf_counter()
        shown = show(work, [(names[place], granted)], disclosure)
        seconds[place] = perf_counter() - began
        if shown != [[]]:
            raise SystemExit("something was shown")
    return seconds


def _withhold(network: Network, home: Node, names: list[bytes]) -> None:
    """Withhold all that these pseudonyms lead to, as an order does."""
    with home.store.write() as work:
        disclosure = _disclosure(network, home, work)
        over = untold_through(shanghai_day(disclosure.at))
        found = work.pseudonyms.records(disclosure.agreement_no, disclosure.epoch, names, [KIND], over)
        work.standings.put([
            StandingRow(
                record_no=row.record_no, version=row.version + 1, withheld=frozenset({Withheld.SUSPENDED}), coming=(),
                disclose_until=row.disclose_until, facts=row.facts, fell=None, moved_at=disclosure.at,
            )
            for rows in found.values() for _, row in rows
        ])  # fmt: skip
        work.commit()


def _disclosure(network: Network, home: Node, work: UnitOfWork) -> Disclosure:
    desk = home.desk(work)
    return Disclosure(
        agreement=home.facts(work).agreements[network.digest], agreement_no=work.agreements.number(network.digest),
        epoch=network.epoch(home, work), law=desk.facts.law, vocabulary=desk.vocabulary, context=desk.context,
        at=utc_now(),
    )  # fmt: skip
