"""The control API under `/_mock/`: what tests do to the world, apart from the mocked API.

`openapi.yaml` says what it takes and gives, and each request is checked against it.
One module per area holds the views, `routes.py` joins them, and there are two ways to them:
`blueprint.py` for Flask, behind the guard, and `calling.py` for callers in this process, without Flask.
"""
