"""The worked examples in the protocol pages are what the code writes."""

import json
import re
from pathlib import Path

import pytest

from crypto.canonical import canonical
from registry.parties import fingerprint
from registry.statements import read_statement
from tests.unit.registry.cast import AGENCY, NOON, SHENZHEN, Authority

PAGES = Path(__file__).parents[3] / "docs" / "protocol"


def office() -> Authority:
    office = Authority(SHENZHEN)
    office.admits(AGENCY.card())
    return office


def pretty(raw: bytes) -> str:
    return json.dumps(json.loads(raw), ensure_ascii=False, indent=2)


def shortened(raw: bytes) -> str:
    """The JSON with long base64 cut, as a page shows what another page explains."""
    return re.sub(r'("card": "[^"]{24})[^"]*"', r'\1..."', pretty(raw))


def examples() -> dict[str, list[str]]:
    statement = read_statement(office().log[0], office().card).statement
    return {
        "party-card.md": [pretty(canonical(AGENCY.draft())), fingerprint(AGENCY.card().digest)],
        "registry-log.md": [shortened(canonical(statement)), office().head(NOON).decode().rstrip("\n")],
    }


@pytest.mark.parametrize("page", ["party-card.md", "registry-log.md"])
def test_the_examples_of_a_page_are_what_the_code_writes(page: str) -> None:
    text, _, _ = (PAGES / page).read_text(encoding="utf-8").partition("<!-- worked example")
    shown = re.findall(r"```(?:json|text)\n(.*?)\n```", text, flags=re.DOTALL)

    assert shown == examples()[page]
