"""Paths lead where werkzeug, which Flask routes with, would lead them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.exceptions import NotFound
from werkzeug.routing import Map, MapAdapter, Rule

from mockserver.contract import load_contract
from mockserver.routing import Paths, flask_path

CONTRACT = list(dict.fromkeys(operation.path for operation in load_contract()))
SEGMENTS = sorted({segment for path in CONTRACT for segment in path.split("/")})

SAME = settings(max_examples=300, derandomize=True, database=None, deadline=None)

Found = tuple[str, dict[str, str]] | None


def by_werkzeug(templates: list[str]) -> MapAdapter:
    """Return werkzeug's own matcher of ``templates``."""
    found = [Rule(flask_path(path), endpoint=path) for path in templates]
    return Map(found, merge_slashes=False).bind("mock")


def found_by(adapter: MapAdapter, path: str) -> Found:
    """Return what werkzeug finds for ``path``."""
    try:
        template, arguments = adapter.match(path)
    except NotFound:
        return None
    return template, dict(arguments)


OURS, THEIRS = Paths(CONTRACT), by_werkzeug(CONTRACT)

values = st.one_of(
    st.sampled_from([*SEGMENTS, "", "1001", "0", "-1", "%2F", ".", "..", "{account_id}", "a\nb\n"]),
    st.text(st.characters(exclude_characters="/"), max_size=4),
)


@pytest.mark.parametrize("template", CONTRACT)
@settings(SAME, max_examples=20)
@given(value=values, end=st.sampled_from(["", "/", "/more", "\n"]))
def test_finds_every_route_of_the_contract(template: str, value: str, end: str) -> None:
    path = "/".join(value if part.startswith("{") else part for part in template.split("/")) + end

    assert found_by(THEIRS, path) == OURS.match(path)


@SAME
@given(path=st.lists(values, min_size=1, max_size=8).map("/".join))
def test_finds_no_other_route(path: str) -> None:
    """Neither by odd values nor by segments of the contract in another order."""
    path = "/" + path.lstrip("/")

    assert found_by(THEIRS, path) == OURS.match(path)


segments = st.sampled_from(["a", "b", "ab", ".", "a.b", "{}", "{}.a", "a{}", "{}-{}", "a{}b"])
fillings = st.text("ab.-", min_size=1, max_size=3)


@SAME
@given(st.data())
def test_takes_the_routes_of_any_contract(data: st.DataObject) -> None:
    """Also where several fit, and where a segment has text beside its parameters."""
    routes = st.lists(segments, min_size=1, max_size=3).map(lambda parts: "/" + "/".join(parts))
    drawn = data.draw(st.lists(routes, min_size=1, max_size=8, unique=True))
    templates = [numbered(route) for route in drawn]
    ours, theirs = Paths(templates), by_werkzeug(templates)
    for route in drawn:
        path = re.sub("{}", lambda _: data.draw(fillings), route)

        assert found_by(theirs, path) == ours.match(path)


def numbered(template: str) -> str:
    """Return ``template`` with a name for each of its parameters."""
    texts = template.split("{}")
    return "".join(f"{text}{{p{at}}}" for at, text in enumerate(texts[:-1])) + texts[-1]


@pytest.mark.parametrize(
    "template", ["v1/x", "//x", "/{a b}", "/{", "/<x>", "/{1x}", "/{x}/{x}"], ids=ascii
)
def test_refuses_what_is_no_path(template: str) -> None:
    with pytest.raises(ValueError, match=r"a path begins|a parameter"):
        Paths([template])
