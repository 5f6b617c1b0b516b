"""Tables that are made anew with what was in them: SQLite changes little of a table that is there."""

from alembic import op


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
