"""records attest: an institution's signed word for self-declarations and odd codes; and reading it for an import."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from agreements.attestation import WaiverReason
from node.app.opening import Node, utc_now
from node.cli.imports import (
    KindOption,
    MappingOption,
    Source,
    intake_of,
    known_encoding,
    listing_of,
    mapping_named,
)
from node.cli.inputs import require_other
from node.cli.screen import Exit, err, facts, fail
from node.cli.session import HERE, JsonFlag, NodeFolder, OperatorName, acting, one_sentence, ordering
from node.operations.attest_records import attest_records, gather
from node.operations.operators import NotAllowed

_TERM = timedelta(days=90)


@one_sentence
def attest(
    file: Annotated[Path, typer.Argument(help="The file that is to be imported.", exists=True, dir_okay=False)],
    kind: KindOption,
    output: Annotated[Path, typer.Option(help="Write the signed attestation there.")],
    operator: OperatorName,
    mapping: MappingOption = None,
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="First day on which it is no good any more.", show_default="90 days"),
    ] = None,
    reason: Annotated[
        WaiverReason, typer.Option(help="Why unified codes whose check character does not fit are right.")
    ] = WaiverReason.ISSUED_SO,
    encoding: Annotated[str | None, typer.Option(help="Of the file, if its beginning does not show it.")] = None,
    node: NodeFolder = HERE,
    json: JsonFlag = False,
) -> None:
    """Attest the self-declarations and odd codes of a file, in your institution's name; an import is shown this."""
    require_other(output, file)
    read = Source(file=file, mapping=mapping_named(mapping, kind), encoding=known_encoding(encoding))
    end = until.replace(tzinfo=UTC) if until else utc_now() + _TERM
    if end <= utc_now():
        fail("--until names a day to come", Exit.USAGE)
    with acting(node) as opened:
        _require_admission(opened)
        who = ordering(opened, operator)
        intake = intake_of(opened, kind, file.name, provider=opened.party, attested=None)
        with file.open("rb") as stream, closing(read.rows(stream)) as rows:
            gathered = gather(rows, intake, reason, end, opened.context)
        if isinstance(gathered, NotAllowed):
            fail(gathered.why, Exit.REFUSED)
        for one in gathered.refused:
            err.print(f"creditport: row {one.row} would not be taken in: {one.reason}", markup=False)
        with opened.store.write() as work:
            issued = attest_records(work, gathered.attestation, who, opened.context)
        if isinstance(issued, NotAllowed):
            fail(issued.why, Exit.REFUSED)
    output.write_bytes(issued.raw)
    told = {
        "attestation": issued.digest.hex(),
        "declarations": len(gathered.attestation.declarations),
        "identifiers": len(gathered.attestation.identifiers),
        "expires_at": end,
        "output": str(output),
    }
    facts(told, as_json=json)


def _require_admission(node: Node) -> None:
    listing = listing_of(node, node.party)
    if listing is None or not listing.is_active:
        fail("no authority lists this party as admitted, so nobody would take its word", Exit.REFUSED)
