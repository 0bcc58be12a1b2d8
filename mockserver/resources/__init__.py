"""The resource engine: what operations do to the world, as their `x-resource` says."""

from mockserver.resources.engine import Engine
from mockserver.resources.scene import Result, Scene

__all__ = ["Engine", "Result", "Scene"]
