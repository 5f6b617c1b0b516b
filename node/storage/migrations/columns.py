"""The columns that migrations make tables of.

Migrations that were run share these: what is changed here changes what they did. Another kind of column gets another
function.
"""

import sqlalchemy as sa

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def row_number() -> sa.Column[int]:
    """The number that the database gives each row."""
    return sa.Column("number", _NUMBER, primary_key=True)


def whole(name: str, *, references: str | None = None, key: bool = False, nullable: bool = False) -> sa.Column[int]:
    """A whole number, which may be that of another table's row."""
    foreign = [sa.ForeignKey(references)] if references else []
    return sa.Column(name, _NUMBER, *foreign, primary_key=key, nullable=nullable, autoincrement=False)


def octets(name: str, *, key: bool = False, nullable: bool = False) -> sa.Column[bytes]:
    """Bytes of any length."""
    return sa.Column(name, sa.LargeBinary, primary_key=key, nullable=nullable)


def text(name: str, *, key: bool = False, nullable: bool = False) -> sa.Column[str]:
    """Text of any length."""
    return sa.Column(name, sa.Text, primary_key=key, nullable=nullable)


def ordered_text(name: str, *, key: bool = False) -> sa.Column[str]:
    """Text of any length that is compared byte by byte."""
    return sa.Column(name, sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), primary_key=key)


def flag(name: str) -> sa.Column[bool]:
    """Yes or no."""
    return sa.Column(name, sa.Boolean, nullable=False)


def unique(table: str, *columns: str) -> sa.UniqueConstraint:
    """No two rows of a table have the same in all these columns."""
    return sa.UniqueConstraint(*columns, name="_".join(("uq", table, *columns)))
