"""The only wiring: opens a node, serves it, and runs its loops."""
