"""The programs people use: `creditport` for a node's operators."""
