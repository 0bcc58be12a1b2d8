"""What tests change from several threads at once is as if they had come one after another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from mockserver.audience import MOST_LISTENERS, Audience, Busy
from mockserver.errors import Taken
from mockserver.faults import Fault, Faults
from mockserver.journal import Exchange, Journal, Shelf, Shown
from mockserver.organizations import Account, Organization
from mockserver.seeds import AccountSeed, OrganizationSeed
from mockserver.state import dump
from mockserver.windows import Windows
from mockserver.world import World
from tests.concurrency.clients import often_switching
from tests.concurrency.tenants import MORNING

if TYPE_CHECKING:
    from mockserver.app import MockFlask

pytestmark = pytest.mark.usefixtures("giving_way")
THREADS = 8
Found = TypeVar("Found")


def at_once(call: Callable[[int], Found]) -> list[Found]:
    """Call ``call`` with the number of each thread, in all of them at once; return what they return."""
    barrier = Barrier(THREADS)

    def begin(number: int) -> Found:
        barrier.wait(20)
        return call(number)

    with often_switching(), ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(begin, range(THREADS)))


@pytest.fixture
def world(app: MockFlask) -> World:
    """Return a world of the test's own."""
    return World(app.mock.world.seed, app.mock.world.permissions)


@pytest.fixture
def organization(world: World) -> Organization:
    return world.add_organization(OrganizationSeed(world.mint_id()))


def exchange(at: float) -> Exchange:
    return Exchange(at, at, 0, 0, None, Shown("GET", "/", "", {}), b"", 0, None, 200, weight=10)


def test_both_windows_are_alike() -> None:
    """What is taken, given back, left or allowed concerns the minute and the day, or neither."""
    windows = Windows(1_000, 1_000)
    seen: set[tuple[int, int]] = set()

    def spend(number: int) -> None:
        for turn in range(20):
            windows.take(MORNING)
            if number == 0:
                windows.set_remaining(MORNING, minute=500 + turn, day=500 + turn)
            elif number == 1:
                windows.set_limits(minute=1_000 + turn, day=1_000 + turn)
            left = windows.headroom(MORNING)
            seen.add(
                (left.limit_minute - left.limit_day, left.remaining_minute - left.remaining_day)
            )

    at_once(spend)

    assert {(0, 0)} == seen


def test_what_is_given_back_is_there() -> None:
    windows = Windows(1_000, 1_000)

    def pass_by(_: int) -> None:
        for _turn in range(20):
            windows.take(MORNING)
            windows.give_back(MORNING)

    at_once(pass_by)
    left = windows.headroom(MORNING)

    assert (1_000, 1_000) == (left.remaining_minute, left.remaining_day)


def test_a_journal_is_cleared_whole() -> None:
    """Its numbers have no gap, and the shelf holds what it holds."""
    shelf = Shelf()
    journal = Journal(capacity=1_000, shelf=shelf)

    def record(number: int) -> None:
        for turn in range(40):
            journal.record(exchange(turn))
            if number == 0 and turn < 10:
                journal.clear()

    at_once(record)
    kept = [one.number for one in journal]

    assert list(range(1, journal.total + 1)) == kept
    assert (len(kept), 10 * len(kept)) == (len(shelf), shelf.weight)


def test_faults_come_and_go() -> None:
    """None is lost, and a free one that stays holds the others to their turn."""
    faults = Faults()

    def plant(_: int) -> list[str]:
        stays, goes = faults.plant(Fault(429)), faults.plant(Fault(502))
        faults.clear(goes.id)
        return [stays.id]

    stayed = [id for _ in range(10) for ids in at_once(plant) for id in ids]

    assert sorted(stayed) == sorted(planted.id for planted in faults.all())
    assert THREADS * 10 == len(set(stayed))
    assert faults.turn is not None


def test_ids_are_minted_once(world: World) -> None:
    minted = at_once(lambda _: [world.mint_id() for _turn in range(20)])

    assert THREADS * 20 == len({id for ids in minted for id in ids})


def test_keys_are_minted_once(world: World, organization: Organization) -> None:
    minted = at_once(lambda _: [world.add_key(organization).secret for _turn in range(10)])
    secrets = {secret for keys in minted for secret in keys}

    assert THREADS * 10 == len(secrets)
    assert secrets == {key.secret for key in world.keys_of(organization)}
    assert secrets <= world.keys.keys()


@pytest.mark.parametrize("what", ["organization", "key", "account"])
def test_one_of_all_gets_it(what: str, world: World, organization: Organization) -> None:
    """Whoever comes later is told that it is taken."""
    ids = [world.mint_id() for _ in range(10)]
    make: Mapping[str, Callable[[int], Any]] = {
        "organization": lambda turn: world.add_organization(OrganizationSeed(ids[turn])),
        "key": lambda turn: world.add_key(organization, secret=f"fm_api_test_{ids[turn]}"),
        "account": lambda turn: world.add_account(organization, AccountSeed(8_000 + turn)),
    }

    def try_it(_: int) -> list[int]:
        won = []
        for turn in range(10):
            with suppress(Taken):
                make[what](turn)
                won.append(turn)
        return won

    assert list(range(10)) == sorted(turn for won in at_once(try_it) for turn in won)


def test_listeners_are_few() -> None:
    """So many may listen, and each who leaves makes room for one."""
    audience = Audience()
    seen = []

    def join(_: int) -> int:
        joined = []
        for _turn in range(4):
            with suppress(Busy):
                joined.append(audience.join(None))
            seen.append(len(audience.listeners))
        for listener in joined[1:]:
            audience.leave(listener)
        return len(joined)

    joined = at_once(join)

    assert MOST_LISTENERS >= max(seen)
    assert sum(count > 0 for count in joined) == len(audience.listeners)


def test_nobody_writes_while_a_state_is_written_down(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write concerns several collections: a state with one of them would contradict itself."""
    real, free = Account.records, []

    def records(account: Account, *, whole: bool = False) -> Mapping[str, Any]:
        free.append(others.submit(organization.lock.acquire, blocking=False).result())
        return real(account, whole=whole)

    monkeypatch.setattr(Account, "records", records)
    with ThreadPoolExecutor(1) as others:
        dump(organization)

    assert [False] == free
