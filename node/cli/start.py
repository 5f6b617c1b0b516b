"""Where both programs begin: whoever interrupts one while it is still being loaded gets no traceback."""

import gc
import sys
from collections.abc import Callable
from importlib import import_module
from io import TextIOWrapper
from typing import Final

_INTERRUPTED: Final = 130
"""128 + SIGINT, as shells have it; `node.cli.screen.Exit` says the same, and is not loaded yet."""


def creditport() -> None:
    """The operator's program."""
    _start("node.cli.main")


def creditport_inspect() -> None:
    """The inspector's program."""
    _start("node.cli.inspector.main")


def _start(module: str) -> None:
    if isinstance(sys.stdout, TextIOWrapper):
        # A terminal of another encoding gets a question mark for what it has no letter for, and nobody a traceback.
        sys.stdout.reconfigure(errors="replace")
    try:
        _loaded(module)()
    except KeyboardInterrupt:
        # Commands say themselves what an interruption left behind; here nothing had begun, or everything was over.
        sys.exit(_INTERRUPTED)


def _loaded(module: str) -> Callable[[], None]:
    """Load a program, as far as the words need it.

    Nothing of it becomes garbage, and looking for some again and again took a third of a short command.
    """
    gc.disable()
    try:
        program: Callable[[], None] = import_module(module).loaded()
    finally:
        gc.freeze()
        gc.enable()
    return program
