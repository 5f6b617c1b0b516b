"""Inspectors with real processes: what is fetched is clean, what is changed is found, what is secret is not in it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy.demo.network import until
from tests.scenarios.cast import PROVIDER, RECIPIENT, World, query


@dataclass(frozen=True)
class Fetched:
    """Bundles of both institutions, each fetched by its own authority, and the words that name both authorities."""

    agency: Path
    bank: Path
    trust: tuple[str, ...]


def trusting(world: World) -> tuple[str, ...]:
    cards = (f"{one.card}@{one.fingerprint()}" for one in (world.sz_authority, world.hk_authority))
    return tuple(word for card in cards for word in ("--authority", card))


@pytest.fixture(scope="module")
def fetched(world: World, agreement: str, tmp_path_factory: pytest.TempPathFactory) -> Fetched:
    world.bank.run(*query(agreement, *world.home.codes[:3]))
    until("everything is receipted", lambda: not unreceipted(world))
    folder = tmp_path_factory.mktemp("inspection")
    agency, bank = folder / "agency.bundle", folder / "bank.bundle"
    world.sz_authority.inspect("fetch", PROVIDER, "--output", str(agency))
    world.hk_authority.inspect("fetch", RECIPIENT, "--output", str(bank))
    return Fetched(agency, bank, trusting(world))


def unreceipted(world: World) -> int:
    ((count,),) = world.bank.rows("SELECT count(*) FROM jobs WHERE kind = 'receipts' AND state = 'waiting'")
    return int(count)


def verified(world: World, *words: str, expect: int = 0) -> list[dict[str, Any]]:
    done = world.sz_authority.inspect("verify", *words, "--json", expect=(expect,))
    reports: list[dict[str, Any]] = json.loads(done.stdout)
    return reports


def listed(world: World, view: str, bundle: Path, *words: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(world.sz_authority.inspect(view, str(bundle), *words, "--json").stdout)
    return rows


def test_both_bundles_are_clean_alone_and_together(world: World, fetched: Fetched) -> None:
    reports = verified(world, str(fetched.agency), str(fetched.bank), *fetched.trust)

    assert [one["clean"] for one in reports] == [True, True, True]
    assert reports[2]["steps"][-1]["checked"] > 0


def test_one_changed_byte_is_found_and_named(world: World, fetched: Fetched, tmp_path: Path) -> None:
    raw = bytearray(fetched.agency.read_bytes())
    place = raw.index(b'["frame"') + 200
    raw[place] ^= 1
    changed = tmp_path / "changed.bundle"
    changed.write_bytes(raw)

    (report,) = verified(world, str(changed), *fetched.trust, expect=1)

    assert {"SECTION_NOT_AS_SIGNED"} <= {one["finding"] for one in report["shown"]}
    assert all(one["text_zh"] and one["text_en"] and one["article"] for one in report["shown"])


def test_what_cannot_be_checked_is_exit_code_two(world: World, fetched: Fetched, tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("not a bundle\n", encoding="utf-8")
    card, fingerprint = world.hk_authority.card, world.hk_authority.fingerprint()

    (unanchored,) = verified(world, str(fetched.agency), "--authority", f"{card}@{fingerprint}", expect=2)
    (no_bundle,) = verified(world, str(text), *fetched.trust, expect=2)
    missing = world.sz_authority.inspect("verify", str(tmp_path / "none"), *fetched.trust, expect=(2,))
    wrong = world.sz_authority.inspect("verify", str(fetched.agency), "--authority", f"{card}@{'0' * 64}", expect=(2,))

    view = world.sz_authority.inspect("disclosures", str(text), expect=(2,))

    assert "no bundle of a format" in view.stderr
    assert "sz-authority" in unanchored["cannot_check"]
    assert "does not begin" in no_bundle["cannot_check"]
    assert "no bundle file" in missing.stderr
    assert "compare it again" in wrong.stderr


def test_the_views_say_who_was_shown_what_under_which_filing(world: World, fetched: Fetched, agreement: str) -> None:
    shown = listed(world, "disclosures", fetched.agency, "--agreement", agreement[:12], "--with", RECIPIENT)
    (agreed,) = [one for one in listed(world, "agreements", fetched.agency) if one["agreement"] == agreement]
    holders = listed(world, "holders", fetched.agency, "--with", RECIPIENT)
    (inspection,) = listed(world, "journal", fetched.agency, "--act", "inspection", "--with", "sz-authority")[-1:]

    assert shown
    assert {one["mode"] for one in shown} == {"ANSWER"}
    assert agreed["filed_with"] == ["sz-authority"]
    assert agreed["late"] is False
    assert {one["holder"] for one in holders} == {RECIPIENT}
    assert inspection["detail"]["outcome"] == "ORDERED"


def test_another_places_authority_sees_only_what_concerns_it(
    world: World, fetched: Fetched, agreement: str, tmp_path: Path
) -> None:
    bundle = tmp_path / "seen-from-hk.bundle"
    card = f"{world.sz_authority.card}@{world.sz_authority.fingerprint()}"
    world.hk_authority.inspect("fetch", PROVIDER, "--authority", card, "--output", str(bundle))

    (report,) = verified(world, str(bundle), *fetched.trust)
    acts = {one["act"] for one in listed(world, "journal", bundle)}

    assert report["clean"]
    assert agreement in {one["agreement"] for one in listed(world, "disclosures", bundle)}
    assert "records" not in acts
    assert bundle.read_bytes().count(b'["leaf"') > 0


def test_one_agreement_can_be_inspected_alone(world: World, fetched: Fetched, agreement: str, tmp_path: Path) -> None:
    bundle = tmp_path / "narrow.bundle"
    world.sz_authority.inspect("fetch", PROVIDER, "--agreement", agreement, "--output", str(bundle))

    (report,) = verified(world, str(bundle), *fetched.trust)

    assert report["clean"]
    assert {one["agreement"] for one in listed(world, "agreements", bundle)} == {agreement}


def test_only_an_authority_inspects(world: World, tmp_path: Path) -> None:
    refused = world.bank.inspect("fetch", PROVIDER, "--output", str(tmp_path / "x"), expect=(2,))

    assert "is no authority" in refused.stderr


def test_a_node_that_is_off_is_said_so_and_leaves_no_half_file(world: World, tmp_path: Path) -> None:
    world.rival.stop()
    try:
        failed = world.hk_authority.inspect("fetch", world.rival.party, "--output", str(tmp_path / "x"), expect=(3,))
    finally:
        world.rival.serve()

    assert "cannot be reached" in failed.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_names_no_enterprise_and_shows_no_value(world: World, fetched: Fetched) -> None:
    shown = fetched.agency.read_bytes() + fetched.bank.read_bytes()
    secrets = [row[name] for row in world.home.enterprises for name in ("uscc", "name", "address") if row.get(name)]
    pseudonyms = [bytes(raw).hex() for (raw,) in world.bank.rows("SELECT pseudonym FROM copies")]

    assert [one for one in {*secrets, *pseudonyms} if one.encode() in shown] == []
