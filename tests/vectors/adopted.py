"""The vector of an adoption: a small pack, its digest, and the statement by which an authority puts it in force."""

from datetime import date
from typing import Any

from msgspec.structs import replace

from crypto import envelope
from crypto.canonical import canonical, read
from crypto.keys import Purpose
from registry.norms.shelf import PackKind, open_pack
from registry.statements import STATEMENT_KIND, Adoption, PackRef, StatementKind, Term, adopt, read_statement
from tests.unit.registry.cast import SHENZHEN, Authority

PACK = """# What paint there is.
id = "COLOURS"
version = 3
source = "Paint shop"

[codes]
RED = { zh = "红", en = "Red" }
"""


def adoption() -> dict[str, Any]:
    office, pack = Authority(SHENZHEN), open_pack(PACK.encode(), "COLOURS.toml")
    raw = adopt(office.desk(), [pack], Term(start=date(2026, 4, 1)))
    signed = envelope.parse(raw, STATEMENT_KIND)
    key = office.actor.signing(Purpose.DOCUMENT)
    return {
        "about": "A statement by which an authority adopts one pack from a day on; the pack is called by its digest.",
        "example": {
            "pack": PACK,
            "pack digest": pack.digest.hex(),
            "payload": signed.payload.decode(),
            "document": raw.decode(),
            "digest": signed.digest.hex(),
        },
        "seed": key.seed.hex(),
        "authority card": office.card.raw.decode(),
        "in force from": read_statement(raw, office.card).statement.effective_at.isoformat(),
        "refused": _refused(read(signed.payload, Adoption), office),
    }


def _refused(good: Adoption, office: Authority) -> list[dict[str, str]]:
    (pack,) = good.packs
    other = PackRef(kind=PackKind.CATALOGUE, id="A", version=1, digest=pack.digest)
    cases = {
        "for another jurisdiction": replace(good, jurisdiction="HK"),
        "in another authority's name": replace(good, authority="hk-credit-dept"),
        "one pack twice": replace(good, packs=(pack, pack)),
        "packs in another order": replace(good, packs=(pack, other)),
        "an end before the beginning": replace(good, effective_until=good.effective_from),
        "a day outside the calendar": replace(good, effective_from=date(1999, 12, 31)),
        "no pack": replace(good, packs=()),
        "a kind of its own": replace(good, kind=StatementKind.ADMITTED),
        "a version below 1": replace(good, packs=(replace(pack, version=0),)),
    }
    key = office.actor.signing(Purpose.DOCUMENT)
    expected = dict.fromkeys(("no pack", "a version below 1"), "Malformed") | {"a kind of its own": "UnknownField"}
    return [
        {
            "why": why,
            "document": envelope.sign(STATEMENT_KIND, canonical(payload), [key]).decode(),
            "expect": expected.get(why, "BadStatement"),
        }
        for why, payload in cases.items()
    ]
