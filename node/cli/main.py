"""creditport: run a node and act for its party."""

import typer

from node.cli import agreements, consents, journal, nodes, operators, parties, query, records

app = typer.Typer(
    name="creditport",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help=(
        "Exchange enterprise credit records lawfully and provably between Shenzhen, Hong Kong and the Greater Bay Area."
        "\n\nName the node's folder with --node or CREDITPORT_NODE. Passphrases come from CREDITPORT_PASSPHRASE and "
        "CREDITPORT_OPERATOR_PASSPHRASE (or ..._FILE), or are asked for."
        "\n\nExit codes: 0 done, 1 refused or findings, 2 wrong usage, 3 not possible now, 4 something is wrong here."
    ),
)
nodes.add_to(app)
app.add_typer(parties.app, name="party")
app.add_typer(operators.app, name="operator")
app.add_typer(agreements.app, name="agreement")
app.add_typer(records.app, name="records")
app.add_typer(consents.app, name="consent")
query.add_to(app)
app.add_typer(journal.app, name="journal")
app.add_typer(nodes.keys_app, name="keys")


def main() -> None:
    """Run the program."""
    app()
