"""operator: the people who may act for this node."""

from typing import Annotated

import typer

from node.app.opening import utc_now
from node.cli.inputs import passphrase
from node.cli.screen import Exit, facts, fail, say_json, table
from node.cli.session import HERE, JsonFlag, NodeFolder, acting, one_sentence, reading
from node.config import write_private
from node.domain.operators import Role
from node.keys import make_person_keys, sealed_keystore
from node.operations.operators import add_operator
from node.operations.rows import OperatorRow

app = typer.Typer(no_args_is_help=True, help="The people who may act for this node, each with an own signing key.")


def add_to(program: typer.Typer) -> None:
    """Add this group of commands to the program."""
    program.add_typer(app, name="operator")


@app.command(epilog="Example: creditport operator add alice --role contracts --role queries")
@one_sentence
def add(
    name: Annotated[str, typer.Argument(help="Short name: a-z, 0-9 and hyphens.")],
    role: Annotated[
        list[Role],
        typer.Option(metavar="ROLE", help="What the operator may order: see `operator roles`. May be repeated."),
    ],
    node: NodeFolder = HERE,
    json: JsonFlag = False,
) -> None:
    """Add an operator with a fresh signing key under an own passphrase."""
    if not name.replace("-", "").isalnum() or not name.isascii() or name != name.lower():
        fail("an operator's name is a-z, 0-9 and hyphens", Exit.USAGE)
    with acting(node) as opened:
        path = opened.folder.operator(name)
        if path.exists():
            fail(f"there is already an operator {name}", Exit.REFUSED)
        secret = passphrase("CREDITPORT_OPERATOR_PASSPHRASE", f"Passphrase for operator {name}", new=True)
        at = utc_now()
        secrets, key = make_person_keys(at)
        # The keystore first: an operator known to the node without a key could never act, one with a key
        # that the node does not know may not.
        write_private(path, sealed_keystore(secrets, secret))
        row = OperatorRow(
            name=name,
            key_id=key.key_id,
            public=key.public.raw,
            roles=frozenset(one.value for one in role),
            added_at=at,
        )
        with opened.store.write() as work:
            added = add_operator(work, row, opened.context)
    if not added:
        fail(f"there is already an operator {name}", Exit.REFUSED)
    facts({"operator": name, "key_id": key.key_id, "roles": [one.value for one in role]}, as_json=json)


@app.command("list", epilog="Example: creditport operator list --json")
@one_sentence
def list_operators(node: NodeFolder = HERE, json: JsonFlag = False) -> None:
    """List the operators and their roles."""
    with reading(node) as opened, opened.store.read() as work:
        rows = [
            {
                "operator": one.name,
                "roles": sorted(one.roles),
                "key_id": one.key_id,
                "added_at": one.added_at,
                "retired_at": one.retired_at,
            }
            for one in work.operators.all()
        ]
    columns = {"operator": "operator", "roles": "roles", "key_id": "key", "added_at": "added"}
    table(rows, columns, as_json=json, empty="no operators yet: creditport operator add NAME --role ROLE")


@app.command(epilog="Example: creditport operator roles")
def roles(json: JsonFlag = False) -> None:
    """List the roles an operator can have."""
    if json:
        say_json([role.value for role in Role])
        return
    for role in Role:
        typer.echo(role.value)
