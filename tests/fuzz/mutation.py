"""Inputs that are nearly right: real files and values with a few things changed."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

ODD_TEXTS = (
    "", " ", "\x00", "\n", "\ud83d", "é", "x" * 300, "null", "1e999", "-1", "{id}", "{", "%s", "../x",
    "$ref", "#/components/schemas/Id", "#/", "*", "[", "(", "${HOME}", "2026-13-45", "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00Z", "fm_api_test_x", "listTags", "GET /v1/accounts", "application/json",
)  # fmt: skip
ODD_NUMBERS = (
    0, 1, -1, 2, 1001, 2**31, 2**53, 2**63, 2**64, -(2**63), 10**30, 0.5, -0.5, 1e308, -1e308, 1e-308, True,
)  # fmt: skip

odd_values: SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(), st.sampled_from(ODD_TEXTS), st.sampled_from(ODD_NUMBERS), st.text(max_size=8)
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(st.sampled_from(ODD_TEXTS), st.text(max_size=5)), inner, max_size=3
        ),
    ),
    max_leaves=5,
)
"""Values that few places expect."""


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every container with each of its keys."""
    if isinstance(value, dict | list):
        for key, member in value.items() if isinstance(value, dict) else enumerate(value):
            yield value, key
            yield from _places(member)


@st.composite
def mutated_value(draw: DrawFn, *bases: Any) -> Any:
    """Draw one of ``bases``, with up to four of its members changed."""
    whole = [copy.deepcopy(draw(st.sampled_from(bases)))]
    for _ in range(draw(st.integers(1, 4))):
        places = list(_places(whole))
        holder, key = places[draw(st.integers(0, len(places) - 1))]
        action = draw(st.sampled_from(("replace", "replace", "move", "delete", "rename")))
        if action == "replace":
            holder[key] = draw(odd_values)
        elif action == "move":
            other, its = places[draw(st.integers(0, len(places) - 1))]
            holder[key] = copy.deepcopy(other[its])
        elif holder is not whole and action == "delete":
            del holder[key]
        elif isinstance(holder, dict):
            holder[draw(st.one_of(st.sampled_from(ODD_TEXTS), st.text(max_size=6)))] = holder.pop(
                key
            )
    return whole[0]


@st.composite
def mutated_bytes(draw: DrawFn, bases: Sequence[bytes], words: Sequence[bytes] = ()) -> bytes:
    """Draw one of ``bases``, with up to six cuts, copies and insertions, of ``words`` among others."""
    data = draw(st.sampled_from(bases))
    insertions = st.one_of(st.binary(max_size=6), *([st.sampled_from(words)] if words else []))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 40)))
        action = draw(st.sampled_from(("insert", "replace", "cut", "repeat", "splice")))
        middle = data[start:end]
        if action in ("insert", "replace"):
            middle = draw(insertions) + (middle if action == "insert" else b"")
        elif action == "repeat":
            middle *= draw(st.integers(2, 5))
        elif action == "splice":
            other = draw(st.sampled_from(bases))
            begin = draw(st.integers(0, len(other)))
            middle = other[begin : begin + 60]
        data = data[:start] + (b"" if action == "cut" else middle) + data[end:]
    return data


YAML_WORDS = (
    b"&a ", b"*a", b"<<: *a", b"!!python/object:os.system ", b"!!binary ", b"!!set ", b"? ", b"- ", b": ", b"{", b"}", b"[",
    b"]", b"|", b">", b"'", b'"', b"#", b"---\n", b"...\n", b"%YAML 9.9\n", b"\t", b"\r", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf",
    b"\xc2\x85", b"~", b"null", b"true", b".inf", b".nan", b"0x1F", b"1_000", b"1:30", b"2026-01-31", b"9" * 5000, b"[" * 200,
)  # fmt: skip
"""What YAML gives a meaning to."""
