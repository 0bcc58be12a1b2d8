"""connexion with its mock resolver, as its documentation starts it: python mock_app.py PORT DOCUMENT.

Its own command line does the same under a second process that watches files.
"""

from __future__ import annotations

import sys

import connexion  # type: ignore[import-not-found]  # is installed elsewhere
import uvicorn  # type: ignore[import-not-found]  # the same
from connexion.mock import MockResolver  # type: ignore[import-not-found]  # the same

app = connexion.AsyncApp("mock_app")
app.add_api(sys.argv[2], resolver=MockResolver(mock_all=True))
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
