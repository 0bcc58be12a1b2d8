"""Parallel clients see what some order of their requests, one after another, would have shown them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from mockserver.clock import Clock
from mockserver.faults import Fault
from tests.concurrency.clients import Ask, Clients, often_switching
from tests.concurrency.tenants import KINDS, MORNING, Tenant

if TYPE_CHECKING:
    from mockserver.world import World

LONGER = os.environ.get("FANSMETRIC_FUZZ")
"""A number of examples, for a longer search by hand."""

BOUNDED = settings(
    derandomize=not LONGER,
    database=None,
    deadline=None,
    max_examples=int(LONGER or 12),
    stateful_step_count=10,
    phases=(Phase.generate,),  # a race seldom comes again, so there is nothing to shrink
    suppress_health_check=list(HealthCheck),
)
_kinds = st.lists(st.sampled_from(KINDS), min_size=8, max_size=40)
_tenant = st.integers(0, 1)


class Machine(RuleBasedStateMachine):
    """Bursts of parallel requests to two organizations, and what a test does to them in between."""

    def __init__(self, clients: Clients, world: World, failures: list[AssertionError]) -> None:
        super().__init__()
        self.clients, self.world, self.failures = clients, world, failures
        self.tenants = [Tenant(world, limit) for limit in (40, 200)]

    def teardown(self) -> None:
        for tenant in self.tenants:
            self.world.remove_organization(tenant.organization.id)

    @rule(kinds=_kinds)
    def burst(self, kinds: list[str]) -> None:
        """All clients ask both organizations at once."""
        asked = [
            (t, t.ask(kind, number)) for number, kind in enumerate(kinds) for t in self.tenants
        ]
        answers = self.clients.burst([ask for _, ask in asked])
        for tenant in self.tenants:
            own = {id(ask) for owner, ask in asked if owner is tenant}
            with self.noting():
                tenant.model.digest([answer for answer in answers if id(answer.ask) in own])

    @rule(tenant=_tenant)
    def next_minute(self, tenant: int) -> None:
        self.tenants[tenant].next_minute()

    @rule(tenant=_tenant, left=st.integers(0, 40))
    def leave(self, tenant: int, left: int) -> None:
        self.tenants[tenant].leave(left)

    @rule(tenant=_tenant, times=st.integers(1, 20), status=st.sampled_from([502, 429]))
    def plant_fault(self, tenant: int, times: int, status: int) -> None:
        self.tenants[tenant].plant(times, status)

    @invariant()
    def is_what_the_model_says(self) -> None:
        with self.noting():
            for tenant in self.tenants:
                tenant.check()

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Keep a failure: Hypothesis runs it again, and of a race it can say only that it didn't come again."""
        try:
            yield
        except AssertionError as error:
            self.failures.append(error)
            raise


def test_bursts_are_linearizable(clients: Clients, world: World) -> None:
    failures: list[AssertionError] = []
    try:
        machine: Any = partial(Machine, clients, world, failures)  # it takes any factory
        run_state_machine_as_test(machine, settings=BOUNDED)
    except BaseException:
        if failures:
            raise failures[0] from None
        raise


def test_clock_moves_within_a_burst(clients: Clients, world: World) -> None:
    """Whoever asks while a minute ends is counted in one of both, and nobody twice or never."""
    tenant = Tenant(world, limit=1_000)
    control = f"/_mock/organizations/{tenant.organization.id}/clock"
    asks = [tenant.ask("list", number) for number in range(240)]
    for place in range(160, 40, -3):
        asks.insert(place, Ask("move", "POST", control, tenant.key, {"advance": 30}))
    answers = clients.burst(asks)
    left = sorted((a.left[::-1] for a in answers if a.ask.what == "list"), reverse=True)
    minutes = [minute for _, minute in left]
    begun = [here for here, before in zip(minutes[1:], minutes, strict=False) if here != before - 1]

    assert {200} == {answer.status for answer in answers}
    assert MORNING + 40 * 30 == tenant.organization.clock.now()
    assert list(range(999, 759, -1)) == [day for day, _ in left]
    assert 999 == minutes[0]
    assert [999] * len(begun) == begun
    assert len(begun) <= 20


def test_each_fault_is_met_as_often_as_planted(clients: Clients, world: World) -> None:
    """Of many requests that could all be the last one of a fault, exactly one is."""
    tenant = Tenant(world, limit=1_000)
    for _ in range(60):
        tenant.organization.faults.plant(Fault(operation="listTags"))
    answers = clients.burst([tenant.ask("list", number) for number in range(160)])
    uses = [planted.uses for planted in tenant.organization.faults.all()]

    assert [1] * 60 == uses
    assert Counter({502: 60, 200: 100}) == Counter(answer.status for answer in answers)


@pytest.mark.usefixtures("busy_server")
def test_parallel_advances_add_up() -> None:
    """No advance is lost, and whoever asks for the time meanwhile gets one."""
    clock = Clock(lambda: MORNING)

    def move(number: int) -> float:
        clock.advance(1)
        if number % 4 == 0:
            clock.freeze()
        if number % 4 == 2:
            clock.run()
        return clock.now()

    with often_switching(), ThreadPoolExecutor(8) as pool:
        told = list(pool.map(move, range(400)))

    assert MORNING + 400 == clock.now()
    assert all(MORNING < moment <= MORNING + 400 for moment in told)
