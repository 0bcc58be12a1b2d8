"""Contract, catalogue and mock say the same: nothing stands in one that another doesn't know."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

import mockserver
from mockserver import rules
from mockserver.clock import parse_time
from mockserver.contract import Schemas
from mockserver.contract.build import METHODS, each_operation, resolve
from mockserver.contract.checks import EXTENSIONS, each_example
from mockserver.data import default_spec
from mockserver.plans import collections_of
from mockserver.resources.handlers import HANDLERS
from mockserver.resources.scene import Scene
from mockserver.rules import RULES, Level, Rule, Scope
from tests.conftest import Tenant

if TYPE_CHECKING:
    from mockserver.app import MockFlask
    from mockserver.contract import Contract
    from tests.conftest import NewTenant

PACKAGE = Path(mockserver.__file__).parent
TESTS = Path(__file__).parent

NAMES: dict[str, Rule] = {
    name: value for name, value in vars(rules).items() if isinstance(value, Rule)
}
"""The constant of each rule; the order's pairs have none."""

NOT_RAISED = {
    "OTHER_SCHEME": "another scheme presents no key, so the request is refused as KEY_MISSING",
    "TOO_LARGE_CHUNKED": "how the body came doesn't matter to the refusal, which is TOO_LARGE",
}
"""Refusals that the mock gives under another rule's name, and why."""


def sources() -> Iterator[str]:
    """Yield the text of every module that answers; defects name rules only to break them."""
    modules = (
        f for f in PACKAGE.rglob("*.py") if f.parent.name != "defects" and f.name != "rules.py"
    )
    return (module.read_text("utf-8") for module in modules)


@pytest.mark.parametrize("name", [name for name, rule in NAMES.items() if rule.status])
def test_every_refusal_is_raised(name: str) -> None:
    """Each rule that describes a refusal is named by the code that refuses, or says why not."""
    raised = any(re.search(rf"\brules\.{name}\b", text) for text in sources())

    assert raised != (name in NOT_RAISED)


