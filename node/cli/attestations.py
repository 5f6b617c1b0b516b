"""records attest: an institution's signed word for self-declarations and odd codes; and reading it for an import."""

import csv
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from agreements.attestation import Attestation, WaiverReason
from agreements.consent import SubjectName
from agreements.declaration import subject_key
from crypto.errors import CryptoError
from node.app.opening import Node, utc_now
from node.cli.import_report import ImportReport
from node.cli.imports import (
    DeclarationsOption,
    KindOption,
    MappingOption,
    declarations_in,
    files_in,
    intake_of,
    listing_of,
    mapping_file,
    source_in,
)
from node.cli.inputs import DAY, a_day, a_file, text_of
from node.cli.outputs import require_other, settle, to_be_written, whole_file
from node.cli.references import Place, place_in, read_subject
from node.cli.screen import Exit, err, facts, fail
from node.cli.session import HERE, JsonFlag, NodeFolder, OperatorName, acting, one_sentence, ordering
from node.domain.attestations import ToAttest
from node.domain.dates import SHANGHAI
from node.domain.declarations import name_of
from node.domain.operators import SigningOperator
from node.domain.records import Kind
from node.operations.attest_records import Gathered, Issued, attest_records, gather, issue
from node.operations.operators import NotAllowed

_TERM = timedelta(days=90)
_Keys = Annotated[
    Path | None,
    typer.Option(
        help="The keys that your customers showed you: CSV with the columns `subject` and `key`.",
        callback=a_file,
    ),
]
_Until = Annotated[
    datetime | None,
    typer.Option(
        parser=a_day, metavar=DAY, help="First day in Shenzhen on which it is no good any more.", show_default="90 days"
    ),
]


@one_sentence
def attest(
    file: Annotated[Path, typer.Argument(help="The file that is to be imported.", callback=a_file)],
    kind: KindOption,
    output: Annotated[Path, typer.Option(help="Write the signed attestation there.", callback=to_be_written)],
    operator: OperatorName,
    mapping: MappingOption = None,
    declarations: DeclarationsOption = None,
    keys: _Keys = None,
    until: _Until = None,
    reason: Annotated[
        WaiverReason, typer.Option(help="Why unified codes whose check character does not fit are right.")
    ] = WaiverReason.ISSUED_SO,
    encoding: Annotated[str | None, typer.Option(help="Of the file, if its beginning does not show it.")] = None,
    node: NodeFolder = HERE,
    json: JsonFlag = False,
) -> None:
    """Attest the self-declarations and odd codes of a file, in your institution's name; an import is shown this.

    A self-declaration is attested where its subject signed it with the key that you know to be that subject's.
    """
    require_other(output, [file, mapping_file(mapping), keys, *files_in(declarations or ())])
    read = source_in(file, mapping, kind, encoding)
    end = until.replace(tzinfo=SHANGHAI).astimezone(UTC) if until else utc_now() + _TERM
    if end <= utc_now():
        fail("--until names a day to come", Exit.USAGE)
    whose = _keys_in(keys) if keys else {}
    with acting(node) as opened:
        needed = ToAttest(signed=declarations_in(declarations, opened), keys=whose)
        _require_admission(opened)
        who = ordering(opened, operator)
        intake = intake_of(opened, kind, "", provider=opened.party, attested=None)
        if declarations and keys is None:
            err.print("creditport: note: no --keys, so no declaration is known to be its subject's own", markup=False)
        with file.open("rb") as stream, closing(read.rows(stream)) as rows:
            gathered = gather(rows, intake, needed, reason, end, opened.context)
        attestation = _worth_signing(gathered, kind)
        issued = _give(attestation, who, output, opened)
    told = {
        "attestation": issued.digest.hex(),
        "declarations": len(attestation.declarations),
        "identifiers": len(attestation.identifiers),
        "expires_at": end,
        "output": str(output),
    }
    facts(told, as_json=json)


def _give(attestation: Attestation, who: SigningOperator, output: Path, node: Node) -> Issued:
    """Sign and write it, and have the journal name it; what cannot be written is not given.

    Where the machine stops between the two, a draft is left that no entry names; after them, the draft is the document
    and has to be renamed.
    """
    issued = issue(attestation, node.context)
    with whole_file(output) as target:
        target.write(issued.raw)
        settle(target)
        with node.store.write() as work:
            done = attest_records(work, issued, who, node.facts(work).law, node.context)
        if isinstance(done, NotAllowed):
            fail(done.why, Exit.REFUSED)
    return issued


def _worth_signing(gathered: Gathered | NotAllowed, kind: Kind) -> Attestation:
    """What is to be signed, after every row was named that is not in it; ends the command where nothing is."""
    if isinstance(gathered, NotAllowed):
        fail(gathered.why, Exit.REFUSED)
    report = ImportReport(kind, None)
    report.take(gathered.refused)
    for line in report.alike_in_words():
        err.print(f"creditport: would not be taken in: {line.en}  不会入库：{line.zh}", markup=False)
    if gathered.attestation is None:
        fail("no row of this file needs an attestation that can be given", Exit.REFUSED)
    return gathered.attestation


def _keys_in(file: Path) -> dict[SubjectName, frozenset[str]]:
    """The keys by subject; the first line that is none ends the command."""
    keys: dict[SubjectName, frozenset[str]] = {}
    lines = csv.DictReader(text_of(file).splitlines())
    try:
        if not {"subject", "key"} <= set(lines.fieldnames or ()):
            fail(f"{file.name}: expected a first line with the columns subject and key", Exit.USAGE)
        for line in lines:
            where = place_in(file, lines.line_num)
            subject = name_of(read_subject(where, line.get("subject") or "", check_attested=True))
            keys[subject] = keys.get(subject, frozenset()) | {_key(where, line.get("key") or "")}
    except csv.Error:
        fail(f"{file.name} line {lines.line_num + 1} is no line of CSV  该行不是 CSV 格式", Exit.USAGE)
    return keys


def _key(where: Place, text: str) -> str:
    key = text.strip()
    try:
        subject_key(key)
    except (CryptoError, ValueError):
        fail(f"{where.en}: key: expected 64 hexadecimal digits of an Ed25519 key, got another text", Exit.USAGE)
    return key


def _require_admission(node: Node) -> None:
    listing = listing_of(node, node.party)
    if listing is None or not listing.is_active:
        fail("no authority lists this party as admitted, so nobody would take its word", Exit.REFUSED)
