"""holders: who was shown a record, and who holds it still."""

from typing import Any

import typer

from node.cli.changes import RecordNumber
from node.cli.screen import Exit, fail, table
from node.cli.session import HERE, JsonFlag, NodeFolder, one_sentence, reading
from node.operations.rows import DisclosureRow


def add_to(app: typer.Typer) -> None:
    """Add this command to the program."""
    app.command(epilog="Example: creditport holders 17 --json")(holders)


@one_sentence
def holders(record: RecordNumber, node: NodeFolder = HERE, json: JsonFlag = False) -> None:
    """Say who was shown a record, in which frame, and who holds it still: only a signed receipt ends that."""
    with reading(node) as opened, opened.store.read() as work:
        if work.records.find(record) is None:
            fail(f"there is no record {record}", Exit.REFUSED)
        rows = [_row(one) for one in work.ledger.of_record(record)]
    columns = {
        "holder": "holder",
        "agreement": "agreement",
        "version": "version",
        "fields": "fields",
        "frame": "frame",
        "at": "shown at",
        "state": "state",
        "closed_at": "ended",
    }
    table(rows, columns, as_json=json, empty=f"record {record} was shown to nobody")


def _row(one: DisclosureRow) -> dict[str, Any]:
    state = "ended" if one.closed_at is not None else "cancelled" if one.is_cancelled else "held"
    return {
        "holder": one.holder,
        "agreement": one.agreement.hex(),
        "alias": one.alias.hex(),
        "version": one.record_version,
        "fields": "all agreed" if one.fields is None else one.fields,
        "frame": one.frame.hex(),
        "at": one.at,
        "state": state,
        "closed_at": one.closed_at,
    }
