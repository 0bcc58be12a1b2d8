"""The mock under one of several WSGI servers: python mocked.py SERVER PORT."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from mockserver.app import create_app
from mockserver.light import create_light_app
from mockserver.server import MockServer, serve_forever

app = create_app()
HOST, THREADS = "127.0.0.1", 16


def ours(port: int) -> None:
    serve_forever(MockServer(create_light_app(), HOST, port), lambda _: None)


def ours_over_wsgi(port: int) -> None:
    serve_forever(MockServer(app, HOST, port), lambda _: None)


# Each of these is installed elsewhere, and has its place on the path only when it is asked for.


def cheroot(port: int) -> None:
    import_module("cheroot.wsgi").Server((HOST, port), app, numthreads=THREADS).start()


def waitress(port: int) -> None:
    import_module("waitress").serve(app, host=HOST, port=port, threads=THREADS)


def gunicorn(port: int) -> None:
    threads = ["-k", "gthread", "-w1", f"--threads={THREADS}", "--keep-alive=75"]
    sys.argv = ["gunicorn", *threads, f"-b{HOST}:{port}", "--pythonpath", sys.path[0], "mocked:app"]
    import_module("gunicorn.app.wsgiapp").run()


def granian(port: int) -> None:
    library = import_module("granian")
    wsgi = import_module("granian.constants").Interfaces.WSGI
    library.Granian(
        "mocked:app", address=HOST, port=port, interface=wsgi, blocking_threads=1
    ).serve()


def fastwsgi(port: int) -> None:
    import_module("fastwsgi").run(wsgi_app=app, host=HOST, port=port)


def bjoern(port: int) -> None:
    import_module("bjoern").run(app, HOST, port)


def werkzeug(port: int) -> None:
    app.run(HOST, port, threaded=True)


SERVERS: dict[str, Callable[[int], Any]] = {
    served.__name__: served
    for served in (
        ours,
        ours_over_wsgi,
        cheroot,
        waitress,
        gunicorn,
        granian,
        fastwsgi,
        bjoern,
        werkzeug,
    )
}

if __name__ == "__main__":
    SERVERS[sys.argv[1]](int(sys.argv[2]))
