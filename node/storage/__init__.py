"""Storage: the only SQL of the node. Stores for every port of `node.operations.ports`.

`engine` opens, creates and migrates a database; `tables` is its schema; each `*_store` holds the statements
of the stores in it; `backend` says what differs between database engines, and `sqlite` and `postgresql` say it for
those two; `duties` shares out work among processes.
"""
