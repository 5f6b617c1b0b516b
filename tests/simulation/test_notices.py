"""Notices from a hostile or broken home, and to a holder that has lost its place: what they can and cannot do."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec.structs import replace

from agreements.refusal import Refused
from agreements.termination import Ending, Termination, terminate
from crypto import commitment, envelope
from crypto.commitment import Rendition, Value, make_rendition
from crypto.keys import Purpose, SigningKey, Suite
from crypto.merkle import leaf_hash
from node.domain.context import Context
from node.domain.notices import KIND, Effect, Notice, NoticeBatch
from node.domain.receipts import COPY_KIND, CopyReceipt, CopyReceiptBatch, CopyStage
from node.operations.asked import FrameArrived, FrameStored, NoticesTaken, RefusedAnswer
from node.operations.disclose import Occasion, disclose
from node.operations.keep_agreements import receive_document
from node.operations.keep_registry import revoke_party
from node.operations.ports import UnitOfWork
from node.operations.render import Shown
from node.operations.retry_notices import retry_notices
from node.operations.rows import NoticeRow
from node.operations.send_notices import Delivery, next_delivery
from registry.parties import PartyId
from registry.statements import RevocationReason
from tests.fakes.founding import copied, founded
from tests.fakes.members import Member
from tests.fakes.network import Network
from tests.fakes.propagation import (
    AGENCY,
    AUTHORITIES,
    BANKS,
    HK,
    HOME,
    address,
    agree,
    copies,
    corrected,
    deleted,
    differences,
    enterprise,
    load,
    push,
)

BANK, OTHER = BANKS[0].party, BANKS[1].party
PARTS = (*AUTHORITIES, AGENCY, *BANKS[:2])


@dataclass(frozen=True)
class Scene:
    """A network in which the bank holds four pushed records, and another bank holds them under its own agreement."""

    network: Network
    agreement: bytes
    other: bytes

    @property
    def home(self) -> Member:
        return self.network.members[HOME]

    @property
    def bank(self) -> Member:
        return self.network.members[BANK]

    def due(self) -> Delivery:
        """What home would tell the bank next."""
        delivery = self.home.write(lambda work: next_delivery(work, BANK, self.home.desk(work)))
        assert delivery is not None
        return delivery

    def tell(
        self, batch: bytes, replacement: FrameArrived | None = None, by: PartyId = HOME
    ) -> NoticesTaken | RefusedAnswer:
        return self.network.gateways[BANK].receive_notices(by, batch, replacement)

    def batch(self, *notices: Notice, key: SigningKey | None = None, **changed: Any) -> bytes:
        facts: dict[str, Any] = {
            "agreement": self.agreement.hex(), "first": 1, "holder": BANK, "home": HOME,
            "issued_at": self.network.clock(), "journal_leaf": "0f" * 32, "notices": notices, "previous": None,
            "suite": Suite.ONE,
        }  # fmt: skip
        made = NoticeBatch(**(facts | changed))
        return envelope.sign(KIND, made, [key or self.home.context.keys.document])

    def notice(self, place: int = 0, **changed: Any) -> Notice:
        """A deletion of one of the bank's copies."""
        at = self.network.clock()
        made = Notice(
            alias=self.alias(place).hex(), basis="0b" * 32, due=at, effect=Effect.DELETE,
            notice=f"{place:02x}" * 16, occurred_at=at, version=2,
        )  # fmt: skip
        return replace(made, **changed)

    def alias(self, place: int, holder: PartyId = BANK) -> bytes:
        return sorted(copy.alias for copy in copies(self.network, holder))[place]

    def told(self) -> tuple[str, str]:
        """The bank's newest entry."""
        return self.bank.journal()[-1].told

    def stages(self) -> list[tuple[str, str]]:
        rows: Sequence[NoticeRow] = self.home.read(lambda work: work.notices.page(0, 100, only_open=False))
        return [(row.effect, row.stage) for row in rows if row.peer == BANK]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes, bytes]:
    folder = tmp_path_factory.mktemp("notices")
    with founded(PARTS, folder) as network:
        agreements = [agree(network, HOME, holder) for holder in (BANK, OTHER)]
        load(network, HOME, [enterprise(number) for number in range(4)])
        for agreement in agreements:
            push(network, HOME, agreement)
        network.settle()
    return folder, agreements[0], agreements[1]


