"""An organization as a document: dumped, and loaded again."""

from __future__ import annotations

from typing import Any

from mockserver.control.asked import ONE, Answer, Asked, Routes
from mockserver.control.document import control_document
from mockserver.control.organizations import ID, shown
from mockserver.errors import Misuse
from mockserver.state import dump, read

YAML_TYPE = "application/yaml"


def dump_state(asked: Asked, organization: str) -> Any:
    """Return an organization's state, as JSON or YAML."""
    query = asked.query
    found = asked.organization(organization)
    document = dump(found, whole=query["records"] == "all", freeze=query["freeze"])
    if query["format"] == "json":
        return document
    from mockserver.yamlfile import dump_yaml  # seldom needed, and slow to import

    return Answer(dump_yaml(document).encode(), content_type=YAML_TYPE)


def load_state(asked: Asked, organization: str) -> Any:
    """Put an organization into a saved state. Raises ``Misuse`` when the path holds no id."""
    problem = control_document().problem(ID, organization, "organization")
    if problem is not None:
        raise Misuse(problem)
    saved = read(asked.body, asked.mock.contract)
    found = asked.world.load_organization(saved, organization, new_keys=asked.query["new_keys"])
    return shown(found)


ROUTES: Routes = (
    (f"{ONE}/state", "GET", dump_state),
    (f"{ONE}/state", "POST", load_state),
)
