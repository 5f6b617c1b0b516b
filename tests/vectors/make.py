"""Write the project's own vector files, and the worked examples in docs/protocol, from fixed seeds.

Run it as `python -m tests.vectors.make`. A test runs it again and compares: what changes here changes what
is already signed elsewhere. The seeds are public and protect nothing.
"""

import json
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec

from agreements.consent import SubjectName
from agreements.declaration import SelfDeclaration, sign_declaration
from crypto import checkpoint, commitment, envelope, frame, keys, merkle, pseudonym
from crypto.canonical import canonical, to_base64
from crypto.keys import Purpose
from tests.vectors.adopted import adoption
from tests.vectors.exchanged import exchange, journal, receipt
from tests.vectors.fixed import (
    AGREEMENT,
    NOON,
    RECIPIENT,
    SENDER,
    FixedRandom,
    hpke_seal,
    seal_key,
    signing_key,
)
from tests.vectors.propagated import copy_receipt, notice
from tests.vectors.shown import evidence

VECTORS: Final = Path(__file__).parent
PAGES: Final = VECTORS.parent.parent / "docs" / "protocol"
OPEN, CLOSE = "<!-- worked example: tests/vectors/{}.json -->", "<!-- end of worked example -->"


class Greeting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A small payload that stands for every document."""

    suite: int
    text: str
    when: datetime


def document() -> dict[str, Any]:
    first, second = signing_key(Purpose.DOCUMENT, "first"), signing_key(Purpose.OPERATOR, "second")
    payload = canonical(Greeting(suite=1, text="信用 credit", when=NOON))
    raw = envelope.sign("greeting", payload, [first])
    name = envelope.payload_type("greeting")
    return {
        "about": "A signed document: DSSE over canonical JSON. Its digest does not depend on who signed.",
        "example": {
            "kind": "greeting",
            "payload": payload.decode(),
            "seed": first.seed.hex(),
            "keyid": first.key_id,
            "pae": envelope.pae(name, payload).decode(),
            "document": raw.decode(),
            "digest": envelope.digest(name, payload).hex(),
        },
        "two signatures": {
            "seed": second.seed.hex(),
            "keyid": second.key_id,
            "document": envelope.add_signature(raw, second).decode(),
        },
        "refused": _refused_documents(first),
    }


def _refused_documents(key: keys.SigningKey) -> list[dict[str, str]]:
    good = envelope.sign("greeting", Greeting(suite=1, text="x", when=NOON), [key])
    spaced = good.replace(b",", b", ", 1)
    texts = {
        "white space in the envelope": (spaced, "Malformed"),
        "a flipped payload bit": (good.replace(b'"payload":"ey', b'"payload":"ez'), "BadSignature"),
        "a field more in the envelope": (
            good.replace(b'{"payload"', b'{"extra":1,"payload"'),
            "UnknownField",
        ),
        "payload with its keys in another order": (
            _signed(b'{"text":"x","suite":1,"when":"2026-11-23T04:00:00Z"}', key),
            "Malformed",
        ),
        "payload with an unknown field": (
            _signed(b'{"more":0,"suite":1,"text":"x","when":"2026-11-23T04:00:00Z"}', key),
            "UnknownField",
        ),
        "payload of an unknown suite": (
            _signed(b'{"suite":2,"text":"x","when":"2026-11-23T04:00:00Z"}', key),
            "Malformed",
        ),
        "payload with a time zone other than UTC": (
            _signed(b'{"suite":1,"text":"x","when":"2026-11-23T12:00:00+08:00"}', key),
            "Malformed",
        ),
    }
    return [{"why": why, "document": raw.decode(), "expect": expect} for why, (raw, expect) in texts.items()]


def _signed(payload: bytes, key: keys.SigningKey) -> bytes:
    return envelope.sign("greeting", payload, [key])


def _rendition() -> commitment.Rendition:
    header = commitment.RenditionHeader(
        agreement=AGREEMENT,
        alias=FixedRandom("alias")(16).hex(),
        epoch=1,
        kind="penalty",
        profile="standard",
        pseudonym=FixedRandom("pseudonym")(16).hex(),
        suite=1,
        valid_until=date(2027, 11, 23),
        version=1,
    )
    values: dict[str, commitment.Value] = {
        "amount_band": 3,
        "categories": ("环境", "tax"),
        "closed": True,
        "decided_month": "2026-03",
        "repaired_month": None,
    }
    return commitment.make_rendition(header, values, FixedRandom("salts"))


def rendition() -> dict[str, Any]:
    made = _rendition()
    shown = commitment.disclose(made, ["closed"])
    return {
        "about": "A rendition, the digest of each field, its commitment, and one field shown on its own.",
        "example": {
            "rendition": commitment.encode(made).decode(),
            "header digest": sha256(canonical(made.header)).hexdigest(),
            "field digests": {field.name: commitment.field_digest(field).hex() for field in made.fields},
            "commitment": commitment.commitment(made).hex(),
            "presentation": commitment.encode_presentation(shown).decode(),
        },
    }


def _header(**changes: Any) -> frame.FrameHeader:
    """The header of an answer with the one rendition, but for its body."""
    answer = frame.FrameHeader(
        agreement=AGREEMENT,
        authorisation=sha256(b"an authorisation").hexdigest(),
        body="00" * 32,
        count=1,
        epoch=1,
        filings=frame.filing_set_digest([sha256(b"receipt b").digest(), sha256(b"receipt a").digest()]).hex(),
        frame=FixedRandom("frame")(16).hex(),
        journal_leaf=merkle.leaf_hash(b"a journal entry").hex(),
        mode="ANSWER",
        purpose="credit-granting",
        push_sequence=None,
        recipient=RECIPIENT,
        request=sha256(b"a request").hexdigest(),
        root=frame.root_over([commitment.commitment(_rendition())]).hex(),
        sender=SENDER,
        suite=1,
        time=NOON,
    )
    return msgspec.structs.replace(answer, **changes)


def _sealed(about: str, draft: frame.FrameHeader, chance: str) -> dict[str, Any]:
    """A frame with the one rendition, its body sealed from a fixed ephemeral key."""
    raw, recipient, key = commitment.encode(_rendition()), seal_key(RECIPIENT), signing_key(Purpose.FRAME, SENDER)
    info, ephemeral = draft.binding().info(), FixedRandom(chance)(32)
    body = hpke_seal(ephemeral, recipient.public.raw, frame.pad([raw]), info)
    header = msgspec.structs.replace(draft, body=sha256(body).hexdigest())
    signed = frame.sign_header(header, key)
    return {
        "about": about,
        "example": {
            "header": canonical(header).decode(),
            "frame key seed": key.seed.hex(),
            "seal key secret": recipient.secret.hex(),
            "info": info.hex(),
            "digest": envelope.parse(signed, frame.KIND).digest.hex(),
        },
        "document": signed.decode(),
        "ephemeral secret": ephemeral.hex(),
        "body": to_base64(body),
        "rendition": raw.decode(),
    }


def framed() -> dict[str, Any]:
    about = "A frame with one rendition: signed header, and a body sealed from a fixed ephemeral key."
    return _sealed(about, _header(), "ephemeral")


def pushed() -> dict[str, Any]:
    about = "The same rendition in the first frame that was pushed under its agreement."
    header = _header(
        authorisation=None,
        frame=FixedRandom("pushed frame")(16).hex(),
        journal_leaf=merkle.leaf_hash(b"the journal entry of a push").hex(),
        mode="PUSH",
        purpose=None,
        push_sequence=1,
        request=None,
    )
    return _sealed(about, header, "ephemeral of a push")


def head() -> dict[str, Any]:
    origin = f"creditport/journal/{SENDER}"
    log = checkpoint.NoteKey(origin, signing_key(Purpose.JOURNAL, SENDER))
    witness = checkpoint.NoteKey(f"creditport/registry/{RECIPIENT}", signing_key(Purpose.REGISTRY, RECIPIENT))
    leaves = [merkle.leaf_hash(f"entry {number}".encode()) for number in range(7)]
    note = checkpoint.sign_checkpoint(checkpoint.Checkpoint(origin, len(leaves), merkle.root(leaves)), log)
    return {
        "about": "A log head over seven leaves, the entries 'entry 0' to 'entry 6', signed and cosigned.",
        "example": {
            "checkpoint": note.decode(),
            "cosigned": checkpoint.cosign(note, witness, NOON).decode(),
            "log vkey": log.verifier().vkey(),
            "cosigner vkey": witness.verifier(checkpoint.SignatureType.COSIGNATURE_V1).vkey(),
            "cosigned at": "2026-11-23T04:00:00Z",
        },
        "log seed": log.key.seed.hex(),
        "cosigner seed": witness.key.seed.hex(),
        "inclusion of leaf 4": [one.hex() for one in merkle.inclusion_proof(leaves, 4)],
        "consistency from 3": [one.hex() for one in merkle.consistency_proof(leaves, 3)],
    }


def pseudonyms() -> dict[str, Any]:
    seed = FixedRandom("pseudonym seed")(32)
    subjects = [("uscc", "91440300708461136T"), ("hk-brn", "12345678"), ("lei", "529900T8BM49AURSDO55")]
    inputs = [pseudonym.subject_input(scheme, value) for scheme, value in subjects]
    return {
        "about": "Pseudonyms of three identifiers under one home seed, by agreement and epoch.",
        "seed": seed.hex(),
        "subjects": [
            {"scheme": scheme, "value": value, "input": one.hex()}
            for (scheme, value), one in zip(subjects, inputs, strict=True)
        ],
        "keys": [
            {
                "agreement": agreement,
                "epoch": epoch,
                "public key": pseudonym.public_key(seed, agreement, epoch).hex(),
                "pseudonyms": [one.hex() for one in pseudonym.own_pseudonyms(seed, agreement, epoch, inputs)],
            }
            for agreement, epoch in [("agreement-a", 1), ("agreement-a", 2), ("agreement-b", 1)]
        ],
    }


def key_names() -> dict[str, Any]:
    listed = [signing_key(purpose, "listed").public for purpose in Purpose if _signs(purpose)]
    listed.append(seal_key("listed").public)
    return {
        "about": "Names of public keys, which cover purpose and algorithm; see docs/protocol/document.md.",
        "keys": [
            {"purpose": key.purpose, "algorithm": key.algorithm, "public": key.raw.hex(), "keyid": key.key_id}
            for key in listed
        ],
    }


def _signs(purpose: Purpose) -> bool:
    return keys.ALGORITHM_OF[purpose] is keys.Algorithm.ED25519


def declaration() -> dict[str, Any]:
    firm, another = signing_key(Purpose.SUBJECT, "firm"), signing_key(Purpose.SUBJECT, "another firm")
    said = SelfDeclaration(
        consent_until=date(2027, 11, 23),
        declaration_no="2026-7",
        declared_on=date(2026, 11, 23),
        key=firm.public.raw.hex(),
        statement="本企业已通过质量管理体系认证。",
        subject=SubjectName(scheme="CN-USCC", value="91440300MA5TERT15Q"),
        suite=1,
        topic_code="QUALIFICATION",
    )
    raw = sign_declaration(said, firm)
    unseen = msgspec.structs.replace(said, statement="ordered \u202eotherwise")
    by_another = envelope.sign("self-declaration", canonical(said), [another])
    both = envelope.add_signature(raw, another)
    unread = envelope.sign("self-declaration", canonical(unseen), [firm])
    return {
        "about": "A self-declaration under its subject's own key, and what is none.",
        "example": {
            "payload": canonical(said).decode(),
            "seed": firm.seed.hex(),
            "keyid": firm.key_id,
            "document": raw.decode(),
            "SHA-256 of the document": sha256(raw).hexdigest(),
        },
        "refused": [
            {"why": why, "document": wrong.decode(), "expect": expect}
            for why, wrong, expect in (
                ("signed by another key than it names", by_another, "SIGNATURE_INVALID"),
                ("signed by another key besides", both, "SIGNATURE_INVALID"),
                ("a character that turns the text around", unread, "MALFORMED"),
            )
        ],
    }


FILES: Final = {
    "document": document,
    "declaration": declaration,
    "rendition": rendition,
    "frame": framed,
    "push": pushed,
    "checkpoint": head,
    "pseudonym": pseudonyms,
    "key_ids": key_names,
    "journal": journal,
    "receipt": receipt,
    "exchange": exchange,
    "notice": notice,
    "copy_receipt": copy_receipt,
    "evidence": evidence,
    "adoption": adoption,
}
EXPLAINED: Final = {name: name for name in FILES if name not in {"pseudonym", "key_ids"}} | {
    "copy_receipt": "receipt",
    "adoption": "registry-log",
}
"""Vector files whose worked example stands in a page, and in which."""


def file_text(name: str) -> str:
    """The vector file of that name, as it must be on disk."""
    return json.dumps(FILES[name](), ensure_ascii=False, indent=2) + "\n"


def worked_example(name: str) -> str:
    """The worked example of a vector file as it must stand in the page that explains it."""
    parts = [OPEN.format(name)]
    for label, value in FILES[name]()["example"].items():
        text = json.dumps(value, ensure_ascii=False, indent=2) if isinstance(value, dict) else str(value)
        parts.append(f"{label}:\n\n```text\n{text.rstrip()}\n```")
    return "\n\n".join([*parts, CLOSE])


def page_with_example(page: str, name: str) -> str:
    """The page with the worked example between its marks made new."""
    before, _, rest = page.partition(OPEN.format(name))
    _, _, after = rest.partition(CLOSE)
    return before + worked_example(name) + after


def main() -> None:
    """Write every vector file and every worked example."""
    for name in FILES:
        (VECTORS / f"{name}.json").write_text(file_text(name), encoding="utf-8")
    for name, title in EXPLAINED.items():
        page = PAGES / f"{title}.md"
        page.write_text(page_with_example(page.read_text(encoding="utf-8"), name), encoding="utf-8")


if __name__ == "__main__":
    main()