@pytest.fixture
def scene(template: tuple[Path, bytes, bytes], tmp_path: Path) -> Iterator[Scene]:
    folder, agreement, other = template
    with copied(folder, PARTS, tmp_path, seed=3) as network:
        yield Scene(network, agreement, other)


def refusal(answer: object) -> str:
    assert isinstance(answer, RefusedAnswer), answer
    return answer.refused.reason.value


def test_a_gap_changes_nothing_and_is_answered_with_the_number_expected(scene: Scene) -> None:
    answer = scene.tell(scene.batch(scene.notice(), first=7, previous="0a" * 32))

    assert answer == NoticesTaken(expected=1)
    assert scene.told() == ("refused", "OUT_OF_ORDER")
    assert len(copies(scene.network, BANK)) == 4


def test_the_same_batch_again_is_answered_alike_and_done_once(scene: Scene) -> None:
    raw = scene.batch(scene.notice())

    assert [scene.tell(raw), scene.tell(raw)] == [NoticesTaken(expected=2)] * 2
    assert len(copies(scene.network, BANK)) == 3
    assert [one.told[0] for one in scene.bank.journal()].count("notices.taken") == 1


def test_a_second_telling_of_the_same_numbers_is_refused_and_kept_as_evidence(scene: Scene) -> None:
    scene.tell(scene.batch(scene.notice(0)))
    other = scene.batch(scene.notice(1))

    assert refusal(scene.tell(other)) == "REPLAYED"
    assert refusal(scene.tell(scene.batch(scene.notice(2), first=2, previous="0a" * 32))) == "REPLAYED"
    entry = scene.bank.journal()[-1]
    digest = envelope.parse(other, KIND).digest

    def kept_again(work: UnitOfWork) -> bool:
        return work.evidence.keep(HOME, digest, other, scene.network.clock(), 100)

    assert set(entry.detail) >= {"held", "shown"}
    assert not scene.bank.write(kept_again), "the contradicting batch is kept already"
    assert len(copies(scene.network, BANK)) == 3


@pytest.mark.parametrize(
    ("changed", "by", "reason"),
    [
        ({"key": SigningKey(Purpose.DOCUMENT, b"\x5a" * 32)}, HOME, "SIGNATURE_INVALID"),
        ({"holder": OTHER}, HOME, "SIGNATURE_INVALID"),
        ({}, OTHER, "SIGNATURE_INVALID"),
        ({"agreement": "0f" * 32}, HOME, "AGREEMENT_MISSING"),
    ],
)
def test_a_batch_that_is_not_home_s_word_to_this_holder_changes_nothing(
    scene: Scene, changed: dict[str, Any], by: PartyId, reason: str
) -> None:
    assert refusal(scene.tell(scene.batch(scene.notice(), **changed), by=by)) == reason
    assert scene.told() == ("refused", reason)
    assert len(copies(scene.network, BANK)) == 4


def test_nobody_deletes_copies_under_an_agreement_in_which_it_is_not_the_provider(scene: Scene) -> None:
    """The bank itself signs rightly, to the agency, about the agreement in which it is the recipient."""
    raw = scene.batch(scene.notice(), key=scene.bank.context.keys.document, home=BANK, holder=HOME)
    answer = scene.network.gateways[HOME].receive_notices(BANK, raw, None)

    assert refusal(answer) == "AGREEMENT_MISSING"


def test_an_alias_of_another_agreement_means_nothing_here(scene: Scene) -> None:
    scene.tell(scene.batch(scene.notice(alias=scene.alias(0, OTHER).hex())))

    assert len(copies(scene.network, BANK)) == 4
    assert [one.stage for _, one in scene.bank.read(lambda work: work.notices_taken.page(0, 10))] == ["NOT_HELD"]


