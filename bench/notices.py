"""Notices: changes of records that a bank holds, delivered, applied there and receipted to home."""

from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from time import perf_counter

from bench.arrival_ceilings import Arrival, Arriving
from bench.ceilings import serving
from bench.network import Network
from bench.pushes import LOOK_EVERY, Pusher, messages_of, pour, until
from bench.records import change
from bench.results import Effort, Row, row
from bench.varied import PORTION
from node.domain.receipts import CopyStage
from node.operations.ports import UnitOfWork

NOTICE = 330
"""Bytes of a notice in its signed batch, about; its new version goes along in a frame."""
_DONE = {CopyStage.APPLIED, CopyStage.DELETED, CopyStage.NOT_HELD}


def measure_notices(network: Network, pusher: Pusher, effort: Effort) -> list[Row]:
    """Notices a second, beside a stream of as many bytes that is only parsed and inserted."""
    messages = messages_of(network, effort.noticed, header=NOTICE * PORTION)
    with ProcessPoolExecutor(1, get_context("spawn")) as client, ExitStack() as stack:
        task = Arriving(network.place.url(), Arrival.PARSED)
        ceiling = stack.enter_context(serving(task, network.tls()))
        pairs = []
        for turn in range(effort.rounds + 1):
            ours = _noticed(pusher, effort.noticed, turn + 1)
            pairs.append((ours, effort.noticed * pour(client, network, ceiling, messages)))
    return [row("notices / parsed", network.place.store, "notices/s", *zip(*pairs[1:], strict=True))]


def _noticed(pusher: Pusher, count: int, turn: int) -> float:
    """Change the first records of the supply while home is away; from its return, notices a second."""
    network, home = pusher.network, pusher.home
    network.home.stop()
    change(home, pusher.supply.changed(range(count), turn))
    with home.store.read() as work:
        last = _last(work)
    network.home.serve()
    began = perf_counter()
    until("every holder has followed", lambda: _followed(pusher, last), every=LOOK_EVERY)
    rate = count / (perf_counter() - began)
    with home.store.read() as work:
        waiting = [one for one in work.notices.page(0, last, only_open=True) if one.stage not in _DONE]
    if waiting:
        raise SystemExit(f"{len(waiting)} notices were passed over")
    return rate


def _last(work: UnitOfWork) -> int:
    after = 0
    while page := work.notices.page(after, 10_000, only_open=True):
        after = page[-1].number
    return after


def _followed(pusher: Pusher, last: int) -> bool:
    """Whether the last notice was receipted as followed; they are told, and receipted, in order."""
    with pusher.home.store.read() as work:
        found = work.notices.find(last)
    return found is not None and found[0].stage in _DONE