def shown_by_tests() -> set[str]:
    """Return the constants that stand in the `shows` markers of this suite."""
    found = set()
    for file in TESTS.glob("test_*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.shows":
                found |= {ast.unparse(argument).removeprefix("rules.") for argument in node.args}
    return found


def test_every_rule_is_shown() -> None:
    """Each rule with a constant is shown by a test; `test_order` shows each pair of the order."""
    assert set(NAMES) == shown_by_tests()
    assert set(RULES.values()) == set(NAMES.values()) | set(rules.ORDER.values())


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_rules_are_complete(rule: Rule, contract: Contract) -> None:
    """Each rule has a sentence and a source, says `decision` when it is inferred, and applies somewhere."""
    assert re.fullmatch(r"[a-z]+\.[a-z0-9-]+", rule.id)
    assert rule.sentence.endswith(".")
    assert "\n" not in rule.sentence
    assert (rule.level is Level.INFERRED) == rule.source.startswith("decision: ")
    assert contract.in_scope(rule.applies)
    assert len(rule.needs) == len(set(rule.needs))


def test_every_status_has_a_rule(contract: Contract) -> None:
    """What the contract lists, some rule describes, and the other way round."""
    upstream = {500, 502, 503}  # one rule: upstream failures and unhandled exceptions
    described = {rule.status for rule in RULES.values() if rule.status} | upstream
    listed = {status for op in contract for status in op.statuses} - {200}

    assert listed == described - {405}  # no operation lists 405, which is a route's


def test_every_operation_is_complete(contract: Contract) -> None:
    """Permission, level, source and summary; the one open operation has no permission."""
    assert [op.id for op in contract if not op.authenticated] == ["getHealth"]
    for op in contract:
        assert op.summary
        assert op.source
        assert op.level in (Level.REFERENCE, Level.INFERRED)
        assert op.tag
        assert (op.permission or "api_").startswith("api_")


def test_inferred_operations_say_what_implies_them(contract: Contract) -> None:
    """63 operations have a page, whose slug they name; the others say what implies them."""
    slug = re.compile(r"[a-z0-9-]+(/[a-z0-9-]+)*")
    reference = [op for op in contract if op.level is Level.REFERENCE]
    named = Counter(op.source for op in reference)

    assert not [op.source for op in reference if not slug.fullmatch(op.source)]
    assert not [
        op.id for op in contract if op.level is Level.INFERRED and slug.fullmatch(op.source)
    ]
    assert 63 == len(reference)
    assert {1} == {count for source, count in named.items() if "/" in source}


def objects_of(document: Mapping[str, Any], node: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every object that ``node`` holds or refers to; the contract's schemas hold none of themselves."""
    if isinstance(node, list):
        for item in node:
            yield from objects_of(document, item)
    elif isinstance(node, Mapping):
        node = {**resolve(document, node), **node}
        yield node
        for part in node.values():
            yield from objects_of(document, part)


def test_documented_operations_require_nothing_inferred(contract: Contract) -> None:
    """What no page shows can't be due, and what must be there is no decision of ours."""
    document, wrong = contract.document, set()
    for _, _, operation in each_operation(document):
        schemas = [operation.get("requestBody", {}), operation["responses"]["200"]]
        for node in objects_of(document, schemas if operation["x-level"] == "reference" else []):
            for name, member in node.get("properties", {}).items():
                level = {**resolve(document, member), **member}.get("x-level")
                if level == Level.INFERRED and name in node.get("required", ()):
                    wrong.add((operation["operationId"], name))

    assert set() == wrong


ORDER = [
    "operationId", "tags", "summary", "description", "x-permission", "x-level", "x-source",
    "x-upstream", "x-pagination", "x-exclusive", "x-charges", "x-resource", "security",
    "parameters", "requestBody", "responses",
]  # fmt: skip
"""The one order of an operation's keys, as the head of the file says."""


def test_keys_of_operations_come_in_one_order(contract: Contract) -> None:
    wrong = {
        operation["operationId"]: list(operation)
        for _, _, operation in each_operation(contract.document)
        if [key for key in ORDER if key in operation] != list(operation)
    }

    assert {} == wrong
    assert EXTENSIONS - {"x-bounds"} <= set(ORDER)


def test_head_of_the_file_lists_every_extension() -> None:
    head = default_spec().read_text("utf-8").partition("openapi: 3.1.0")[0]

    assert sorted(EXTENSIONS) == sorted(set(re.findall(r"x-[a-z]+", head)))


def test_statuses_refer_to_one_response_each(contract: Contract) -> None:
    """A refusal looks the same wherever it is listed."""
    references: dict[str, set[str]] = {}
    for _, _, operation in each_operation(contract.document):
        for status, response in operation["responses"].items():
            if status != "200":
                references.setdefault(status, set()).add(response["$ref"])

    assert dict.fromkeys(references, 1) == {s: len(r) for s, r in references.items()}


def test_every_handler_is_used(contract: Contract) -> None:
    named = {op.resource.options.get("handler") for op in contract} - {None}

    assert named == set(HANDLERS)


ASKED: dict[str, dict[str, Any]] = {
    "listChats": {"query": {"list_id": 801, "query": "r"}},
    "listTopSubscribers": {"query": {"by": "currency"}},
}
"""What must be asked for an operation to look at all that it names."""
LOOKED_UP = "its ids are looked up only where the body names some"
NOT_LOOKED_AT = {
    ("getEarningsOverview", "trial_links"): "only `by=trials` is about them",
    ("sendMassMessage", "fans"): LOOKED_UP,
    ("sendMassMessage", "vault_media"): LOOKED_UP,
    ("updateMassMessage", "fans"): LOOKED_UP,
    ("updateMassMessage", "user_lists"): LOOKED_UP,
    ("updateMassMessage", "vault_media"): LOOKED_UP,
}
"""Collections that an operation names and its example needs not, and why."""


def test_operations_name_the_collections_that_they_look_at(
    contract: Contract, own_app: MockFlask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No operation looks at more than `x-resource` says, or says more than it looks at.

    The application is the test's own, for what others were answered is remembered.
    """
    looked: set[str] = set()

    def noting(find: Callable[[Scene, str], Any]) -> Callable[[Scene, str], Any]:
        def noted(scene: Scene, name: str) -> Any:
            looked.add(name)
            return find(scene, name)

        return noted

    monkeypatch.setattr(Scene, "collection", noting(Scene.collection))
    monkeypatch.setattr(Scene, "collections", noting(Scene.collections))
    for operation in contract:
        tenant = Tenant(own_app)
        looked.clear()
        assert 200 == tenant.call(operation, **ASKED.get(operation.id, {})).status_code
        named = collections_of(cast("Contract", [operation]))  # of which it takes the operations
        idle = {name for name in named if (operation.id, name) in NOT_LOOKED_AT}
        assert looked | idle == named, operation.id


def test_every_component_is_used(contract: Contract) -> None:
    """Nothing is described that no operation refers to."""
    document = contract.document
    referred = set(references(document))
    described = {
        f"#/components/{kind}/{name}"
        for kind, components in document["components"].items()
        if kind != "securitySchemes"
        for name in components
    }

    assert described == referred


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for item in node:
            yield from references(item)


@pytest.mark.parametrize(
    "place",
    [
        "Message/properties/previews",
        "PromotionSubscriber/properties/promoOffers",
        "QueueItem/properties/releaseForms",
        "ScheduleEntity/properties/media",
        "SignedUpload/properties/keys",
        "ScheduleEntity/properties/previews",
        "Streak/properties/frozenDays",
        "TrialLink/properties/sharedWith",
    ],
)
def test_a_list_whose_items_no_page_shows_may_hold_anything(place: str, contract: Contract) -> None:
    """A server isn't called wrong for what nobody has seen."""
    validator = Schemas(contract.document).validator(f"#/components/schemas/{place}")

    assert validator.is_valid([1, "text", {"id": 1}, None])
    assert not validator.is_valid({})


def test_every_example_is_valid(contract: Contract) -> None:
    """Each example beside a schema, also in documents that come from the cache."""
    schemas, count = Schemas(contract.document), 0
    for place, pointer, example in each_example(contract.document):
        assert schemas.validator(pointer).is_valid(example), place
        count += 1

    assert count > len(contract)


NOT_SHOWN = {"updateMassMessage": "its page's answer was not seen, so the example shows no item"}
"""Writes whose example says less than the mock answers, and why."""


def test_writes_answer_what_their_examples_show(contract: Contract, new_tenant: NewTenant) -> None:
    """A reader who sends the example's body to a new world gets the example's answer, down to the ids."""
    different = {}
    for operation in contract:
        if operation.writes and operation.id not in NOT_SHOWN:
            tenant = new_tenant()
            tenant.organization.freeze(parse_time("2026-01-31T10:20:30Z"))
            answer, shown = tenant.data(operation), operation.success_example["data"]
            if answer != shown:
                different[operation.id] = answer, shown

    assert {} == different


def test_every_parameter_that_must_be_sent_has_an_example(contract: Contract) -> None:
    """So that each operation can be tried as it stands, with its body too."""
    lacking = [
        (op.id, p.name)
        for op in contract
        for p in op.parameters
        if p.required and p.example is None
    ]

    assert [] == lacking
    assert not [op.id for op in contract if op.body and op.body_example is None]


def test_no_method_is_overlooked(contract: Contract) -> None:
    """The loader reads every method that the file has."""
    known = {"parameters", "summary", "description"}
    found = {key for item in contract.document["paths"].values() for key in item}

    assert set() == found - set(METHODS) - known
    assert len(contract) == sum(
        method in METHODS for item in contract.document["paths"].values() for method in item
    )


def test_every_scope_has_operations(contract: Contract) -> None:
    """No scope is empty, and each authenticated operation is on an account or known not to be."""
    elsewhere = {op.id for op in contract.in_scope(Scope.AUTHENTICATED) if not op.on_account}

    assert not [scope for scope in Scope if not contract.in_scope(scope)]
    assert {"listAccounts", "searchGifs"} == elsewhere


def test_flask_shows_the_routes(contract: Contract, tenant: Tenant) -> None:
    """Flask's own URL map has every operation, so that `flask routes` lists them."""
    rules_of_flask = tenant.client.application.url_map.iter_rules()

    assert set(contract.operations) <= {rule.endpoint for rule in rules_of_flask}
