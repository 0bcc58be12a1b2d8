"""A mock of the FansMetric Public API that keeps the contract in `openapi.yaml`."""

from mockserver.app import create_app

__all__ = ["create_app"]
