"""The generic actions: list, get, create, update, set, delete, add, remove; handlers do the rest."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from mockserver import rules
from mockserver.contract import Contract, Operation
from mockserver.envelope import Refused
from mockserver.errors import ContractError
from mockserver.organizations import Account, Organization
from mockserver.resources.deliveries import deliver_due, is_due
from mockserver.resources.handlers import HANDLERS
from mockserver.resources.paging import answer_page
from mockserver.resources.projection import Shape, shape_of
from mockserver.resources.recall import Answer, answer_of, recall, remember
from mockserver.resources.records import Form, check_known
from mockserver.resources.scene import DONE, Result, Scene
from mockserver.resources.selection import select
from mockserver.resources.views import show, view_of
from mockserver.store import Collection, Record
from mockserver.validation import Arguments


class Engine:
    """Carries out operations on the world; knows their shapes, holds no state of its own."""

    def __init__(self, contract: Contract) -> None:
        self._document = contract.document
        self._prepared: dict[str, tuple[Shape, Form]] = {}
        for operation in contract:
            _check_handler(contract, operation)

    def carry_out(
        self,
        operation: Operation,
        arguments: Arguments,
        organization: Organization,
        account: Account | None,
        asked: tuple[str, str] = ("", ""),
    ) -> Answer:
        """Do what ``operation`` does and return its answer; ``asked`` is the path and the query of the request.

        Raises ``Refused`` when a record isn't there (404) or its state forbids the write (400).
        """
        now = organization.clock.now()
        # A read looks at its collections several times, and no write may come in between.
        with organization.lock:
            if not operation.writes:
                known = recall(operation, organization, account, asked, now)
                if known is not None:
                    return known
            shape, form = self._prepared.get(operation.id) or self._prepare(operation)
            if account is not None and is_due(account, now):
                deliver_due(Scene(operation, arguments, shape, form, organization, account, now))
            scene = Scene(operation, arguments, shape, form, organization, account, now)
            answer = answer_of(operation, _run(scene), arguments, asked[0])
            if not operation.writes:
                remember(scene, account, asked, answer)
            return answer

    def _prepare(self, operation: Operation) -> tuple[Shape, Form]:
        """Return what is the same for all requests of ``operation``."""
        options = operation.resource.options
        shape = shape_of(self._document, operation.data_schema, options.get("wrap"))
        prepared = self._prepared[operation.id] = shape, Form(operation)
        return prepared


def _check_handler(contract: Contract, operation: Operation) -> None:
    """Raise ``ContractError`` where ``operation`` names a handler that there isn't."""
    name = operation.resource.options.get("handler")
    if name is not None and name not in HANDLERS:
        near = get_close_matches(name, HANDLERS, 1, 0)
        raise ContractError(
            f"{contract.source}: {operation.label}: x-resource names the handler {ascii(name)[:60]},"
            f" which mockserver/resources/handlers/ doesn't have; the nearest is {near[0]}"
        )


def _run(scene: Scene) -> Result:
    resource = scene.operation.resource
    parent = resource.options.get("parent")
    if parent is not None:
        name, field = next(iter(parent["key"].items()))
        scene.find(parent["collection"], field, scene.arguments.get(name))
    if "known" in resource.options:
        check_known(scene)
    if resource.action == "example":
        return Result(scene.operation.success_example["data"])
    if resource.action == "handler":
        return HANDLERS[resource.options["handler"]](scene)
    return _ACTIONS[resource.action](scene, scene.collection(str(resource.collection)))


def _list(scene: Scene, collection: Collection) -> Result:
    records = [collection.get(row) for row in select(scene)]
    return answer_page(scene, records, lambda record: show(scene, record))


def _get(scene: Scene, collection: Collection) -> Result:
    return _one(scene, collection.get(_row(scene, collection)))


def _create(scene: Scene, collection: Collection) -> Result:
    record = scene.form.record(scene, collection)
    collection.add(record)
    return _one(scene, record)


def _update(scene: Scene, collection: Collection) -> Result:
    row = _row(scene, collection)
    collection.change([row], scene.form.constants(scene) | scene.form.sent(scene))
    return _one(scene, collection.get(row))