def forged(scene: Scene, rendition: Rendition, agreement: bytes | None = None) -> FrameArrived:
    """A frame that home's own keys sign, around a rendition of the test's making."""
    known = scene.home.known().agreements[agreement or scene.agreement]
    context: Context = scene.home.context
    one = Shown(
        record_no=1, record_version=2, identifier_no=1, fields=None, body=commitment.encode(rendition),
        commitment=commitment.commitment(rendition),
    )  # fmt: skip
    occasion = Occasion(recipient=BANK, epoch=1, sequence=99)
    made = disclose([one], [], occasion, known, context, scene.bank.card.key(Purpose.SEAL))
    header, _ = made.sign(leaf_hash(b"an entry"), context, scene.network.clock())
    return FrameArrived(header=header, body=made.sealed.body)


def newer(scene: Scene, place: int = 0, fields: frozenset[str] | None = None, **header: Any) -> Rendition:
    """The next version of a copy that the bank holds, in some of its fields or (None) all."""

    def act(work: UnitOfWork) -> bytes:
        return work.copies.held(scene.agreement, [scene.alias(place)])[0].rendition

    old = commitment.decode(scene.bank.read(act))
    values = {name: value for name, value in old.values().items() if fields is None or name in fields}
    return make_rendition(replace(old.header, **({"version": 2} | header)), values, scene.home.context.random)


def replacing(scene: Scene, place: int = 0, **changed: Any) -> Notice:
    return scene.notice(place, effect=Effect.REPLACE, **changed)


def versions(scene: Scene) -> list[int]:
    return sorted(copy.version for copy in copies(scene.network, BANK))


def test_a_new_version_takes_the_place_of_the_old_one_and_is_kept_no_longer(scene: Scene) -> None:
    scene.network.clock.forward(days=10)
    scene.network.hear()
    before = scene.bank.read(lambda work: work.copies.held(scene.agreement, [scene.alias(0)])[0].keep_until)

    assert scene.tell(scene.batch(replacing(scene)), forged(scene, newer(scene))) == NoticesTaken(expected=2)

    after = scene.bank.read(lambda work: work.copies.held(scene.agreement, [scene.alias(0)]))
    assert [(one.wire_version, one.keep_until) for one in after] == [(2, before)]
    assert versions(scene) == [1, 1, 1, 2]


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda scene: forged(scene, newer(scene, place=1)), "AGREEMENT_SCOPE"),
        (lambda scene: forged(scene, newer(scene, version=3)), "AGREEMENT_SCOPE"),
        (lambda scene: FrameArrived(header=forged(scene, newer(scene)).header, body=b"another"), "MALFORMED"),
        (lambda _: FrameArrived(header=b"{}", body=b"body"), "MALFORMED"),
    ],
    ids=["of an alias that no notice names", "of a version that no notice names", "another body", "no header"],
)
def test_a_replacement_that_no_notice_announces_is_refused_and_the_notices_are_applied(
    scene: Scene, make: Any, reason: str
) -> None:
    answer = scene.tell(scene.batch(replacing(scene)), make(scene))

    assert isinstance(answer, NoticesTaken)
    assert (answer.expected, refusal(answer.refused)) == (2, reason)
    assert versions(scene) == [1, 1, 1]


def test_a_deletion_announces_no_new_version(scene: Scene) -> None:
    answer = scene.tell(scene.batch(scene.notice()), forged(scene, newer(scene)))

    assert isinstance(answer, NoticesTaken)
    assert refusal(answer.refused) == "AGREEMENT_SCOPE"
    assert versions(scene) == [1, 1, 1]


