"""What a PostgreSQL database holds, saved and brought back.

A database made from a template costs the server half a second of work; these few hundred rows cost a tenth of that.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg
from psycopg.sql import SQL, Identifier

from node.storage.tables import metadata
from tests.contracts.postgresql import emptied


@dataclass(frozen=True, slots=True)
class SavedRows:
    """Every row, by table in the order in which they refer to one another, and the last number of every sequence."""

    tables: Mapping[str, bytes]
    sequences: Mapping[str, int]


def save(url: str) -> SavedRows:
    """Save what a database holds."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        tables = {}
        for table in metadata.sorted_tables:
            with cursor.copy(SQL("COPY {} TO STDOUT (FORMAT BINARY)").format(Identifier(table.name))) as copy:
                tables[table.name] = b"".join(map(bytes, copy))
        cursor.execute("SELECT sequencename, last_value FROM pg_sequences WHERE last_value IS NOT NULL")
        return SavedRows(tables=tables, sequences=dict(cursor))


def bring_back(url: str, saved: SavedRows) -> None:
    """Have a database hold what was saved, and nothing else; whoever was left in it by a killed process is sent off."""
    emptied(url)
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM counters")
        for table, rows in saved.tables.items():
            if len(rows) > _NO_ROWS:
                with cursor.copy(SQL("COPY {} FROM STDIN (FORMAT BINARY)").format(Identifier(table))) as copy:
                    copy.write(rows)
        for sequence, last in saved.sequences.items():
            cursor.execute("SELECT setval(%s, %s)", (sequence, last))


_NO_ROWS = 21
"""Bytes of a binary copy with no row in it."""
