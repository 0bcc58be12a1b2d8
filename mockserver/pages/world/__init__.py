"""The page of the running mock: a shell that is rendered here, and scripts that ask the control API.

It has no way of its own to the world: whatever it shows or changes goes through `/_mock/`.
"""

from mockserver.pages.world.page import page_file, world_page

__all__ = ["page_file", "world_page"]
