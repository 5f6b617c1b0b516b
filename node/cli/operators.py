"""operator: the people who may act for this node."""

from collections.abc import Mapping
from typing import Annotated, Final

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

_ORDERS: Final[Mapping[Role, tuple[str, str]]] = {
    Role.REGISTRAR: ("准入和撤销缔约方、采用规则（主管部门）", "admit and revoke parties, adopt norms (authorities)"),
    Role.CONTRACTS: ("起草、提出、签署、备案和终止协议", "draft, propose, sign, file and end agreements"),
    Role.RECORDS: (
        "导入、推送、更正、停止披露和证明信息，提出删除，重发通知",
        "import, push, correct, withhold and attest records, order a deletion, retry notices",
    ),
    Role.APPROVALS: ("批准他人提出的删除、恢复披露", "approve what somebody else ordered: a deletion, a release"),
    Role.CONSENTS: ("证明信用主体的同意", "attest consents"),
    Role.QUERIES: ("查询", "query"),
}

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
    """List the roles an operator can have, and what each may order."""
    if json:
        say_json([role.value for role in Role])
        return
    table(
        [{"role": role.value, "zh": zh, "en": en} for role, (zh, en) in _ORDERS.items()],
        {"role": "role", "zh": "可下达", "en": "may order"},
        as_json=False,
        empty="none",
    )
