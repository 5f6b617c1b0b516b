"""One suite for each port of the node's operations, run on every store there is."""
