"""How tests are shared out among processes: file by file, and all scenarios to one, which founds one network.

No property fails because a machine is slow: neither for an example that takes long nor for one that is long in making.
"""

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

SCENARIOS = "tests/scenarios/"
settings.register_profile("creditport", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("creditport")


class OneNetwork(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Gives a whole file to one process, and all scenarios to the same one; whatever holds most tests begins first."""

    def _split_scope(self, nodeid: str) -> str:
        return SCENARIOS if nodeid.startswith(SCENARIOS) else nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> OneNetwork | None:
    """Only for plain `-n`; another `--dist` is left to xdist."""
    return OneNetwork(config, log) if config.getoption("dist") == "load" else None
