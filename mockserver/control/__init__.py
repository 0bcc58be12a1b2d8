"""The control API under `/_mock/`: what tests do to the world, apart from the mocked API.

`openapi.yaml` says what it takes and gives, and each request is checked against it.
One module per area holds the views; `blueprint.py` puts them behind the guard.
"""

from mockserver.control.blueprint import control_blueprint

__all__ = ["control_blueprint"]
