"""The law that entries name: it is there, and is what the node's authority had adopted when something was disclosed."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType

import pytest

from node.domain.evidence.agreed import Ground, Norms
from node.domain.evidence.findings import Tally, Wrong
from node.domain.evidence.lines import EntryLine
from node.domain.evidence.named_law import NamedLawCheck
from node.domain.evidence.opened import open_entry
from node.domain.evidence.trust import CLOCKS_DIFFER, UNHEARD, Trust
from node.domain.journal import Act, Detail, EntryFacts, draft
from registry.norms.adoption import Adopted
from registry.norms.shelf import Named, PackDigest, PackKind
from registry.parties import Jurisdiction
from registry.snapshot import Snapshot
from tests.unit.agreements.world import AGENCY, CALENDAR, NOON, RULES, SNAPSHOT, fixed

LATER = NOON + timedelta(days=30)
LAW: Detail = {"article": "S 28", "pack": "SZ-DRAFT-82@1"}
NEXT: Detail = {"article": "S 28", "pack": "SZ-DRAFT-82@2"}
NARROWED: Detail = {"article": "S 28", "pack": "SZ-DRAFT-82@2 OVERLAY@1"}
SECOND = timedelta(seconds=1)


def adopted(name: str, version: int, since: datetime, until: datetime | None = None, digest: int = 0) -> Adopted:
    return Adopted(
        named=Named(kind=PackKind.RULES, id=name),
        version=version,
        digest=PackDigest(bytes([version, digest]) * 16),
        effective_from=date(since.year, since.month, since.day),
        works_from=since,
        works_until=until,
        number=version,
    )


FIRST, SECOND_VERSION = adopted("SZ-DRAFT-82", 1, datetime(2026, 1, 1, tzinfo=UTC)), adopted("SZ-DRAFT-82", 2, LATER)
OVERLAY = adopted("OVERLAY", 1, LATER)


def found(
    law: Detail, *adoptions: Adopted, at: datetime = NOON, act: Act = Act.QUERY, outcome: str = "ANSWERED"
) -> list[Wrong]:
    """What is found of one entry that names this law, where the authority adopted that."""
    norms: Mapping[Jurisdiction, tuple[Adopted, ...]] = {Jurisdiction.CN_SZ: adoptions or (FIRST,)}
    return judged(replace(SNAPSHOT, norms=MappingProxyType(norms)), {"outcome": outcome, **law}, at, act)


def judged(snapshot: Snapshot, detail: Detail, at: datetime, act: Act) -> list[Wrong]:
    tally, trust = Tally(), Trust(snapshot=snapshot, listed={}, taken={})
    ground = Ground(
        node=AGENCY, trust=trust, agreements={}, norms=Norms(rules=RULES, calendar=CALENDAR), tally=tally, endings={}
    )
    drafted = draft(EntryFacts(act=act, detail=detail), AGENCY, at, fixed)
    line = EntryLine(drafted.entry.decode(), drafted.detail.decode(), drafted.salt.hex())
    NamedLawCheck(ground).judge(open_entry(line, 0))
    return [one.wrong for one in tally.report(AGENCY).findings]


def test_a_disclosure_by_the_rules_that_were_adopted_is_clean() -> None:
    assert found(LAW) == found(NARROWED, FIRST, SECOND_VERSION, OVERLAY, at=LATER) == []


def test_as_many_packs_as_an_entry_may_name_are_read_and_no_more() -> None:
    longest = [f"{'a' * 62}{number:02}@999999999" for number in range(17)]

    assert found({**LAW, "pack": " ".join(longest[:16])}) == [Wrong.LAW_NOT_IN_FORCE]
    assert found({**LAW, "pack": " ".join(longest)}) == [Wrong.LAW_NOT_NAMED]
    assert found({**LAW, "pack": " ".join(longest * 8)}) == [Wrong.LAW_NOT_NAMED]
    assert found({**LAW, "article": "S" * 5_000}) == [Wrong.LAW_NOT_NAMED]


@pytest.mark.parametrize("pack", [None, 1, "", "SZ-DRAFT-82", "SZ-DRAFT-82@0", "SZ-DRAFT-82@1 ", "a@1\nb@1"])
@pytest.mark.parametrize("act", [Act.QUERY, Act.EVALUATE, Act.PUSH, Act.RECORDS, Act.CHANGE, Act.RECHECK, Act.REFUSED])
def test_every_grant_import_change_and_refusal_names_its_packs(act: Act, pack: str | int | None) -> None:
    assert found({**LAW, "pack": pack}, act=act) == [Wrong.LAW_NOT_NAMED]


@pytest.mark.parametrize("reason", ["MALFORMED", "OVERSIZED", "UNKNOWN_FIELD"])
def test_bytes_that_are_no_message_are_refused_by_no_pack(reason: str) -> None:
    by_none: Detail = {"article": "-", "pack": ""}

    assert found(by_none, act=Act.REFUSED, outcome=reason) == []
    assert found(by_none, act=Act.QUERY, outcome=reason) == [Wrong.LAW_NOT_NAMED]


@pytest.mark.parametrize("article", [None, 28, "", "S 28\n"])
def test_it_names_an_article_as_well(article: str | int | None) -> None:
    assert found({**LAW, "article": article}) == [Wrong.LAW_NOT_NAMED]


def test_acts_that_rest_on_no_law_of_their_own_name_none() -> None:
    assert found({}, act=Act.OPERATOR) == []


@pytest.mark.parametrize("outcome", ["ANSWERED", "EVALUATED", "PUSHED", "REPLACED"])
def test_what_was_disclosed_by_rules_that_were_not_adopted_is_found(outcome: str) -> None:
    assert found(NEXT, outcome=outcome) == [Wrong.LAW_NOT_IN_FORCE]
    assert found(NEXT, outcome="AGREEMENT_EXPIRED") == []


def test_an_overlay_in_force_is_not_left_out_and_none_is_added() -> None:
    both = FIRST, SECOND_VERSION, OVERLAY
    after = LATER + timedelta(days=1)

    assert found(NEXT, *both, at=after) == found(NARROWED, FIRST, SECOND_VERSION, at=after) == [Wrong.LAW_NOT_IN_FORCE]


def test_a_node_may_go_by_the_rules_before_for_as_long_as_it_need_not_hear_its_authority() -> None:
    both = FIRST, SECOND_VERSION

    assert found(LAW, *both, at=LATER + UNHEARD - SECOND) == []
    assert found(LAW, *both, at=LATER + UNHEARD) == [Wrong.LAW_NOT_IN_FORCE]


def test_nobody_goes_by_rules_before_their_time_but_for_a_clock_that_runs_ahead() -> None:
    both = FIRST, SECOND_VERSION

    assert found(NEXT, *both, at=LATER - CLOCKS_DIFFER) == []
    assert found(NEXT, *both, at=LATER - CLOCKS_DIFFER - SECOND) == [Wrong.LAW_NOT_IN_FORCE]


def test_while_an_authority_contradicts_itself_no_rules_are_in_force() -> None:
    other = replace(adopted("SZ-DRAFT-82", 1, LATER, digest=9), number=2)

    assert found(LAW, FIRST, other, at=LATER + UNHEARD) == [Wrong.LAW_NOT_IN_FORCE]


def test_of_a_node_that_no_log_lists_nothing_is_told() -> None:
    unlisted = replace(SNAPSHOT, listings=MappingProxyType({}))

    assert judged(unlisted, {"outcome": "ANSWERED", **NEXT}, NOON, Act.QUERY) == []
