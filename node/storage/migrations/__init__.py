"""Migrations: every revision of the schema, oldest first, run by `node.storage.upgrade`."""
