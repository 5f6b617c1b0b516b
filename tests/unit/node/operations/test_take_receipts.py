"""Home takes in receipts: signed by the holder, matched to frames that were sent, refused otherwise."""

from datetime import datetime

import pytest
from msgspec.structs import replace

from crypto.envelope import parse, sign
from crypto.frame import KIND as FRAME_KIND
from crypto.keys import SigningKey
from node.domain.receipts import KIND, MOST_RECEIPTS, Receipt, ReceiptBatch, Stage
from node.operations.asked import Answered, RefusedAnswer
from node.operations.take_receipts import take_receipts
from registry.parties import PartyId
from tests.fakes.exchange import SHOWN, answer, question
from tests.fakes.reading import renditions
from tests.fakes.world import AGENCY, BANK, HK, World

LEAF = "1f" * 32


def take(world: World, raw: bytes, peer: PartyId = BANK) -> RefusedAnswer | None:
    agency = world.agency
    return agency.write(lambda work: take_receipts(work, peer, raw, agency.facts(work), agency.context))


def receipt(world: World, given: Answered, header: str | None = None) -> Receipt:
    digest = parse(given.header, FRAME_KIND).digest.hex()
    return Receipt(
        at=world.clock(), frame=renditions(world, given)[0].frame, header=header or digest, journal_leaf=LEAF,
        stage=Stage.RECEIVED,
    )  # fmt: skip


def batch(
    world: World, *receipts: Receipt, holder: PartyId = BANK, home: PartyId = AGENCY, key: SigningKey | None = None
) -> bytes:
    made = ReceiptBatch(holder=holder, home=home, issued_at=world.clock(), receipts=receipts, suite=1)
    return sign(KIND, made, [key or world.bank.context.keys.document])


def receipted(world: World) -> list[datetime | None]:
    return [at for _, _, at in world.agency.read(lambda work: work.sent_frames.page(0, 100))]


def test_receipts_of_several_frames_come_in_one_signed_batch(world: World) -> None:
    frames = [answer(world, question(world, SHOWN)) for _ in range(2)]
    before = len(world.agency.journal())

    assert take(world, batch(world, *(receipt(world, one) for one in frames))) is None

    (written,) = world.agency.journal()[before:]
    assert receipted(world) == [world.clock()] * 2
    assert written.entry.act == "receipt"
    assert (written.detail["count"], written.detail["matched"]) == (2, 2)


def test_a_receipt_of_a_frame_never_sent_is_counted_and_not_kept(world: World) -> None:
    given = answer(world, question(world, SHOWN))

    assert take(world, batch(world, receipt(world, given, header="00" * 32))) is None

    assert receipted(world) == [None]
    assert world.agency.journal()[-1].detail["matched"] == 0


def test_the_first_receipt_of_a_frame_stands(world: World) -> None:
    given = answer(world, question(world, SHOWN))
    take(world, batch(world, receipt(world, given)))
    first = receipted(world)
    world.wait(minutes=1)

    take(world, batch(world, receipt(world, given)))

    assert receipted(world) == first


def test_a_revoked_holder_may_still_receipt(world: World) -> None:
    """A receipt discloses nothing, and proves what was disclosed."""
    given = answer(world, question(world, SHOWN))
    world.revoke(world.hk, BANK)

    assert take(world, batch(world, receipt(world, given))) is None
    assert receipted(world) == [world.clock()]


@pytest.mark.parametrize("field", ["frame", "header", "journal_leaf"])
def test_a_signed_receipt_whose_ids_are_no_ids_is_refused(world: World, field: str) -> None:
    one = replace(receipt(world, answer(world, question(world, SHOWN))), **{field: "no hexadecimal digits"})

    refused = take(world, batch(world, one))

    assert isinstance(refused, RefusedAnswer)
    assert refused.refused.reason == "MALFORMED"


@pytest.mark.parametrize("wrong", ["key", "holder", "home", "sender", "truncated", "unknown kind", "too many"])
def test_a_batch_that_is_not_the_holders_word_is_refused_journalled_and_changes_nothing(
    world: World, wrong: str
) -> None:
    one = receipt(world, answer(world, question(world, SHOWN)))
    hk_key = world.hk.context.keys.document
    given, peer, reason = {
        "key": (batch(world, one, key=hk_key), BANK, "SIGNATURE_INVALID"),
        "holder": (batch(world, one, holder=HK), BANK, "SIGNATURE_INVALID"),
        "home": (batch(world, one, home=HK), BANK, "SIGNATURE_INVALID"),
        "sender": (batch(world, one), HK, "SIGNATURE_INVALID"),
        "truncated": (batch(world, one)[:-1], BANK, "MALFORMED"),
        "unknown kind": (sign("receipt", b"{}", [hk_key]), BANK, "MALFORMED"),
        "too many": (batch(world, *[one] * (MOST_RECEIPTS + 1)), BANK, "OVERSIZED"),
    }[wrong]
    before = len(world.agency.journal())

    refused = take(world, given, peer)

    (written,) = world.agency.journal()[before:]
    assert isinstance(refused, RefusedAnswer)
    assert (refused.refused.reason, refused.leaf) == (reason, written.leaf)
    assert written.told == ("refused", reason)
    assert receipted(world) == [None]
