"""What the package carries can be read where PyYAML was built without libyaml, which forgives more."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from mockserver.data import default_fixtures, default_spec
from mockserver.yamlfile import load_yaml

PACKAGED = [
    default_spec(),
    Path(__file__).parents[1] / "mockserver" / "control" / "openapi.yaml",
    *sorted(default_fixtures().rglob("*.yaml")),
]


@pytest.mark.parametrize("file", PACKAGED, ids=[f"{f.parent.name}/{f.name}" for f in PACKAGED])
def test_both_loaders_read_the_same(file: Path) -> None:
    text = file.read_text("utf-8")
    plain = yaml.safe_load(text)

    assert plain == load_yaml(text)
