"""The official vectors, in the folder that CREDITPORT_VECTORS names; they are not part of the project."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(os.environ.get("CREDITPORT_VECTORS", ""))
PRESENT = bool(os.environ.get("CREDITPORT_VECTORS")) and ROOT.is_dir()

needs_vectors = pytest.mark.skipif(
    not PRESENT, reason="official vectors not found: set CREDITPORT_VECTORS to the folder that holds them"
)


def load(name: str) -> Any:
    """One official file, or an empty list when the vectors are not there."""
    return json.loads((ROOT / name).read_text(encoding="utf-8")) if PRESENT else []


def files(folder: str) -> list[str]:
    """The JSON files under a folder, by their path in the vectors."""
    return sorted(str(path.relative_to(ROOT)) for path in (ROOT / folder).rglob("*.json")) if PRESENT else []


def wycheproof(name: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Every (group, test) of one Wycheproof file."""
    document = load(f"wycheproof/{name}_test.json") or {"testGroups": []}
    return [(group, test) for group in document["testGroups"] for test in group["tests"]]
