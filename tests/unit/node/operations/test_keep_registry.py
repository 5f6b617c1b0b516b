"""The registry at a node: whom it trusts, what it follows, and what an authority states."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from crypto.checkpoint import NoteKey
from crypto.keys import Purpose
from node.domain.context import Context
from node.operations.asked import RegistryPage
from node.operations.keep_registry import (
    MOST_STATEMENTS,
    Unfit,
    admit_party,
    advance_mirror,
    pin_authority,
    read_registry,
    renew_head,
    revoke_party,
)
from node.operations.ports import UnitOfWork
from registry.log import grow, issue_head
from registry.mirror import Advanced, Mirror, NotAdvanced, Setback
from registry.parties import (
    Jurisdiction,
    ListedCard,
    PartyClass,
    PartyId,
    issue_card,
    read_card,
    registry_origin,
)
from registry.snapshot import Standing
from registry.statements import Desk, RevocationReason, admit
from tests.fakes.exchange import SHOWN, answers, question, reasons
from tests.fakes.members import Member, Part
from tests.fakes.world import AGENCY, BANK, HK, SZ, World

NEWCOMER = Part(party=PartyId("hk-insurer"), party_class=PartyClass.FIN_INST, jurisdiction=Jurisdiction.HK)


def why(answer: object) -> str:
    assert isinstance(answer, Unfit), answer
    return answer.why


def pin(member: Member, card: ListedCard, digest: bytes) -> ListedCard | Unfit:
    return member.write(lambda work: pin_authority(work, card, digest, member.context))


def admitted_by(authority: Member, card: ListedCard) -> Mirror | Unfit:
    return authority.write(
        lambda work: admit_party(work, card, authority.facts(work), authority.settings, authority.context)
    )


def revoked_by(authority: Member, party: PartyId) -> Mirror | Unfit:
    reason = RevocationReason.KEY_COMPROMISED
    return authority.write(
        lambda work: revoke_party(work, party, reason, authority.facts(work), authority.settings, authority.context)
    )


def page(authority: Member, start: int = 0, limit: int = 0) -> RegistryPage:
    given = authority.read(lambda work: read_registry(work, authority.party, start, limit))
    assert given is not None
    return given


def advance(member: Member, authority: Member, given: RegistryPage) -> Advanced | NotAdvanced:
    return member.write(lambda work: advance_mirror(work, authority.party, given, member.facts(work), member.context))


def setback(outcome: Advanced | NotAdvanced) -> Setback:
    assert isinstance(outcome, NotAdvanced), outcome
    return outcome.setback


def head_of(authority: Member, statements: list[bytes], at: timedelta = timedelta()) -> bytes:
    """A head that the authority signs over any statements: what a lying authority could do."""
    key = authority.context.keys.registry
    assert key is not None
    root = grow(Mirror(authority=authority.card).frontier, statements).root()
    return issue_head(len(statements), root, NoteKey(registry_origin(authority.party), key), authority.clock() + at)


def standing(member: Member, party: PartyId) -> Standing | None:
    listing = member.known().snapshot.party(party)
    return None if listing is None else listing.status


def test_an_authority_is_pinned_by_the_fingerprint_that_somebody_compared(admitted: World) -> None:
    agency, card = admitted.agency, admitted.sz.card

    assert pin(agency, card, card.digest) == card
    assert agency.journal()[-1].told == ("registry", "pinned")
    assert "not the one given" in why(pin(agency, card, bytes(32)))
    assert why(pin(agency, admitted.bank.card, admitted.bank.card.digest)) == "hk-bank is not an authority"


def test_an_admission_is_heard_by_everybody_who_follows_the_log(admitted: World) -> None:
    card = NEWCOMER.card(admitted.clock())
    assert isinstance(admitted_by(admitted.hk, card), Mirror)

    assert standing(admitted.agency, NEWCOMER.party) is None
    admitted.hear()
    assert standing(admitted.agency, NEWCOMER.party) is Standing.ADMITTED
    assert admitted.hk.journal()[-1].entry.counterparty == NEWCOMER.party


def test_a_revocation_is_heard_and_stops_disclosure(world: World) -> None:
    asked = question(world, SHOWN)
    world.revoke(world.hk, BANK)

    assert standing(world.agency, BANK) is Standing.REVOKED
    assert reasons(answers(world, asked)) == ["PEER_SUSPENDED"]


def test_what_an_authority_may_not_state_is_said_in_one_sentence(admitted: World) -> None:
    hk, sz, bank = admitted.hk, admitted.sz, admitted.bank

    assert "hk-bank is listed with card serial 1" in why(admitted_by(hk, bank.card))
    assert why(revoked_by(sz, BANK)) == "hk-bank is not a party that this authority admitted"
    assert why(revoked_by(hk, PartyId("nobody"))) == "nobody is not a party that this authority admitted"
    assert why(admitted_by(bank, NEWCOMER.card(admitted.clock()))) == "this node is not an authority"
    revoked_by(hk, BANK)
    assert why(revoked_by(hk, BANK)) == "hk-bank is already revoked"


def test_an_authority_admits_nobody_of_another_place(admitted: World) -> None:
    answer = admitted_by(admitted.sz, NEWCOMER.card(admitted.clock()))

    assert "jurisdiction" in why(answer)
    assert admitted.sz.journal()[-1].entry.counterparty != NEWCOMER.party


def test_a_newer_card_replaces_the_old_one_and_brings_a_revoked_party_back(admitted: World) -> None:
    admitted.revoke(admitted.hk, BANK)
    admitted.wait(seconds=1)

    admitted.admit(admitted.hk, admitted.bank.part.card(admitted.clock(), serial=2))
    admitted.hear()

    listing = admitted.agency.known().snapshot.party(BANK)
    assert listing is not None
    assert (listing.status, listing.card.card.serial) == (Standing.ADMITTED, 2)


def test_a_certificate_belongs_to_one_party(admitted: World) -> None:
    """Two parties under one certificate could not be told apart on the wire."""
    other = Part(party=PartyId("hk-other"), party_class=PartyClass.FIN_INST, jurisdiction=Jurisdiction.HK)
    stolen = _with_certificate(other, admitted.bank.card, admitted)

    assert why(admitted_by(admitted.hk, stolen)) == "this TLS certificate is already another party's"


def _with_certificate(part: Part, of: ListedCard, world: World) -> ListedCard:
    draft = replace(part.card(world.clock()).card, tls_certificate=of.card.tls_certificate)
    return read_card(issue_card(draft, part.signing(Purpose.DOCUMENT)))


def test_a_renewed_head_says_that_nothing_is_hidden(admitted: World) -> None:
    before = page(admitted.sz)
    admitted.forward(minutes=5)

    admitted.sz.write(lambda work: renew_head(work, admitted.sz.facts(work), admitted.sz.context))

    after = page(admitted.sz)
    assert after.statements == before.statements
    assert after.head != before.head
    assert isinstance(advance(admitted.bank, admitted.sz, RegistryPage(head=after.head, statements=())), Advanced)


def test_a_log_is_read_in_pages(admitted: World) -> None:
    for number in range(2):
        admitted.admit(admitted.hk, _numbered(number).card(admitted.clock()))

    whole = page(admitted.hk)
    assert len(whole.statements) == 4 < MOST_STATEMENTS
    assert [page(admitted.hk, start, 2).statements for start in (0, 2, 4)] == [
        whole.statements[:2], whole.statements[2:], (),
    ]  # fmt: skip
    assert admitted.agency.read(lambda work: read_registry(work, AGENCY, 0, 0)) is None


def _numbered(number: int) -> Part:
    return Part(party=PartyId(f"hk-bank-{number}"), party_class=PartyClass.FIN_INST, jurisdiction=Jurisdiction.HK)


def test_a_fork_is_refused_and_journalled_as_the_authoritys_own_word_against_itself(admitted: World) -> None:
    desk = Desk(authority=admitted.hk.card, key=admitted.hk.context.keys.document, number=0, at=admitted.clock())
    other = admit(desk, NEWCOMER.card(admitted.clock()), admitted.clock())
    before = len(admitted.agency.journal())

    forked = RegistryPage(head=head_of(admitted.hk, [other]), statements=())

    assert setback(advance(admitted.agency, admitted.hk, forked)) is Setback.FORK
    (written,) = admitted.agency.journal()[before:]
    assert (written.told, written.entry.counterparty) == (("registry", "refused"), HK)
    assert written.detail["setback"] == "FORK"
    assert standing(admitted.agency, NEWCOMER.party) is None


def test_a_rollback_is_refused_and_journalled(admitted: World) -> None:
    before = len(admitted.agency.journal())
    rolled = RegistryPage(head=head_of(admitted.hk, [], timedelta(seconds=1)), statements=())

    assert setback(advance(admitted.agency, admitted.hk, rolled)) is Setback.ROLLBACK
    assert [one.detail["setback"] for one in admitted.agency.journal()[before:]] == ["ROLLBACK"]
    assert standing(admitted.agency, BANK) is Standing.ADMITTED


def test_an_old_head_an_unfinished_page_and_a_strangers_head_change_nothing_and_prove_nothing(admitted: World) -> None:
    old = page(admitted.hk)
    admitted.wait(minutes=1)
    admitted.admit(admitted.hk, NEWCOMER.card(admitted.clock()))
    before = len(admitted.agency.journal())

    outcomes = [
        advance(admitted.agency, admitted.hk, RegistryPage(head=old.head, statements=())),
        advance(admitted.agency, admitted.hk, RegistryPage(head=page(admitted.hk).head, statements=())),
        advance(admitted.agency, admitted.hk, RegistryPage(head=page(admitted.sz).head, statements=())),
    ]

    assert [setback(one) for one in outcomes] == [Setback.STALE, Setback.INCOMPLETE, Setback.MALFORMED]
    assert len(admitted.agency.journal()) == before


def test_a_head_from_the_future_is_not_followed(admitted: World) -> None:
    """One authority with a wrong clock must not make every other one look stale."""
    ahead = RegistryPage(head=head_of(admitted.hk, [*page(admitted.hk).statements], timedelta(hours=2)), statements=())

    assert setback(advance(admitted.agency, admitted.hk, ahead)) is Setback.STALE


def test_a_head_alone_moves_no_generation_and_a_statement_does(admitted: World) -> None:
    generation = [_generation(admitted.bank)]
    admitted.wait(minutes=1)
    generation.append(_generation(admitted.bank))
    admitted.admit(admitted.hk, NEWCOMER.card(admitted.clock()))
    admitted.hear()
    generation.append(_generation(admitted.bank))

    assert generation[0] == generation[1] < generation[2]


def _generation(member: Member) -> int:
    return member.read(lambda work: work.generation.read())


def test_only_an_authority_renews_a_head(admitted: World) -> None:
    bank = admitted.bank

    def renew(work: UnitOfWork) -> None:
        keys = bank.context.keys
        context = Context(node=SZ, now=bank.clock, random=bank.context.random, keys=keys)
        renew_head(work, bank.facts(work), context)

    with pytest.raises(RuntimeError, match="only an authority"):
        bank.write(renew)
