"""A query, or the next frame of a push, races with the deletion of the record that it shows: a thousand times each way.

Processes share one database, SQLite or PostgreSQL, and are let go at the same moment. Whoever commits first, there is
never a holder without a notice.
"""
