"""From a draft that a person writes to complete terms that pass every check."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec
import pytest

from agreements.checking import check_terms
from agreements.terms import Direction, Manner, Terms
from crypto.pseudonym import public_key
from node.domain.drafting import Draft, DraftRefused, Setting, complete, example, read_draft
from registry.norms.catalogue import Crossing, Nature
from registry.parties import Jurisdiction, PartyCard, PartyClass, PartyId
from tests.fakes.members import LAW, Part

NOW = datetime(2026, 6, 1, 4, tzinfo=UTC)
SEED = b"\x07" * 32
AGENCY = Part(party=PartyId("sz-agency"), party_class=PartyClass.MUNI_CREDIT_AGENCY, jurisdiction=Jurisdiction.CN_SZ)
BANK = Part(party=PartyId("hk-bank"), party_class=PartyClass.FIN_INST, jurisdiction=Jurisdiction.HK)
MACAU = Part(party=PartyId("mo-bank"), party_class=PartyClass.FIN_INST, jurisdiction=Jurisdiction.MO)
TEXT = example(BANK.party, NOW, LAW)


def card(part: Part) -> PartyCard:
    return part.card(NOW).card


def setting(provider: Part = AGENCY, recipient: Part = BANK) -> Setting:
    return Setting(
        provider=card(provider),
        recipient=card(recipient),
        law=LAW,
        epoch_key=lambda name, number: public_key(SEED, name, number).hex(),
    )


def completed(draft: Draft | None = None) -> Terms:
    return complete(draft or read_draft(TEXT), setting(), "0a" * 16)


def changed(**facts: object) -> Draft:
    return msgspec.structs.replace(read_draft(TEXT), **facts)


def test_the_example_needs_no_editing_to_become_lawful_terms() -> None:
    terms = completed()

    assert check_terms(terms, card(AGENCY), card(BANK), LAW.rules, LAW.catalogue) == ()
    assert (terms.provider, terms.recipient, terms.direction) == (AGENCY.party, BANK.party, Direction.SOUTHBOUND)
    assert terms.natures == (Nature.PUBLIC,)


def test_epochs_follow_one_another_over_the_whole_validity_each_with_its_own_key() -> None:
    terms = completed()

    assert (terms.epochs[0].starts, terms.epochs[-1].ends) == (terms.effective_from, terms.expires_at)
    assert all(earlier.ends == later.starts for earlier, later in pairwise(terms.epochs))
    assert [epoch.number for epoch in terms.epochs] == [1, 2, 3, 4]
    assert [epoch.public_key for epoch in terms.epochs] == [
        public_key(SEED, "0a" * 16, number).hex() for number in (1, 2, 3, 4)
    ]


def test_lists_are_sorted_and_hold_nothing_twice() -> None:
    draft = changed(
        purposes=("CROSS_BORDER_TRADE", "CROSS_BORDER_FINANCING", "CROSS_BORDER_TRADE"),
        manner=(Manner.PUSH, Manner.PULL, Manner.PUSH),
    )

    terms = completed(draft)

    assert terms.purposes == ("CROSS_BORDER_FINANCING", "CROSS_BORDER_TRADE")
    assert terms.manner == (Manner.PULL, Manner.PUSH)
    for kind in terms.kinds:
        assert [one.name for one in kind.fields] == sorted(one.name for one in kind.fields)


def test_times_are_whole_seconds_in_utc_and_without_a_zone_mean_utc() -> None:
    naive, shanghai = "2026-06-01T12:00:00.750000", "2026-06-01T20:00:00+08:00"
    both = [_effective(TEXT, moment) for moment in (naive, shanghai)]

    assert [completed(read_draft(text)).effective_from for text in both] == [datetime(2026, 6, 1, 12, tzinfo=UTC)] * 2


def _effective(text: str, moment: str) -> str:
    line = next(line for line in text.splitlines() if line.startswith("effective_from"))
    return text.replace(line, f"effective_from = {moment}")


def _expires(text: str, year: int) -> str:
    line = next(line for line in text.splitlines() if line.startswith("expires_at"))
    return text.replace(line, f"expires_at = {year}-12-31T23:59:59Z").replace("epoch_days = 92", "epoch_days = 1")


def test_an_agreement_may_end_when_the_calendar_does() -> None:
    draft = read_draft(_expires(_effective(TEXT, "9999-12-30T00:00:00Z"), 9999))

    assert [epoch.ends.hour for epoch in completed(draft).epochs] == [0, 23]


def test_the_last_epoch_ends_with_the_agreement() -> None:
    terms = completed(changed(epoch_days=200))

    assert [epoch.ends - epoch.starts for epoch in terms.epochs] == [timedelta(days=200), timedelta(days=165)]


SPOILT: dict[str, tuple[str, Callable[[str], str]]] = {
    "no TOML": ("not valid TOML", lambda text: text + "]"),
    "a missing field": ("missing required field `title`", lambda text: text.replace("title =", "# title =", 1)),
    "an unknown field": ("unknown field `onward`", lambda text: "onward = true\n" + text),
    "a wrong precision": ("Invalid enum value", lambda text: text.replace('"CODE"', '"TO_THE_DAY"', 1)),
    "no quota": (
        "elements_per_epoch",
        lambda text: text.replace("elements_per_epoch = 10000", "elements_per_epoch = 0"),
    ),
    "a time before all time": (
        "effective_from: expected a time of the years 1 to 9999",
        lambda text: _effective(text, "0001-01-01T00:00:00+08:00"),
    ),
    "an agreement for all time": ("expires_at: expected at most 1000 epochs", lambda text: _expires(text, 9999)),
    "an epoch of no days": ("epoch_days", lambda text: text.replace("epoch_days = 92", "epoch_days = 0")),
}


@pytest.mark.parametrize(("words", "spoil"), SPOILT.values(), ids=SPOILT)
def test_a_draft_that_is_not_right_is_refused_in_words_that_name_the_place(
    words: str, spoil: Callable[[str], str]
) -> None:
    with pytest.raises(DraftRefused, match=words):
        read_draft(spoil(TEXT))


@pytest.mark.parametrize(
    ("line", "wrong"),
    [("retention_days = 90", "retention_days = -4"), ("retention_days = 90", "retention_days = 99999")],
)
def test_a_number_that_no_reader_would_take_is_refused_before_it_is_signed(line: str, wrong: str) -> None:
    draft = read_draft(TEXT.replace(line, wrong))

    with pytest.raises(DraftRefused, match="retention_days"):
        complete(draft, setting(), "0a" * 16)


def test_between_hong_kong_and_macau_this_regulation_has_nothing_to_say() -> None:
    with pytest.raises(DraftRefused, match="party in Shenzhen"):
        complete(read_draft(TEXT), setting(BANK, MACAU), "0a" * 16)


def test_the_example_names_every_field_of_the_offered_kinds_with_its_choices() -> None:
    draft = read_draft(TEXT)

    assert {kind: set(fields) for kind, fields in draft.kinds.items()} == {
        kind: set(LAW.catalogue.entries[kind].field_names) for kind in ("101", "201")
    }
    assert "# or" in TEXT


def test_other_kinds_that_may_cross_are_commented_out_and_those_that_never_do_are_not_there() -> None:
    assert "\n# [kinds.203]\n" in TEXT
    assert not re.search(r"kinds\.(209|403)", TEXT)


@pytest.mark.parametrize("kind", [kind for kind, one in LAW.catalogue.entries.items() if one.crosses != Crossing.NEVER])
def test_every_kind_that_may_cross_can_be_agreed_on(kind: str) -> None:
    draft = read_draft(example(BANK.party, NOW, LAW, (kind,)))

    assert set(draft.kinds) == {kind}
    assert check_terms(completed(draft), card(AGENCY), card(BANK), LAW.rules, LAW.catalogue) == ()


@pytest.mark.parametrize(("kind", "reason"), [("209", "NATURAL_PERSON_SUBJECT"), ("403", "GOVERNMENT_ONLY")])
def test_a_kind_that_never_crosses_cannot_be_agreed_on(kind: str, reason: str) -> None:
    items = LAW.catalogue.entries[kind].items
    terms = completed(changed(kinds={kind: {item.name: item.precisions[0] for item in items}}))

    found = [one.reason for one in check_terms(terms, card(AGENCY), card(BANK), LAW.rules, LAW.catalogue)]

    assert found == [reason, "PUBLIC_INFO_SCOPE"]


def test_a_kind_without_a_catalogue_entry_adds_no_nature_of_its_own() -> None:
    """The check of the terms then says NOT_IN_CATALOGUE; drafting does not stumble."""
    draft = changed(kinds={"999": read_draft(TEXT).kinds["101"]})

    terms = completed(draft)

    assert terms.natures == (Nature.PUBLIC,)
    reasons = [one.reason for one in check_terms(terms, card(AGENCY), card(BANK), LAW.rules, LAW.catalogue)]
    assert reasons == ["NOT_IN_CATALOGUE"]


def test_a_draft_that_says_nothing_of_retention_gets_what_the_rule_pack_has() -> None:
    retention = msgspec.structs.replace(LAW.rules.retention, default_days=30)
    shorter = replace(LAW, rules=msgspec.structs.replace(LAW.rules, retention=retention))
    silent = read_draft(TEXT.replace("retention_days = 90\n", ""))

    terms = complete(silent, replace(setting(), law=shorter), "ab" * 16)

    assert terms.retention_days == 30
