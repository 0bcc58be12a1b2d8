"""What the pytest plugin is made of, for use with any test runner.

`FansMetric` mints organizations on a mock: one inside this process, or a running server.
"""

from mockserver.testing.accounts import TestAccount
from mockserver.testing.backends import Backend, InProcess, Remote
from mockserver.testing.fansmetric import FansMetric
from mockserver.testing.keys import TestKey
from mockserver.testing.log import Request, Requests
from mockserver.testing.organization import TestOrganization

__all__ = [
    "Backend",
    "FansMetric",
    "InProcess",
    "Remote",
    "Request",
    "Requests",
    "TestAccount",
    "TestKey",
    "TestOrganization",
]
