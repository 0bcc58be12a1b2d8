"""A contract with a part of the packaged one's operations."""

from __future__ import annotations

from collections.abc import Collection
from copy import deepcopy
from pathlib import Path

import yaml

from mockserver.contract import Contract


def only(contract: Contract, names: Collection[str], file: Path) -> Path:
    """Write the contract with no other operations than those, and return the file."""
    document = deepcopy(dict(contract.document))
    for operation in contract:
        if operation.id not in names:
            del document["paths"][operation.path][operation.method.lower()]
    file.write_text(yaml.safe_dump(document, sort_keys=False))
    return file
