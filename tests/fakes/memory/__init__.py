"""A store in memory: every promise of `node.operations.ports` over plain dicts, for small tests.

`state` is what such a store holds and how a unit of work gets at it, `store` opens units; each other file keeps the
promises of a few ports.
"""

from tests.fakes.memory.store import MemoryStore

__all__ = ["MemoryStore"]