def test_a_new_version_with_a_field_that_was_not_held_is_left_out(scene: Scene) -> None:
    some = frozenset({"region", "status_code"})
    scene.tell(scene.batch(replacing(scene)), forged(scene, newer(scene, fields=some)))
    held = {copy.version: copy for copy in copies(scene.network, BANK)}[2]
    wider = make_rendition(
        replace(newer(scene, place=sorted(one.alias for one in copies(scene.network, BANK)).index(held.alias)).header,
                version=3),
        {**cast("dict[str, Value]", held.values), "has_lei": False},
        scene.home.context.random,
    )  # fmt: skip
    previous = scene.bank.read(lambda work: work.notices_taken.stream(HOME)).last
    notice = replacing(scene, 1, alias=held.alias.hex(), version=3)
    answer = scene.tell(scene.batch(notice, first=2, previous=previous.hex()), forged(scene, wider))

    assert answer == NoticesTaken(expected=3)
    assert versions(scene) == [1, 1, 1], "withdrawn, and not put back with more than was shown before"


def test_a_replacement_after_the_agreement_ended_is_refused_and_the_copy_withdrawn(scene: Scene) -> None:
    frame = forged(scene, newer(scene))
    end(scene, at=BANK)

    answer = scene.tell(scene.batch(replacing(scene)), frame)

    assert isinstance(answer, NoticesTaken)
    assert refusal(answer.refused) == "AGREEMENT_EXPIRED"
    assert versions(scene) == [1, 1, 1]


def end(scene: Scene, at: PartyId) -> None:
    """The bank ends the agreement, as one side hears it."""
    now, member = scene.network.clock(), scene.network.members[at]
    declared = Termination(
        agreement=scene.agreement.hex(), party=BANK, reason=Ending.BREACH, effective_at=now, issued_at=now, suite=1
    )
    raw = terminate(declared, scene.bank.context.keys.document)
    by = BANK if at == HOME else HOME

    def act(work: UnitOfWork) -> object:
        return receive_document(work, by, raw, member.facts(work), member.context)

    answer = member.write(act)
    assert not isinstance(answer, RefusedAnswer), answer


def test_after_the_agreement_ended_home_only_withdraws_what_it_corrects_and_still_deletes(scene: Scene) -> None:
    end(scene, at=HOME)
    corrected(scene.network, HOME, 1, {"status": "REVOKED"})
    deleted(scene.network, HOME, 2)

    assert scene.due().replacement is None
    scene.network.settle()

    assert len(copies(scene.network, BANK)) == 2
    assert scene.stages() == [("REPLACE", "DELETED"), ("DELETE", "DELETED")]


def test_what_was_made_to_go_along_does_not_go_any_more_once_the_agreement_ended(scene: Scene) -> None:
    corrected(scene.network, HOME, 1, {"status": "REVOKED"})
    assert scene.due().replacement is not None
    end(scene, at=HOME)

    assert scene.due().replacement is None


def test_a_frame_that_comes_late_brings_nothing_back(scene: Scene) -> None:
    scene.network.weather.down.add(BANK)
    corrected(scene.network, HOME, 1, {"status": "REVOKED"})
    late = scene.due().replacement
    assert late is not None
    deleted(scene.network, HOME, 1)
    scene.network.weather.down.clear()
    scene.network.settle()

    (answer,) = scene.network.gateways[BANK].receive_frames(HOME, [late])

    assert isinstance(answer, FrameStored), "the frame is taken in without what is void in it"
    assert len(copies(scene.network, BANK)) == 3
    assert differences(scene.network, HOME, [BANK]) == []


