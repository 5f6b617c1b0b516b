"""What stands in a frame: the granted fields of visible records, and nothing that tells more."""

import json
from dataclasses import replace
from datetime import date
from hashlib import sha256

from crypto.envelope import parse
from crypto.frame import KIND, unpad
from crypto.sealing import unseal
from node.domain.records import Kind
from node.operations.answer_queries import answer_queries
from node.operations.asked import Answered, QueryAsked
from node.operations.disclose import authorisations_digest
from tests.fakes.exchange import (
    ABSENT,
    ALL_FIELDS,
    EVERYTHING,
    OTHERS,
    SHOWN,
    SHOWN_ABROAD,
    WITHHELD,
    answer,
    authorisation,
    crowd_of,
    index,
    load,
    pseudonym,
    question,
)
from tests.fakes.reading import renditions, shown
from tests.fakes.stores import SpyingStore
from tests.fakes.world import World
from tests.unit.node.domain.given import REGISTRATION

REGION_ONLY = {"101": frozenset({"region"})}


def calls(world: World, asked: QueryAsked) -> list[str]:
    """What one answer asked of the store."""
    spying = SpyingStore(world.agency.store)
    with spying.write() as work:
        answer_queries(work, [asked], world.agency.desk(work))
    return spying.calls


def test_a_subset_of_the_fields_gives_a_rendition_with_only_those_and_the_same_alias_and_version(world: World) -> None:
    whole = shown(world, question(world, SHOWN))["101"]

    part = shown(world, question(world, SHOWN, asked=REGION_ONLY))["101"]

    assert part.values() == {"region": whole.values()["region"]}
    assert part.header == whole.header
    assert {one.salt for one in part.fields}.isdisjoint(one.salt for one in whole.fields)


def test_a_subset_asked_first_has_the_alias_and_version_that_the_whole_then_has(world: World) -> None:
    part = shown(world, question(world, SHOWN, asked=REGION_ONLY))["101"]

    whole = shown(world, question(world, SHOWN))["101"]

    assert (part.header.alias, part.header.version) == (whole.header.alias, whole.header.version)
    assert whole.values().keys() == EVERYTHING["101"].keys()


def test_the_whole_grant_asked_twice_is_the_same_rendition_to_the_last_salt(world: World) -> None:
    first = shown(world, question(world, SHOWN))

    assert shown(world, question(world, SHOWN)) == first


def test_a_second_code_of_the_same_enterprise_leads_to_the_same_records_under_its_own_pseudonym(world: World) -> None:
    one, other = shown(world, question(world, SHOWN)), shown(world, question(world, SHOWN_ABROAD))

    assert {kind: made.header.alias for kind, made in one.items()} == {
        kind: made.header.alias for kind, made in other.items()
    }
    assert {made.values() == one[kind].values() for kind, made in other.items()} == {True}
    assert {made.header.pseudonym for made in one.values()} == {pseudonym(world, SHOWN).hex()}
    assert {made.header.pseudonym for made in other.values()} == {pseudonym(world, SHOWN_ABROAD).hex()}


def test_both_codes_of_an_enterprise_in_one_batch_show_its_records_under_both(world: World) -> None:
    _, made = renditions(world, answer(world, question(world, SHOWN, SHOWN_ABROAD, batch=True)))

    assert sorted((one.header.kind, one.header.pseudonym == pseudonym(world, SHOWN).hex()) for one in made) == [
        ("101", False), ("101", True), ("201", False), ("201", True),
    ]  # fmt: skip


def test_a_changed_record_is_shown_in_a_new_version_under_the_same_alias(world: World) -> None:
    before = shown(world, question(world, SHOWN))
    changed = REGISTRATION | {"hk_cr": SHOWN_ABROAD.value, "status": "REVOKED"}
    assert load(world, Kind.REGISTRATION, changed)["updated"] == 1

    after = shown(world, question(world, SHOWN))

    assert after["101"].header.alias == before["101"].header.alias
    assert [one["101"].header.version for one in (before, after)] == [1, 2]
    assert after["101"].values()["status_code"] != before["101"].values()["status_code"]
    assert after["201"] == before["201"]


def test_a_new_epoch_has_other_pseudonyms_and_salts_and_the_same_alias(world: World) -> None:
    before = shown(world, question(world, SHOWN))["101"]
    world.wait(days=100)
    index(world)

    after = shown(world, question(world, SHOWN, epoch=2))["101"]

    assert after.header.alias == before.header.alias
    assert after.header.pseudonym != before.header.pseudonym
    assert after.values() == before.values()
    assert {one.salt for one in after.fields}.isdisjoint(one.salt for one in before.fields)


