"""creditport-inspect: fetch evidence from a node, verify it offline, look into it."""

import typer

from node.cli.inspector import checking, fetching, views
from node.cli.screen import tells_its_version

HELP = (
    "See who shared which enterprises' credit records with whom, under which filed agreement, and whether every "
    "change reached every holder; and verify it without trusting the node."
    "\n\n核查企业信用记录由谁、依据哪份已备案协议、向谁披露，以及更正与删除是否送达每一持有方；核验无须信任被查节点。"
    "\n\nExit codes: 0 clean, 1 findings (or refused), 2 cannot be checked (or wrong usage), 3 not possible now, "
    "4 something is wrong on this machine, 130 interrupted."
)


def program() -> typer.Typer:
    """The program."""
    app = typer.Typer(
        name="creditport-inspect",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        help=HELP,
    )
    tells_its_version(app, "creditport-inspect")
    fetching.add_to(app)
    checking.add_to(app)
    views.add_to(app)
    return app


def loaded() -> typer.Typer:
    """The program, ready to be run."""
    return program()
