"""What a bundle states, in rows for people; and who may order one."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import msgspec
import pytest

from agreements.refusal import Refusal
from crypto import envelope
from node.domain.evidence.lines import EntryLine, FrameLine, LeafLine, Opening
from node.domain.evidence.orders import ORDER_KIND, InspectionOrder
from node.domain.evidence.summaries import agreements_in, disclosures_in, holders_in, journal_in, notices_in
from node.domain.journal import Act
from node.operations.asked import RefusedAnswer
from node.operations.show_evidence import in_parts
from registry.parties import PartyId
from tests.fakes.evidence import checked, fetched, inspection_order, lines, read
from tests.fakes.exchange import reasons
from tests.fakes.hostile import header_of
from tests.fakes.propagation import HK, HOLDERS, HOME, SZ
from tests.simulation.scene import FIRST, PULLING, SECOND, Scene, ended, frames, played


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with played(tmp_path_factory.mktemp("views")) as opened:
        yield opened


def shown(scene: Scene) -> list[bytes]:
    return lines(scene.home.signed())


def test_agreements_are_told_with_what_was_filed(scene: Scene) -> None:
    told = agreements_in(shown(scene))

    assert [one.recipient for one in told] == list(HOLDERS)
    assert {one.provider for one in told} == {HOME}
    assert [(one.filed_with, one.late, one.ended_at) for one in told] == [([SZ], False, None)] * 3
    assert all(one.filed_at is not None and one.due_on is not None for one in told)


def test_the_end_of_an_agreement_is_told(scene: Scene) -> None:
    told = agreements_in(lines(ended(scene, FIRST).signed()))

    assert [one.ended_at for one in told] == [scene.now - timedelta(hours=2), None, None]


def test_disclosures_are_told_with_what_became_of_them(scene: Scene) -> None:
    told = disclosures_in(shown(scene))

    assert [one.frame for one in told] == [header_of(one).frame for one in frames(scene.home)]
    assert {one.state for one in told} == {"RECEIPTED"}
    assert [(one.recipient, one.renditions) for one in told if one.mode == "ANSWER"] == [(PULLING, 1)]
    assert sum(one.gone for one in told) == sum(
        copy.closed_by is not None for one in frames(scene.home) for copy in one.copies
    )


@pytest.mark.parametrize(
    ("refused", "cancelled", "state"), [("OVERSIZED", False, "REFUSED OVERSIZED"), (None, True, "CANCELLED")]
)
def test_frames_that_did_not_arrive_are_told(scene: Scene, refused: str | None, cancelled: bool, state: str) -> None:
    book = scene.home.once_more(time=scene.now, push_sequence=9)
    at = book.place(FrameLine, nth=-1)
    frame = msgspec.structs.replace(book.at(at, FrameLine), refused=refused, cancelled=cancelled)
    told = disclosures_in(lines(book.putting({at: frame}).signed()))

    assert told[-1].state == state


def test_notices_are_told_with_when_they_were_followed(scene: Scene) -> None:
    told = notices_in(shown(scene))

    assert {one.holder for one in told} == {FIRST, SECOND}
    assert sorted(one.effect for one in told) == ["DELETE", "DELETE", "REPLACE", "REPLACE"]
    assert {(one.stage, one.late, one.followed_at is None) for one in told} == {("DELETED", False, False)}


def test_holders_are_told_by_alias(scene: Scene) -> None:
    told = holders_in(shown(scene))

    assert sorted({one.holder for one in told}) == sorted(HOLDERS)
    assert sorted(one.holder for one in told if not one.held) == [FIRST, SECOND]
    assert {(one.copies, one.gone) for one in told if not one.held} == {(1, 1)}


def test_the_journal_is_told_entry_by_entry(scene: Scene) -> None:
    told = list(journal_in(shown(scene)))

    assert [one.entry for one in told] == list(
        range(len([1 for one in scene.home.lines if isinstance(one, EntryLine)]))
    )
    assert told[-1].act == Act.INSPECTION


def test_bare_leaves_count_and_what_does_not_read_is_passed_over(scene: Scene) -> None:
    bundle = lines(scene.home.signed())
    torn = [
        b"nothing\n" if number == 3 else b'["leaf","' + b"0" * 64 + b'"]\n' if raw.startswith(b'["entry"') else raw
        for number, raw in enumerate(bundle)
    ]
    broken = [raw.replace(b'\\"payload\\"', b'\\"payloae\\"') for raw in bundle]
    unopened = [b'["entry","{}","{}","' + b"0" * 64 + b'"]\n' if raw.startswith(b'["entry"') else raw for raw in bundle]

    assert (list(journal_in(torn)), disclosures_in(torn), notices_in(torn), holders_in(torn)) == ([], [], [], [])
    assert list(journal_in(unopened)) == []
    assert (agreements_in(broken), disclosures_in(broken), notices_in(broken), holders_in(broken)) == ([], [], [], [])


# Who may order a bundle


@dataclass(frozen=True, slots=True)
class Ordered:
    """What was wrong with an order, and how it was refused."""

    changes: dict[str, object]
    reason: Refusal


WRONG = (
    Ordered({"node": str(FIRST)}, Refusal.SIGNATURE_INVALID),
    Ordered({"authority": str(HK)}, Refusal.SIGNATURE_INVALID),
    Ordered({"issued_at": timedelta(hours=2)}, Refusal.AUTHORISATION_MISSING),
    Ordered({"expires_at": timedelta(hours=-2)}, Refusal.AUTHORISATION_MISSING),
    Ordered({"expires_at": timedelta(hours=30)}, Refusal.AUTHORISATION_MISSING),
    Ordered({"suite": 7}, Refusal.MALFORMED),
)


def order(scene: Scene, changes: dict[str, object], by: PartyId = SZ, signer: PartyId = SZ) -> bytes:
    """An order of an authority, with other facts; times are moved by a span."""
    good = envelope.read_payload(
        envelope.parse(inspection_order(scene.member(by), HOME), ORDER_KIND), InspectionOrder
    )  # fmt: skip
    facts = {
        name: getattr(good, name) + one if isinstance(one, timedelta) else one for name, one in changes.items()
    }  # fmt: skip
    key = scene.member(signer).context.keys.document
    return envelope.sign(ORDER_KIND, msgspec.structs.replace(good, **facts), [key])


def granted(answer: Iterator[bytes] | RefusedAnswer) -> Iterator[bytes]:
    assert not isinstance(answer, RefusedAnswer), answer
    return answer


@pytest.mark.parametrize("ordered", WRONG, ids=lambda one: str(one.changes))
def test_an_order_that_is_not_fit_is_refused_and_journalled(scene: Scene, ordered: Ordered) -> None:
    answer = scene.network.gateways[HOME].inspect(SZ, order(scene, ordered.changes))

    assert isinstance(answer, RefusedAnswer)
    assert answer.refused.reason is ordered.reason
    assert scene.member(HOME).journal()[-1].told == ("refused", ordered.reason.value)


def test_nobody_but_a_pinned_authority_orders_anything(scene: Scene) -> None:
    gateway = scene.network.gateways[HOME]
    by_a_party = gateway.inspect(FIRST, order(scene, {}, by=FIRST, signer=FIRST))
    by_another_key = gateway.inspect(SZ, order(scene, {}, signer=HK))

    assert isinstance(by_a_party, RefusedAnswer)
    assert isinstance(by_another_key, RefusedAnswer)
    assert by_a_party.refused.reason is Refusal.PARTY_NOT_ELIGIBLE
    assert by_another_key.refused.reason is Refusal.SIGNATURE_INVALID


def test_the_same_order_is_one_inspection_and_shows_the_same(scene: Scene) -> None:
    raw, gateway = order(scene, {}), scene.network.gateways[HOME]
    answers = [gateway.inspect(SZ, raw), gateway.inspect(SZ, raw)]
    scene.network.sequence(HOME)
    bundles = [b"".join(granted(gateway.inspect(SZ, raw))) for _ in range(2)]
    digest = envelope.parse(raw, ORDER_KIND).digest.hex()

    assert reasons(answers) == [Refusal.NOT_READY.value] * 2
    assert bundles[0] == bundles[1]
    assert [one.detail.get("order") for one in scene.member(HOME).journal()].count(digest) == 1


def test_who_does_not_list_a_node_sees_the_agreements_that_concern_it(scene: Scene) -> None:
    agreements = [bytes.fromhex(header_of(one).agreement) for one in frames(scene.home)]
    bundles = [
        fetched(scene.network, HK, HOME),
        fetched(scene.network, HK, HOME, agreements[:1]),
        fetched(scene.network, SZ, HOME, agreements[:1]),
    ]
    scopes = [line.scope for one in bundles for line in read(one) if isinstance(line, Opening)]

    assert [len(one or ()) for one in scopes] == [3, 1, 1]
    assert all(checked(one, scene.anchors).is_clean for one in bundles)
    assert all(any(isinstance(line, LeafLine) for line in read(one)) for one in bundles)


def test_a_bundle_comes_in_parts_of_one_size_but_for_the_last() -> None:
    parts = list(in_parts(iter([b"abc", b"", b"defgh", b"i"]), 4))

    assert parts == [b"abcd", b"efgh", b"i"]
    assert list(in_parts(iter([b"abcd"]), 4)) == [b"abcd"]