def test_a_record_that_lapses_is_not_shown_from_the_month_on_until_which_it_was_said_to_hold(world: World) -> None:
    assert "101" in shown(world, question(world, OTHERS[0]))
    lapsing = REGISTRATION | {"uscc": "", "hk_cr": OTHERS[0].value, "valid_until": "2026-07-10"}
    load(world, Kind.REGISTRATION, lapsing, *crowd_of(lapsing))
    world.tell(world.agency, world.bank)

    assert shown(world, question(world, OTHERS[0]))["101"].header.valid_until == date(2026, 7, 1)
    world.wait(days=30)
    assert shown(world, question(world, OTHERS[0])) == {}


def test_withheld_and_absent_answers_are_equal_in_everything_but_randomness(world: World) -> None:
    withheld, absent = (answer(world, question(world, one)) for one in (WITHHELD, ABSENT))

    assert [len(withheld.header), len(withheld.body)] == [len(absent.header), len(absent.body)]
    assert _opened(world, withheld) == _opened(world, absent)
    one, other = (json.loads(parse(given.header, KIND).payload) for given in (withheld, absent))
    differing = {name for name in one if one[name] != other[name]}
    assert differing == {"authorisation", "body", "frame", "journal_leaf", "request"}


def _opened(world: World, given: Answered) -> bytes:
    header, _ = renditions(world, given)
    return unseal(world.bank.context.keys.seal, given.body, header.binding().info())


def test_withheld_and_absent_subjects_take_the_same_way_through_the_store(world: World) -> None:
    withheld, absent = (calls(world, question(world, one)) for one in (WITHHELD, ABSENT))

    assert withheld == absent
    assert withheld.index("journal.add") < withheld.index("commit") == len(withheld) - 1


def test_withheld_and_absent_leave_alike_entries_at_home(world: World) -> None:
    for one in (WITHHELD, ABSENT):
        answer(world, question(world, one))

    first, second = world.agency.journal()[-2:]
    assert len(first.raw) == len(second.raw)
    assert {name for name in first.detail if first.detail[name] != second.detail[name]} == {
        "authorisation", "body", "frame", "request",
    }  # fmt: skip


def test_an_empty_frame_and_a_small_one_have_bodies_of_one_length(world: World) -> None:
    empty, small = (answer(world, question(world, one)) for one in (ABSENT, SHOWN))

    assert len(empty.body) == len(small.body)
    assert unpad(_opened(world, empty)) == []


def test_kinds_that_were_not_asked_are_not_shown(world: World) -> None:
    asked = question(world, SHOWN, asked={"201": ALL_FIELDS["201"]})

    assert shown(world, asked).keys() == {"201"}


def test_queries_for_different_fields_answered_together_get_each_their_own(world: World) -> None:
    asked = [question(world, SHOWN, asked=REGION_ONLY), question(world, SHOWN, asked={"101": frozenset({"has_lei"})})]

    with world.agency.store.write() as work:
        given = answer_queries(work, asked, world.agency.desk(work))

    assert [set(renditions(world, one)[1][0].values()) for one in given] == [{"region"}, {"has_lei"}]


def test_a_frame_names_one_authorisation_by_its_digest_and_several_by_a_digest_over_all() -> None:
    one, other = bytes(32), b"\x01" * 32

    assert authorisations_digest([]) is None
    assert authorisations_digest([one]) == one
    assert authorisations_digest([one, other]) == sha256(b"creditport/authorisations/v1" + one + other).digest()
    assert authorisations_digest([other, one]) != authorisations_digest([one, other])


def test_an_answer_to_a_batch_names_the_authorisations_of_its_answered_items_only(world: World) -> None:
    asked = question(world, SHOWN, OTHERS[0], batch=True)
    half = replace(asked, items=(asked.items[0], replace(asked.items[1], authorisation=b"")))

    header, _ = renditions(world, answer(world, half))

    assert header.authorisation == parse(asked.items[0].authorisation, "authorisation").digest.hex()


def test_an_authorisation_for_one_kind_does_not_open_another(world: World) -> None:
    asked = question(world, SHOWN)
    narrow = replace(asked.items[0], authorisation=authorisation(world, SHOWN, frozenset({"101"})))

    with world.agency.store.write() as work:
        (given,) = answer_queries(work, [replace(asked, items=(narrow,))], world.agency.desk(work))

    assert not isinstance(given, Answered)
    assert given.refused.reason == "CONSENT_SCOPE_EXCEEDED"
