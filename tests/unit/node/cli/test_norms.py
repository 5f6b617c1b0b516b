"""Norms on the command line: an authority adopts, a node installs, and everybody can see what is in force."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from registry.norms.packs import shipped_bytes
from registry.norms.shelf import open_pack
from tests.unit.node.cli.conftest import BANK_WORDS, Terminal, at

TOMORROW = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
"""Tomorrow or the day after, wherever on earth the test runs."""


@pytest.fixture
def second(tmp_path: Path) -> Path:
    """The local pack in its next version."""
    file = tmp_path / "HK.toml"
    file.write_bytes(shipped_bytes("rules", "HK").replace(b"version = 1", b"version = 2", 1))
    return file


def test_a_founded_authority_has_its_law_in_force(authority: Terminal) -> None:
    checked = authority.ask("norms", "check")

    assert (checked["in_force"], checked["jurisdiction"], checked["rule_pack"]) == (True, "HK", "SZ-DRAFT-82@1")
    assert {"rules/HK@1", "catalogue/SZ-2026@2"} <= set(checked["packs"])
    assert authority.ask("status")["rule_pack"] == "SZ-DRAFT-82@1"


def test_a_node_that_has_not_heard_its_authority_says_what_is_missing(tmp_path: Path) -> None:
    bare = at(tmp_path / "bare")
    bare.run("init", *BANK_WORDS)

    checked = bare.ask("norms", "check", code=1)

    assert (checked["in_force"], checked["lacking"]) == (False, "NOT_ADOPTED")
    assert "creditport norms adopt" in checked["help"]
    assert "no authority" in bare.run("norms", "list").stdout


def test_the_list_names_packs_in_chinese_and_english_and_their_standing(authority: Terminal) -> None:
    rows = {row["pack"]: row for row in authority.ask("norms", "list")}

    local = rows["rules/HK@1"]
    assert (local["title_zh"], local["standing"], local["at_hand"]) == (
        "香港缔约方适用规则（依协议承担义务）",
        "IN_FORCE",
        True,
    )
    assert (rows["codes/REGIONS@1"]["title_zh"], rows["codes/REGIONS@1"]["title_en"]) == ("代码表", "code list")
    assert "rules/SZ-DRAFT-82@1" in authority.run("norms", "list").stdout


def test_code_lists_that_need_nobodys_eye_are_one_line_unless_they_are_asked_for(authority: Terminal) -> None:
    lists = [row for row in authority.ask("norms", "list") if row["pack"].startswith("codes/")]

    folded, whole = authority.run("norms", "list").stdout, authority.run("norms", "list", "--codes").stdout

    assert f"codes/... ({len(lists)}; --codes lists them)" in folded
    assert "codes/REGIONS@1" not in folded
    assert "codes/REGIONS@1" in whole
    assert f"{len(lists)} code lists" in authority.run("norms", "check").stdout


def test_a_code_list_that_is_announced_is_a_line_of_its_own(authority: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "codes.toml"
    file.write_bytes(shipped_bytes("codes", "PURPOSES".lower()).replace(b"version = 1", b"version = 2", 1))
    authority.run("norms", "install", str(file))
    authority.run("norms", "adopt", "codes/PURPOSES@2", "--from", TOMORROW)

    assert "codes/PURPOSES@2" in authority.run("norms", "list").stdout


def test_a_calendar_that_was_not_announced_yet_says_so(authority: Terminal) -> None:
    rows = {row["pack"]: row["title_zh"] for row in authority.ask("norms", "list")}

    assert (rows["calendars/HK-2026@1"], rows["calendars/CN-MAINLAND-2027@1"]) == ("工作日历", "工作日历（暂定）")


def test_what_is_not_at_hand_is_answered_with_what_there_is_of_that_kind(authority: Terminal) -> None:
    assert "calendars/HK-2026@1" in authority.run("norms", "show", "calendars/HK-2099", code=1).stderr
    assert "KIND is one of rules, catalogue" in authority.run("norms", "show", "calendar/HK-2026", code=2).stderr


def test_a_pack_is_shown_with_its_digest_and_byte_for_byte(authority: Terminal) -> None:
    raw = shipped_bytes("rules", "HK")

    assert authority.ask("norms", "show", "rules/HK")["digest"] == open_pack(raw, "x").digest.hex()
    assert authority.run("norms", "show", "rules/HK@1", "--text").stdout == raw.decode()
    assert "not at hand" in authority.run("norms", "show", "rules/NONE", code=1).stderr


def test_a_pack_is_printed_byte_for_byte_with_whatever_white_space_it_has(authority: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "HK.toml"
    file.write_bytes(shipped_bytes("rules", "HK").replace(b"version = 1", b"version\t=\t2", 1))
    authority.run("norms", "install", str(file))

    assert authority.run("norms", "show", "rules/HK@2", "--text").stdout_bytes == file.read_bytes()


def test_an_installed_pack_is_adopted_for_a_later_day(authority: Terminal, second: Path) -> None:
    installed = authority.ask("norms", "install", str(second))
    assert installed["pack"] == "rules/HK@2"
    assert authority.ask("norms", "check")["packs"].count("rules/HK@1") == 1, "at hand is not in force"

    adopted = authority.ask("norms", "adopt", "rules/HK@2", "--from", TOMORROW)

    assert (adopted["adopted"], adopted["effective_from"]) == (["rules/HK@2"], TOMORROW)
    standings = {row["pack"]: row["standing"] for row in authority.ask("norms", "list")}
    assert (standings["rules/HK@1"], standings["rules/HK@2"]) == ("IN_FORCE", "ANNOUNCED")
    assert authority.ask("norms", "check")["to_install"] == []


def test_a_tampered_installed_file_is_passed_over_and_named(authority: Terminal, second: Path) -> None:
    authority.run("norms", "install", str(second))
    authority.run("norms", "adopt", "rules/HK@2", "--from", TOMORROW)
    (file,) = (authority.node / "norms" / "rules").glob("*.toml")
    file.write_bytes(file.read_bytes().replace(b"max_days = 90", b"max_days = 89"))

    checked = authority.ask("norms", "check")

    assert file.name in checked["unusable_files"][0]
    assert checked["to_install"][0].startswith("rules/HK@2 " + TOMORROW)
    assert authority.ask("norms", "install", str(second))["pack"] == "rules/HK@2"
    assert authority.ask("norms", "check")["unusable_files"] == []


@pytest.mark.parametrize(
    ("written", "instead", "place"),
    [
        (b"version = 1", b"version = 1\nspeed = 3", "at $"),
        (b"max_days = 90", b"max_days = 0", "at $.retention.max_days"),
        (b'id = "HK"', b"id =", "at the whole file"),
    ],
)
def test_a_file_that_is_no_pack_is_named_with_its_place(
    authority: Terminal, tmp_path: Path, written: bytes, instead: bytes, place: str
) -> None:
    file = tmp_path / "wrong.toml"
    file.write_bytes(shipped_bytes("rules", "HK").replace(written, instead, 1))

    said = authority.run("norms", "install", str(file), code=2).stderr

    assert "wrong.toml is no norm pack" in said
    assert place in said
    assert not (authority.node / "norms").exists()


def test_a_pack_that_a_rule_has_something_against_is_refused(authority: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "generous.toml"
    file.write_bytes(shipped_bytes("rules", "HK").replace(b"default_days = 90", b"default_days = 9999", 1))

    said = authority.run("norms", "install", str(file), code=1).stderr

    assert "generous.toml must not be used: at retention.default_days: expected no more than max_days" in said


def test_what_cannot_be_adopted_is_refused_in_one_sentence(authority: Terminal, bank: Terminal, second: Path) -> None:
    authority.run("norms", "install", str(second))

    def refused(*words: str, terminal: Terminal = authority, code: int = 1) -> str:
        return terminal.run("norms", "adopt", *words, code=code).stderr

    assert "bind parties in HK" in refused("rules/CN-NDRC-2026")
    assert "SAME_DAY" in refused("rules/HK@2")
    assert "say --shipped" in refused("--shipped", "rules/HK", code=2)
    assert "not an authority" in refused("rules/HK", terminal=bank)
    assert "not at hand" in refused("rules/HK@9")


def test_adopting_the_shipped_packs_again_changes_nothing_and_is_not_published(authority: Terminal) -> None:
    """An authority that was founded before there were adoptions types it once."""
    before = authority.ask("norms", "list")

    assert "nothing would change" in authority.run("norms", "adopt", "--shipped", "--from", TOMORROW, code=1).stderr

    assert authority.ask("norms", "list") == before
