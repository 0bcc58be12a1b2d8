"""The contract as a file to fetch: what this mock serves, as YAML and as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import yaml
from flask import Response

from mockserver.pages.kept import kept
from mockserver.pages.sending import file
from mockserver.yamlfile import load_yaml

if TYPE_CHECKING:
    from mockserver.contract import Contract
    from mockserver.mock import Mock


def contract_yaml(mock: Mock) -> Response:
    """Return the served contract as YAML (RFC 9512)."""
    return file(kept(mock, "contract.yaml", lambda: _as_yaml(mock.contract)), "application/yaml")


def contract_json(mock: Mock) -> Response:
    """Return the served contract as JSON."""
    body = kept(mock, "contract.json", lambda: orjson.dumps(mock.contract.document))
    return file(body, "application/json")


def _as_yaml(contract: Contract) -> bytes:
    """Return the contract's file, comments and all; or its content, when the file was changed since."""
    try:
        text = Path(contract.source).read_bytes()
        if load_yaml(text) == contract.document:
            return text
    except (OSError, yaml.YAMLError):
        pass
    return yaml.safe_dump(contract.document, sort_keys=False, allow_unicode=True).encode()
