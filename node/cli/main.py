"""creditport: run a node and act for its party."""

import sys
from importlib import import_module

import typer

from node.cli.screen import tells_its_version

HELP = (
    "Exchange enterprise credit records lawfully and provably between Shenzhen, Hong Kong and the Greater Bay Area."
    "\n\nName the node's folder with --node or CREDITPORT_NODE. Passphrases come from CREDITPORT_PASSPHRASE and "
    "CREDITPORT_OPERATOR_PASSPHRASE (or ..._FILE), or are asked for."
    "\n\nExit codes: 0 done, 1 refused or findings, 2 wrong usage or another file than the command reads, "
    "3 not possible now, 4 something is wrong on this machine, 130 interrupted."
)
COMMANDS = ("init", "serve", "status", "migrate")
GROUPS = {
    "party": "parties",
    "norms": "norms",
    "operator": "operators",
    "agreement": "agreements",
    "records": "records",
    "consent": "consents",
    "declaration": "declarations",
    "query": "query",
    "push": "push",
    "notices": "notices",
    "holders": "holders",
    "clocks": "clocks",
    "jobs": "jobs",
    "journal": "journal",
    "keys": "keys",
}


def program(wanted: str | None = None) -> typer.Typer:
    """The program, or only the part of it that one command needs: imports are most of a short command's time."""
    app = typer.Typer(
        name="creditport",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        help=HELP,
    )
    tells_its_version(app, "creditport")
    if wanted not in GROUPS:
        import_module("node.cli.nodes").add_to(app)
    if wanted in COMMANDS:
        return app
    for name, module in GROUPS.items():
        if wanted not in GROUPS or wanted == name:
            import_module(f"node.cli.{module}").add_to(app)
    return app


def loaded() -> typer.Typer:
    """The program as far as the words that it was called with need it, ready to be run."""
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    known = words[0] if words and words[0] in {*COMMANDS, *GROUPS} and sys.argv[1] == words[0] else None
    return program(known)
