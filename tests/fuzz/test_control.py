"""The control API: whatever is asked, it never fails, speaks in its own shape, and leaves a world that works."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from werkzeug.test import Client

from mockserver import create_app
from mockserver.clock import Clock, parse_time
from mockserver.control.document import control_document
from mockserver.faults import Sleeper
from tests.fuzz.harness import SLOWEST, budget, corpus
from tests.fuzz.mutation import (
    ODD_NUMBERS,
    ODD_TEXTS,
    YAML_WORDS,
    mutated_bytes,
    mutated_value,
    odd_values,
)

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

ORGANIZATION, KEY = "fuzz", "fm_api_test_fuzz"
NAMES = {
    "organization": (ORGANIZATION, "lark", "new"), "account": ("1001", "0", "9" * 30), "key": ("test_fuzz", "x"),
    "fault": ("fault-1", "fault-2"),
}  # fmt: skip
SEED = {
    "state": 1,
    "organization": {"id": ORGANIZATION, "accounts": [{"id": 1001}]},
    "keys": [{"key": KEY, "permissions": ["*"]}],
    "born": "2026-01-31T00:00:00+00:00",
}
ENDLESS = "stream_journal"

Step = Mapping[str, Any]
"""One request, as JSON keeps it: ``method``, ``path``, and where there is one ``body`` and ``type``."""


def operations() -> Iterator[tuple[str, str, list[str], list[Any]]]:
    """Yield method, path, the names of the query and example bodies of each operation."""
    read = control_document()
    for path, item in read.document["paths"].items():
        for method, operation in item.items():
            if method == "parameters" or operation["operationId"] == ENDLESS:
                continue
            parameters = [read.resolve(p, "")[0] for p in operation.get("parameters", ())]
            body = read.resolve(operation.get("requestBody", {}), "")[0]
            content = body.get("content", {}).get("application/json", {})
            examples = [e["value"] for e in content.get("examples", {}).values()]
            examples += [content["example"]] if "example" in content else []
            yield (
                method.upper(),
                path,
                [p["name"] for p in parameters if p["in"] == "query"],
                examples,
            )


OPERATIONS = list(operations())
BODIES = [json.dumps(body).encode() for *_, bodies in OPERATIONS for body in bodies]


@st.composite
def step(draw: DrawFn) -> Step:
    """Draw a request that is nearly right."""
    method, path, queries, bodies = draw(st.sampled_from(OPERATIONS))
    for name, usual in NAMES.items():
        text = draw(st.sampled_from(usual * 4 + ODD_TEXTS))
        path = path.replace(f"{{{name}}}", quote(text, safe="", errors="replace"))
    values = st.one_of(
        st.sampled_from((*ODD_TEXTS, "true", "all", "yaml", "429")), st.sampled_from(ODD_NUMBERS)
    )
    names = st.sampled_from([*queries, *queries, "x"])
    query = draw(st.dictionaries(names, values, max_size=2))
    made = {"method": method, "path": f"{path}?{urlencode(query, errors='replace')}"}
    if not bodies:
        return made
    kind = draw(st.sampled_from(("value", "value", "value", "bytes", "odd")))
    if kind == "bytes":
        data = draw(mutated_bytes(BODIES, YAML_WORDS)).decode("latin-1")
    else:
        data = json.dumps(draw(mutated_value(*bodies) if kind == "value" else odd_values))
    types = ("application/json", "application/json", "application/yaml", "text/plain")
    return {**made, "body": data, "type": draw(st.sampled_from(types))}


Play = Callable[[list[Step]], None]


@pytest.fixture(scope="module")
def play() -> Play:
    """Return what sends steps to a mock, and checks every answer and the world afterwards."""
    clock = Clock()
    clock.freeze(parse_time("2026-01-31T12:00:00Z"))
    app = create_app(clock=clock)
    app.mock.pipeline.sleeper = NoSleeper()
    client = Client(app.wsgi_app)
    control = f"/_mock/organizations/{ORGANIZATION}/state"

    def send(method: str, path: str, **options: Any) -> TestResponse:
        begun = process_time()
        answer = client.open(
            path, method=method, environ_base={"REMOTE_ADDR": "127.0.0.1"}, **options
        )
        assert process_time() - begun < SLOWEST
        return answer

    def played(steps: list[Step]) -> None:
        clock.restore(0.0, parse_time("2026-01-31T12:00:00Z"))
        assert send("POST", "/_mock/reset").status_code == 200
        assert send("POST", control, json=SEED).status_code == 200
        for one in steps:
            body = one["body"].encode("latin-1") if "body" in one else None
            check(send(one["method"], one["path"], data=body, content_type=one.get("type")))
            send("GET", "/v1/1001/tags", headers={"X-API-Key": KEY})
        for path in (
            "/_mock/organizations?headroom=true&limit=100",
            "/_mock/journal",
            "/_mock/clock",
        ):
            assert send("GET", path).status_code == 200
        dumped = send("GET", f"{control}?records=all")
        if dumped.status_code == 200:
            again = send("POST", control, data=dumped.data, content_type="application/json")
            assert again.status_code == 200, again.text

    return played


class NoSleeper(Sleeper):
    """Waits for nothing."""

    def wait(self, seconds: float) -> None:
        """Return at once."""


def check(answer: TestResponse) -> None:
    """Check that an answer is a success, or a refusal in one line."""
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        line = answer.get_json()["error"]
        assert line.isprintable(), line
        assert len(line) < 1_500


@pytest.mark.parametrize("kept", corpus("control"))
def test_kept(kept: Path, play: Play) -> None:
    play(json.loads(kept.read_text()))


@budget(25)
@given(steps=st.lists(step(), min_size=1, max_size=8))
def test_any_requests(steps: list[Step], play: Play) -> None:
    play(steps)
