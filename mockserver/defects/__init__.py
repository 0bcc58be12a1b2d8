"""Defects: small, named ways to break one rule each, planted to prove that a gate sees them.

They act from outside: a defect wraps steps of the mock's pipeline, or rewrites its answers, while it is planted.
The pipeline knows nothing of them, and nothing here is imported until somebody asks for a defect.
"""

from __future__ import annotations

from mockserver.defects.catalogue import DEFECTS, PAIRS, Pair, defect_named
from mockserver.defects.site import Defect, Site, planted, site_of

__all__ = ["DEFECTS", "PAIRS", "Defect", "Pair", "Site", "defect_named", "planted", "site_of"]
