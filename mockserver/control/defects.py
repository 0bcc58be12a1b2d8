"""Defects: listed, planted and taken out. Nothing of them is loaded before somebody asks."""

from __future__ import annotations

from typing import Any

from mockserver.control.asked import Asked, Routes


def list_defects(asked: Asked) -> Any:
    """Return every defect, the pairs that might hide each other, and what is planted."""
    from mockserver.defects import DEFECTS, PAIRS, planted

    return {
        "planted": planted(asked.mock),
        "defects": [
            {
                "name": defect.name,
                "rule": defect.rule.id,
                "sentence": defect.sentence,
                "operation": defect.operation,
            }
            for defect in DEFECTS.values()
        ],
        "pairs": [{"defects": [p.first, p.second], "reason": p.reason} for p in PAIRS],
    }


def plant_defects(asked: Asked) -> Any:
    """Plant the defects that the body names, in the place of those that were planted."""
    from mockserver.defects import defect_named, planted, site_of

    defects = [defect_named(name) for name in asked.body["defects"]]
    site_of(asked.mock).plant(defects)
    return {"planted": planted(asked.mock)}


def remove_defects(asked: Asked) -> Any:
    """Take every defect out."""
    from mockserver.defects import planted, site_of

    site_of(asked.mock).restore()
    return {"planted": planted(asked.mock)}


ROUTES: Routes = (
    ("/defects", "GET", list_defects),
    ("/defects", "PUT", plant_defects),
    ("/defects", "DELETE", remove_defects),
)
