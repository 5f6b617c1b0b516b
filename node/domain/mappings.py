"""The mappings that come with the product: public registers that others can get too, and examples to start from."""

from functools import cache
from importlib.resources import files
from typing import Final

_SUFFIX: Final = ".toml"


@cache
def shipped_mappings() -> dict[str, str]:
    """The text of every shipped mapping by its name, in order."""
    found = (files("node.domain") / "data" / "mappings").iterdir()
    named = {file.name.removesuffix(_SUFFIX): file for file in found if file.name.endswith(_SUFFIX)}
    return {name: named[name].read_text("utf-8") for name in sorted(named)}
