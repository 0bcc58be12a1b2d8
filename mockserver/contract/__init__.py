"""The contract in memory: `openapi.yaml` read, checked and resolved into operations."""

from mockserver.contract.document import load_contract
from mockserver.contract.operations import (
    Contract,
    Operation,
    Pagination,
    Parameter,
    Resource,
)
from mockserver.contract.schemas import Schemas, SchemaViolation

__all__ = [
    "Contract",
    "Operation",
    "Pagination",
    "Parameter",
    "Resource",
    "SchemaViolation",
    "Schemas",
    "load_contract",
]