def _set(scene: Scene, collection: Collection) -> Result:
    options = scene.operation.resource.options
    rows = [_row(scene, collection)] if "key" in options else collection.rows()
    collection.change(rows, scene.form.constants(scene))
    return _one(scene, collection.get(rows[0])) if rows else DONE


def _delete(scene: Scene, collection: Collection) -> Result:
    options = scene.operation.resource.options
    row = _row(scene, collection)
    value = scene.arguments.get(next(iter(options["key"])))
    record = collection.get(row)
    collection.remove([row])
    for name, field in options.get("cascade", {}).items():
        dependents = scene.collection(name)
        dependents.remove(dependents.find(field, value))
    for name, field in options.get("withdraw", {}).items():
        for holders in _holders(scene, name):
            _withdraw(holders, field, value)
    return _one(scene, record)


def _holders(scene: Scene, name: str) -> list[Collection]:
    """Return the collections ``name`` that may hold the id of the operation's record.

    Ids of an account's own records repeat on other accounts, where they mean something else.
    """
    owned = str(scene.operation.resource.collection)
    is_shared = owned in scene.organization.shared.shared_names
    return scene.collections(name) if is_shared else [scene.collection(name)]


def _withdraw(holders: Collection, field: str, value: Any) -> None:
    """Take ``value`` out of the lists that the records hold in ``field``, also where it stands as text."""
    for row in holders.rows():
        held = holders.get(row).get(field, ())
        left = [other for other in held if str(other) != str(value)]
        if len(left) < len(held):
            holders.change([row], {field: left})


def _add(scene: Scene, collection: Collection) -> Result:
    row, field, values = _membership(scene, collection)
    held = list(collection.get(row)[field])
    more = held + [v for v in dict.fromkeys(values) if v not in held]
    collection.change([row], {**scene.form.constants(scene), field: more})
    return _one(scene, collection.get(row))


def _remove(scene: Scene, collection: Collection) -> Result:
    row, field, values = _membership(scene, collection)
    held = collection.get(row)[field]
    missing = [value for value in values if value not in held]
    if missing:
        raise Refused(rules.NOT_FOUND, f"{ascii(missing[0])[:40]} is not in the list.")
    left = [value for value in held if value not in values]
    collection.change([row], {**scene.form.constants(scene), field: left})
    return _one(scene, collection.get(row))


_ACTIONS: dict[str, Callable[[Scene, Collection], Result]] = {
    "list": _list,
    "get": _get,
    "create": _create,
    "update": _update,
    "set": _set,
    "delete": _delete,
    "add": _add,
    "remove": _remove,
}


def _row(scene: Scene, collection: Collection) -> int:
    """Return the row of the record that the request names, if its state allows the operation."""
    options = scene.operation.resource.options
    name, field = next(iter(options["key"].items()))
    row = scene.find(str(scene.operation.resource.collection), field, scene.arguments.get(name))
    record = collection.get(row)
    for other, matched in options.get("match", {}).items():
        value = scene.arguments.get(other)
        if value is not None and str(record.get(matched)) != str(value):
            raise Refused(
                rules.NOT_FOUND, f"No such record belongs to {other} {ascii(value)[:40]}."
            )
    required = options.get("require", {})
    state = view_of(scene, record) if required else record
    for needed, sentence in required.items():
        if not state.get(needed):
            raise Refused(rules.BAD_STATE, sentence)
    return row


def _membership(scene: Scene, collection: Collection) -> tuple[int, str, list[Any]]:
    options = scene.operation.resource.options
    value = scene.arguments.get(options["from"])
    return _row(scene, collection), options["field"], value if isinstance(value, list) else [value]


def _one(scene: Scene, record: Record) -> Result:
    """Answer one record, or only that it is done, as the operation's schema says."""
    if "success" not in scene.shape.members:
        return Result(show(scene, record))
    wrap = scene.operation.resource.options.get("wrap")
    return Result({"success": True, wrap: show(scene, record)}) if wrap else DONE
