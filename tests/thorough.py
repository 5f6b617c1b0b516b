"""How much is tried: by default what a quarter of an hour has room for; with CREDITPORT_THOROUGH=1 all of it."""

import os

THOROUGH = os.environ.get("CREDITPORT_THOROUGH", "") not in {"", "0"}
"""Every byte of both small bundles, a thousand of the large one, a hundred honest histories, a thousand races, four
times as many examples of each law: an hour and more of one core."""
