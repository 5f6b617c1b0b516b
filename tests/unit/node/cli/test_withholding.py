"""On the command line: withhold a record and lift that, why it is withheld, and how far records are looked at."""

from pathlib import Path

import pytest

from node.app.opening import opened
from node.app.rechecking import Rechecking
from node.config import Folder
from tests.unit.node.cli.conftest import PASSPHRASES, Terminal

SECOND = PASSPHRASES["CREDITPORT_OPERATOR_PASSPHRASE"]
SUSPEND = ("records", "withhold", "1", "--state", "suspended", "--basis", "suit_accepted", "--document", "case 8")
LIFT = ("records", "release", "1", "--state", "SUSPENDED", "--basis", "FINAL_DOCUMENT", "--document", "judgment 9")


def stock(terminal: Terminal, folder: Path) -> Terminal:
    """Two invented registrations."""
    file = folder / "enterprises.csv"
    terminal.run("records", "sample", str(file), "--kind", "101", "--count", "2")
    assert terminal.ask("records", "import", str(file), "--kind", "101", "--source", "SZ-CREDIT")["new"] == 2
    return terminal


@pytest.fixture
def stocked(bank: Terminal, tmp_path: Path) -> Terminal:
    return stock(bank, tmp_path)


def test_a_suspended_record_says_why_in_both_languages_and_on_what_basis(stocked: Terminal) -> None:
    assert stocked.ask(*SUSPEND) == {"record": 1, "version": 2, "notices": 0}

    shown = stocked.ask("records", "show", "1")

    (why,) = shown["withheld_because"]
    assert (shown["withheld"], why["reason"], why["article"]) == ("RECORD_SUSPENDED", "RECORD_SUSPENDED", "S 61")
    assert (why["basis"], why["document"], why["until"]) == ("SUIT_ACCEPTED", "case 8", None)
    assert why["zh"] != why["en"] != ""
    assert [one["withheld"] for one in stocked.ask("records", "list")] == ["RECORD_SUSPENDED", None]


def test_a_record_is_told_field_by_field_with_titles_amounts_and_meanings(stocked: Terminal) -> None:
    stocked.run("records", "correct", "1", "--basis", "OWN_ERROR", "--set", "capital=50万元", "--set", "status=REVOKED")
    stocked.run(*SUSPEND)

    told = stocked.run("records", "show", "1").stdout.splitlines()

    assert "  注册资本 Registered capital (capital): 500,000.00 CNY" in told
    assert any(line.startswith("  登记状态 Status (status): REVOKED 吊销 ") for line in told)
    assert any(line.startswith("withheld 停止披露: SUSPENDED RECORD_SUSPENDED (S 61). ") for line in told)
    assert any(line.startswith("  basis SUIT_ACCEPTED, document case 8, from ") for line in told)
    assert told[-1] == "shown to nobody 尚未出示"


def test_lifting_a_suspension_asks_for_a_second_operator(stocked: Terminal) -> None:
    stocked.run("operator", "add", "bob", "--role", "approvals")
    stocked.run(*SUSPEND)

    assert "two different operators" in stocked.run(*LIFT, code=1).stderr
    done = stocked.run(*LIFT, "--second", "bob", "--json", CREDITPORT_SECOND_PASSPHRASE=SECOND)

    assert '"version": 3' in done.stdout
    assert stocked.ask("records", "show", "1")["withheld_because"] == []


def test_an_act_for_a_later_day_is_shown_before_it_withholds(stocked: Terminal) -> None:
    act = ("records", "withhold", "2", "--state", "OPTED_OUT", "--basis", "SUBJECT_OPT_OUT", "--from", "2999-01-01")
    stocked.run(*act, "--until", "2999-02-01")

    shown = stocked.ask("records", "show", "2")

    assert shown["withheld"] is None
    (coming,) = shown["withheld_because"]
    assert (coming["state"], coming["from"], coming["until"]) == ("OPTED_OUT", "2999-01-01", "2999-02-01")


def test_a_suspension_with_an_end_is_refused_with_its_article(stocked: Terminal) -> None:
    assert "does not end by time (S 61)" in stocked.run(*SUSPEND, "--until", "2999-01-01", code=1).stderr


def test_a_node_says_how_far_its_records_are_looked_at(authority: Terminal, tmp_path: Path) -> None:
    stock(authority, tmp_path)
    assert authority.ask("status")["recheck"] == {"state": "WAITING", "fallen_now": {}}
    assert "待节点运行时复核" in authority.run("norms", "list").stdout

    with opened(Folder(authority.node), PASSPHRASES["CREDITPORT_PASSPHRASE"]) as node:
        Rechecking(node, lambda: False).look()

    looked = authority.ask("norms", "check")["records"]
    assert (looked["state"], looked["looked_at"], looked["fallen"], looked["narrowed"]) == ("DONE", 2, 0, 0)
    assert authority.ask("status")["recheck"] == looked
    told = authority.run("norms", "list").stdout
    assert "all are looked at by the law in force 已按现行规则复核" in told
    assert "looked at 已复核 2, fell 不再符合 0" in told


def test_a_node_says_which_kinds_it_does_not_show_for_the_first_time_until_all_are_looked_at(
    authority: Terminal, tmp_path: Path
) -> None:
    stock(authority, tmp_path)
    with opened(Folder(authority.node), PASSPHRASES["CREDITPORT_PASSPHRASE"]) as node:
        with node.store.write() as work:
            work.cells.put_shapes({"101": None})
            work.commit()
        waiting = authority.ask("status")["recheck"]
        told = authority.run("norms", "list").stdout
        Rechecking(node, lambda: False).look()

    assert waiting["not_whole"] == ["101"]
    assert "下列种类中尚未出示过的记录暂不出示: 101" in told
    assert "not_whole" not in authority.ask("status")["recheck"]


def test_without_a_law_in_force_a_node_says_so(bank: Terminal) -> None:
    assert bank.ask("status")["recheck"]["state"] == "NO_LAW"