def test_receipts_of_another_holder_settle_nothing(scene: Scene) -> None:
    """Another bank signs, in its own name, for what only this one was told and shown."""
    deleted(scene.network, HOME, 1)
    other, at = scene.network.members[OTHER], scene.network.clock()
    (mine,) = [row for row in scene.home.read(lambda work: work.notices.of_record(1)) if row.peer == BANK]
    (shown,) = [row for row in scene.home.read(lambda work: work.ledger.of_record(2)) if row.holder == BANK]
    receipts = tuple(
        CopyReceipt(alias=alias, at=at, frame=frame, journal_leaf="0f" * 32, notice=notice, stage=CopyStage.DELETED)
        for alias, frame, notice in (
            (mine.alias.hex(), None, mine.notice.hex()),
            (shown.alias.hex(), shown.frame.hex(), None),
        )
    )
    batch = CopyReceiptBatch(holder=OTHER, home=HOME, issued_at=at, receipts=receipts, suite=1)
    raw = envelope.sign(COPY_KIND, batch, [other.context.keys.document])

    assert scene.network.gateways[HOME].receive_receipts(OTHER, raw) is None

    assert scene.home.journal()[-1].detail["matched"] == 0
    assert scene.stages() == [("DELETE", "WAITING")]
    holders = {(one.record_no, one.holder) for one in scene.home.read(lambda work: work.ledger.holdings([1, 2]))}
    assert {(1, BANK), (2, BANK)} <= holders


def test_a_holder_that_was_restored_from_an_old_copy_is_told_again_from_where_it_stands(
    scene: Scene, tmp_path: Path
) -> None:
    deleted(scene.network, HOME, 1)
    scene.network.settle()
    part = scene.network.close(BANK)
    shutil.copy(tmp_path / f"{BANK}.db", tmp_path / "old.db")
    scene.network.open(part)
    deleted(scene.network, HOME, 2)
    corrected(scene.network, HOME, 3, {"status": "REVOKED", "address": address(3, 1)})
    scene.network.settle()
    scene.network.close(BANK)
    shutil.copy(tmp_path / "old.db", tmp_path / f"{BANK}.db")
    scene.network.open(part)
    assert differences(scene.network, HOME, [BANK]) != []

    told = scene.home.write(lambda work: retry_notices(work, BANK, scene.home.operator, scene.home.context))
    scene.network.settle()

    assert told == 2, "the last batch"
    assert differences(scene.network, HOME, [BANK]) == []
    taken = scene.bank.read(lambda work: [one.sequence for _, one in work.notices_taken.page(0, 10)])
    assert taken == [1, 2, 3]


@pytest.mark.parametrize(
    ("reason", "followed"), [(RevocationReason.LEFT, True), (RevocationReason.KEY_COMPROMISED, False)]
)
def test_who_left_is_still_told_and_believed_but_not_whose_keys_were_taken(
    scene: Scene, reason: RevocationReason, *, followed: bool
) -> None:
    authority = scene.network.members[HK]

    def act(work: UnitOfWork) -> object:
        return revoke_party(work, BANK, reason, authority.facts(work), authority.settings, authority.context)

    assert not isinstance(authority.write(act), Refused)
    scene.network.clock.at += timedelta(minutes=1)
    scene.network.hear()
    snapshot = scene.home.known().snapshot
    scene.network.gateways[HOME].now_knows(snapshot)
    listing = snapshot.party(BANK)

    assert listing is not None
    assert (listing.is_active, listing.keeps_its_word) == (False, followed)
    let_in = scene.network.gateways[HOME].identify(
        scene.bank.card.certificate_sha256, "/creditport.v1.PropagationService/DeliverReceipts"
    )
    assert (let_in == BANK) is followed


def test_a_party_that_left_ends_with_the_deletion_applied(scene: Scene) -> None:
    authority = scene.network.members[HK]

    def act(work: UnitOfWork) -> object:
        reason, facts = RevocationReason.LEFT, authority.facts(work)
        return revoke_party(work, BANK, reason, facts, authority.settings, authority.context)

    authority.write(act)
    scene.network.clock.at += timedelta(minutes=1)
    scene.network.hear()
    deleted(scene.network, HOME, 1)
    corrected(scene.network, HOME, 2, {"status": "REVOKED"})
    assert scene.due().replacement is None, "nothing is disclosed to whoever left"
    scene.network.settle()

    assert len(copies(scene.network, BANK)) == 2
    assert scene.stages() == [("DELETE", "DELETED"), ("REPLACE", "DELETED")]
