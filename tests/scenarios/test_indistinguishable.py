"""No such enterprise, a withheld record and no record of the kind: one answer, equal in all but randomness.

So is a name that was never evaluated, next to that of an enterprise of which much is shown: home looks there instead.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from creditport.v1 import exchange_pb2

from crypto.envelope import parse
from crypto.frame import KIND, FrameHeader, open_header
from crypto.keys import Purpose
from crypto.sealing import unseal
from node.wire.methods import Method, request_digest
from registry.parties import read_card
from tests.scenarios.cast import World
from tests.scenarios.wire import RawClient

RANDOM = {"frame", "body", "journal_leaf", "request", "authorisation"}
"""Drawn by chance, or digests over what was. `time` is the clock's."""

CASES = ("absent", "withheld", "without", "beside")


@dataclass(frozen=True)
class Silence:
    """One answer with nothing in it, as it came over the wire and as home keeps it."""

    response: exchange_pb2.QueryResponse
    header: FrameHeader
    plaintext: bytes
    request: bytes


@pytest.fixture(scope="module")
def silences(world: World, agreement: str) -> dict[str, Silence]:
    """The same question about penalties, asked under four names of which nothing is shown."""
    home = world.home
    punished = {row["uscc"] for row in home.penalties}
    without = next(code for code in home.codes if code not in punished)
    subjects = (home.absent, home.old_penalty_only, without, home.recent_penalty)
    terms = world.bank.ask("agreement", "show", agreement)["terms"]
    granted = {kind["kind"]: [one["name"] for one in kind["fields"]] for kind in terms["kinds"]}
    with RawClient(world.bank, world.agency) as client:
        *names, shown = client.pseudonyms(agreement, terms["epochs"][0]["public_key"], subjects)
        names.append(before(shown))
        requests = [client.question(agreement, name, {"201": granted["201"]}) for name in names]
        return {case: opened(world, client, request) for case, request in zip(CASES, requests, strict=True)}


def before(pseudonym: bytes) -> bytes:
    """The name just before another one in any index: whoever looks for it meets that one next."""
    return (int.from_bytes(pseudonym) - 1).to_bytes(len(pseudonym))


def opened(world: World, client: RawClient, request: bytes) -> Silence:
    response = client.query(request)
    header, _ = open_header(response.frame.header, read_card(world.agency.card.read_bytes()).key(Purpose.FRAME))
    plaintext = unseal(client.keys.node.seal, response.frame.body, header.binding().info())
    return Silence(response, header, plaintext, request)


def same(silences: dict[str, Silence], fact: Callable[[Silence], object]) -> bool:
    return len({fact(silences[case]) for case in CASES}) == 1


def fields(one: Silence) -> dict[str, Any]:
    read: dict[str, Any] = msgspec.json.decode(parse(one.response.frame.header, KIND).payload)
    return read


def test_the_withheld_record_is_really_there(world: World) -> None:
    """The control: home holds a penalty of this enterprise, and says to its own people why it is not shown."""
    shown = world.agency.ask("records", "list", "--kind", "201", "--limit", "1000")

    withheld = [one for one in shown if one["withheld"] == "DISCLOSURE_PERIOD_EXPIRED"]

    content = [world.agency.ask("records", "show", str(one["record"]))["content"] for one in withheld[-1:]]
    assert [one["decision_no"].partition("〕")[2] for one in content] == ["旧0000001号"]


def test_the_answers_are_equal_in_length(silences: dict[str, Silence]) -> None:
    """Whole responses, but for the home's newest checkpoint: all askers of one instant are shown the same one."""
    assert same(silences, lambda one: one.response.frame.ByteSize())
    assert same(silences, lambda one: len(one.response.frame.header))
    assert same(silences, lambda one: len(one.response.frame.body))
    assert same(silences, lambda one: sorted(field.name for field, _ in one.response.ListFields()).__repr__())


def test_the_headers_differ_in_nothing_but_randomness_and_time(silences: dict[str, Silence]) -> None:
    headers = [fields(silences[case]) for case in CASES]

    assert len({tuple(header) for header in headers}) == 1
    differing = {name for name in headers[0] if len({str(header[name]) for header in headers}) > 1}
    assert RANDOM <= differing <= RANDOM | {"time"}
    for name in differing:
        assert len({len(header[name]) for header in headers}) == 1, name


def test_the_envelopes_differ_in_nothing_but_payload_and_signature(silences: dict[str, Silence]) -> None:
    def rest(one: Silence) -> str:
        envelope = msgspec.json.decode(one.response.frame.header)
        (signature,) = envelope["signatures"]
        return repr((list(envelope), envelope["payloadType"], signature["keyid"], len(signature["sig"])))

    assert same(silences, rest)


def test_the_sealed_bodies_hold_the_same_bytes(silences: dict[str, Silence]) -> None:
    assert same(silences, lambda one: one.plaintext)
    assert not same(silences, lambda one: one.response.frame.body)


def test_home_writes_down_entries_of_one_length(world: World, silences: dict[str, Silence]) -> None:
    """Neither the entry nor its detail, which an inspector may open, tells the three apart."""
    question = "SELECT length(entry), length(detail) FROM journal_entries WHERE leaf = ?"

    assert same(silences, lambda one: world.agency.rows(question, bytes.fromhex(one.header.journal_leaf))[0])


def test_home_keeps_in_its_ledger_that_nothing_was_shown(world: World, silences: dict[str, Silence]) -> None:
    question = "SELECT count(*) FROM disclosures d JOIN sent_frames f ON f.number = d.frame_no WHERE f.request = ?"
    shown = [world.agency.rows(question, request_digest(Method.QUERY, one.request)) for one in silences.values()]

    assert shown == [[(0,)]] * len(CASES)


def test_home_keeps_one_frame_of_one_shape_for_each(world: World, silences: dict[str, Silence]) -> None:
    question = "SELECT length(header), length(body), outcomes FROM sent_frames WHERE request = ?"

    assert same(silences, lambda one: world.agency.rows(question, request_digest(Method.QUERY, one.request))[0])


def test_the_same_request_again_is_answered_with_the_same_bytes(world: World, silences: dict[str, Silence]) -> None:
    for one in silences.values():
        with RawClient(world.bank, world.agency) as client:
            again = client.query(one.request)

        assert again.frame == one.response.frame
