"""The same checks as plain pytest: `pytest contract_tests --target URL`, or `--target-profile FILE`.

Without either, every worker starts the embedded mock for itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from contract_tests.bench import Bench, Shared
from contract_tests.control import require_control
from contract_tests.embedded import embedded_mock
from contract_tests.profile import named_target
from contract_tests.run import Options, Task, harm, planned, tenants_of
from contract_tests.target import Target
from contract_tests.tenants import Tenants
from contract_tests.verdicts import Ledger
from mockserver.contract import Contract, Schemas, load_contract
from mockserver.errors import SuiteError
from mockserver.rules import RULES

_TARGET = pytest.StashKey[Target]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that name the target."""
    group = parser.getgroup("contract", "FansMetric contract")
    group.addoption("--target", metavar="URL", help="Check the server at URL.")
    group.addoption("--target-profile", metavar="FILE", help="What is known of the target.")
    group.addoption(
        "--control", action="store_true", help="The target has the mock's control API; use it."
    )
    group.addoption(
        "--strict-rules", action="store_true", help="Let inferred rules fail a test too."
    )


def pytest_configure(config: pytest.Config) -> None:
    """Read the target's profile, and refuse to check one organization from several processes at once."""
    url, file = config.getoption("--target"), config.getoption("--target-profile")
    if url is None and file is None:
        return
    try:
        profile = named_target(url, Path(file) if file else None, load_contract())
    except SuiteError as error:
        raise pytest.UsageError(str(error)) from None
    profile = replace(profile, control=config.getoption("--control") or profile.control)
    config.stash[_TARGET] = Target(profile)
    if config.getoption("numprocesses", None) and not profile.control:
        raise pytest.UsageError(
            "a target without a control API has its organization's windows checked one request"
            " at a time; leave -n out"
        )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test of each check on each operation."""
    if "task" in metafunc.fixturenames:
        tasks = planned(load_contract(), Options(), list(RULES.values()))
        metafunc.parametrize("task", tasks, ids=[_name_of(task) for task in tasks])


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let what writes and what uses a window up come last on a shared organization, whoever shuffled the tests."""
    named = config.stash.get(_TARGET, None)
    if named is not None and not named.profile.control:
        items.sort(key=_harm_of)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Refuse a target that can't be reached, or lacks the control API that it should have, before any test."""
    config = session.config
    target = config.stash.get(_TARGET, None)
    if target is None or config.option.collectonly or hasattr(config, "workerinput"):
        return
    try:
        target.reach()
        require_control(target)
    except SuiteError as error:
        raise pytest.UsageError(str(error)) from None


def _harm_of(item: pytest.Item) -> tuple[bool, bool]:
    task = item.callspec.params.get("task") if isinstance(item, pytest.Function) else None
    return harm(task) if isinstance(task, Task) else (False, False)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """End as where there are no tests when every check was skipped: who judged nothing has nothing to pass."""
    reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
    stats = {} if reporter is None else reporter.stats
    if exitstatus == pytest.ExitCode.OK and stats.get("skipped") and not stats.get("passed"):
        session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED


def _name_of(task: Task) -> str:
    where = f" {task.operation.label}" if task.operation else ""
    return f"{task.check.rule.id}{where} {task.check.scenario.__name__}"


@dataclass(frozen=True, slots=True)
class Session:
    """What all checks of one process share."""

    contract: Contract
    schemas: Schemas
    target: Target
    tenants: Tenants
    shared: Shared

    def bench(self, task: Task) -> Bench:
        """Return the bench of one check, with a ledger of its own."""
        return Bench(
            self.contract,
            self.schemas,
            self.target,
            self.tenants,
            Ledger(),
            self.shared,
            task.check.rule,
            task.operation,
        )


@pytest.fixture(scope="session")
def session(pytestconfig: pytest.Config) -> Iterator[Session]:
    """Yield the target that is named, or the embedded mock."""
    contract = load_contract()
    named = pytestconfig.stash.get(_TARGET, None)
    if named is not None:
        yield _session(contract, named)
        return
    with embedded_mock() as profile:
        yield _session(contract, Target(profile))


def _session(contract: Contract, target: Target) -> Session:
    schemas = Schemas(contract.document)
    return Session(contract, schemas, target, tenants_of(target, contract), Shared())
