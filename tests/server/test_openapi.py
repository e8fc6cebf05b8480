"""The HTTP interface is what its own description says, whatever is asked: checked by schemathesis, in process."""

import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from mirrorfield.server.app import create_app
from mirrorfield.server.guard import Names
from mirrorfield.server.panels import Difference, WhatIf


@pytest.fixture(scope="module", autouse=True)
def quick():
    """Answer what-ifs at once, in their form: what they say is tested beside `compare`."""
    effect = Difference(metric="drift", base=0.2, changed=0.1, difference=-0.1, low=-0.2, high=0.0)
    with pytest.MonkeyPatch.context() as patch:
        told = WhatIf(pairs=2, steps=1, command="mirrorfield compare", effects=[effect])
        patch.setattr("mirrorfield.server.panels.effects", lambda *key: told)
        yield


NAMES = Names(frozenset({"testserver", "localhost"}))
schema = schemathesis.openapi.from_asgi(
    "/openapi.json", create_app(names=Names(frozenset({"testserver", "localhost"})))
)


@schema.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_described(case) -> None:
    case.call_and_validate()
