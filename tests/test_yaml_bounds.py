"""YAML that would keep its reader busy for hours, and texts that only look like it."""

from __future__ import annotations

import codecs

import pytest
import yaml

from mockserver.yamlfile import load_yaml

DIRECTIVES = "".join(f"%TAG !t{number}! x{{}}" for number in range(101)) + "---{}a: 1\n"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r", "\x85", "\u2028", "\u2029"], ids=ascii)
@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16"])
def test_refuses_many_directives(newline: str, coding: str) -> None:
    """Some megabytes of them would take the parser hours, and stop the whole process meanwhile."""
    text = DIRECTIVES.replace("{}", newline).encode(coding)
    with pytest.raises(yaml.YAMLError, match="more than 100 directives"):
        load_yaml(text)


def test_refuses_a_file_of_directives() -> None:
    text = b"%TAG !a! x\n" * 3_000_000
    with pytest.raises(yaml.YAMLError, match="more than 100 directives"):
        load_yaml(text)


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_reads_what_editors_write(coding: str) -> None:
    """Percent signs are no directives within a text, however many there are."""
    mark = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}.get(coding, b"")
    text = "%YAML 1.1\n---\nshare: '" + "5 %\n  " * 500 + "'\nname: Ärmel\n"

    assert "Ärmel" == load_yaml(mark + text.encode(coding))["name"]


def test_refuses_half_a_character() -> None:
    with pytest.raises(yaml.YAMLError, match="no UTF-16"):
        load_yaml(codecs.BOM_UTF16_LE + b"a: 1"[:3])


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1])
def test_refuses_numbers_that_json_lacks(number: int) -> None:
    with pytest.raises(yaml.YAMLError, match="larger than 64 bits"):
        load_yaml(f"a: {number}")


@pytest.mark.parametrize("number", [2**64 - 1, -(2**63)])
def test_reads_numbers_of_64_bits(number: int) -> None:
    assert {"a": number} == load_yaml(f"a: {number}")


@pytest.mark.parametrize(
    "text",
    ["[1, 2, 3, 4, {}]", "{{a: 1, b: {}}}", "[&a [1], *a, {}]"],
    ids=["list", "object", "alias"],
)
def test_counts_every_value(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain ones fill the memory as well as those that aliases stand for."""
    monkeypatch.setattr("mockserver.yamlbounds._MOST_VALUES", 6)

    assert load_yaml(text.format("3"))
    with pytest.raises(yaml.YAMLError, match="more than 6 values"):
        load_yaml(text.format("[3, 4, 5]"))
