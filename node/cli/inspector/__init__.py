"""creditport-inspect: a regulator's program. It opens no node's database, and needs no node but to fetch from."""
