"""keys: what the node signs and opens with."""

import typer

from node.cli.screen import table
from node.cli.session import HERE, JsonFlag, NodeFolder, acting, one_sentence

app = typer.Typer(no_args_is_help=True, help="The node's keys.")


def add_to(program: typer.Typer) -> None:
    """Add this group of commands to the program."""
    program.add_typer(app, name="keys")


@app.command("list", epilog="Example: creditport keys list --node bank")
@one_sentence
def list_keys(node: NodeFolder = HERE, json: JsonFlag = False) -> None:
    """List the node's keys: purpose, id, state. Secrets are never shown."""
    with acting(node) as opened:
        entries = opened.keys.entries if opened.keys else ()
        rows = [
            {
                "purpose": entry.purpose.value,
                "algorithm": entry.algorithm.value,
                "key_id": entry.key_id,
                "state": entry.state.value,
                "created_at": entry.created_at,
                "retired_at": entry.retired_at,
            }
            for entry in entries
        ]
    columns = {
        "purpose": "purpose",
        "algorithm": "algorithm",
        "key_id": "key",
        "state": "state",
        "created_at": "made",
    }
    table(rows, columns, as_json=json, empty="no keys")
