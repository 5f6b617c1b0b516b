"""What every stored fact is made of."""

import msgspec


class SilentRow(msgspec.Struct, frozen=True, kw_only=True):
    """Shows nothing of what it holds; made ten times faster than a dataclass, which bulk work notices."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"
