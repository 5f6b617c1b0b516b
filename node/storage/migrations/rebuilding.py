"""Tables that are made anew with what was in them: SQLite changes little of a table that is there."""

from alembic import op
from sqlalchemy import text


def set_aside(*tables: str) -> None:
    """Copy tables and drop them, those that name others first."""
    for table in tables:
        op.execute(f"CREATE TABLE old_{table} AS SELECT * FROM {table}")  # noqa: S608 - words of a migration
    for table in tables:
        op.drop_table(table)


def put_back(table: str, into: str, values: str | None = None) -> None:
    """Fill a table that was made anew from what was set aside, which `values` may call `o`."""
    op.execute(f"INSERT INTO {table} ({into}) SELECT {values or into} FROM old_{table} o")  # noqa: S608 - as above
    op.drop_table(f"old_{table}")
    if op.get_bind().dialect.name == "postgresql" and into.startswith("number"):
        # Numbers that were put in by hand are unknown to whoever gives the next one.
        newest = f"(SELECT coalesce(max(number), 0) + 1 FROM {table})"  # noqa: S608 - as above
        op.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'number'), {newest}, false)")


def replace_in(table: str, old: str, new: str) -> None:
    """Make a table of SQLite anew with all its columns, indexes and rows, in whose text one thing is another."""
    made = op.get_bind().execute(
        text("SELECT sql FROM sqlite_master WHERE tbl_name = :table AND sql IS NOT NULL"), {"table": table}
    )
    whole, *indexes = sorted((str(sql) for (sql,) in made), key=lambda sql: not sql.startswith("CREATE TABLE"))
    if old not in whole:
        raise ValueError(f"expected {old!r} in the table {table}, which has not got it")
    # Other tables may name its rows; they do so again before the transaction ends.
    op.execute("PRAGMA defer_foreign_keys = ON")
    set_aside(table)
    op.execute(whole.replace(old, new))
    op.execute(f"INSERT INTO {table} SELECT * FROM old_{table}")  # noqa: S608 - as above
    op.drop_table(f"old_{table}")
    for index in indexes:
        op.execute(index)
