"""The command `mockserver`: serve the mock, and show its routes, rules and keys."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from tabulate import tabulate

from mockserver.clock import Clock, isoformat, parse_instant
from mockserver.commands import ended_by_signals, plain_errors
from mockserver.contract import load_contract
from mockserver.data import default_fixtures, default_spec
from mockserver.errors import SuiteError
from mockserver.rules import RULES
from mockserver.words import plural, printable

if TYPE_CHECKING:
    from mockserver.mock import Mock
    from mockserver.world import World

_spec_option = click.option(
    "--spec", type=click.Path(path_type=Path), help="OpenAPI document to serve."
)
_fixtures_option = click.option(
    "--fixtures", type=click.Path(path_type=Path), help="Directory that seeds the world."
)
_json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON instead of a table."
)


@click.group()
@click.version_option(package_name="fansmetric-contract")
def main() -> None:
    """Serve a mock of the FansMetric Public API.

    Exit codes: 0 done, 2 wrong use (flags, fixtures, spec), 3 a port or a file can't be had.
    """


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=4010,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="0: any free port.",
)
@_fixtures_option
@_spec_option
@click.option("--freeze", metavar="TIME", help="Stand still at this ISO 8601 time.")
@click.option(
    "--no-diagnosis", is_flag=True, help="Leave out the X-Mock-Rule and X-Mock-Source headers."
)
@click.option("--no-check", is_flag=True, help="Don't validate each answer against the contract.")
@click.option(
    "--token",
    envvar="FANSMETRIC_MOCK_TOKEN",
    help="Open the control API to callers with this token.",
)
@click.option("--watch", is_flag=True, help="Build the world anew when fixtures or spec change.")
@click.option(
    "--defect",
    "defects",
    multiple=True,
    metavar="NAME",
    help="Break a rule on purpose; may be repeated.",
)
@plain_errors("mockserver")
def serve(
    host: str,
    port: int,
    fixtures: Path | None,
    spec: Path | None,
    freeze: str | None,
    no_diagnosis: bool,
    no_check: bool,
    token: str | None,
    watch: bool,
    defects: tuple[str, ...],
) -> None:
    """Answer the whole API on a local port, until interrupted or terminated."""
    from mockserver.control.admission import is_loopback
    from mockserver.light import LightApp, create_light_app
    from mockserver.server import MockServer, serve_forever
    from mockserver.serving.loop import take_more_files
    from mockserver.watching import WatchedApp, watching

    take_more_files()
    clock = Clock()
    if freeze is not None:
        clock.freeze(_time(freeze))

    def build() -> LightApp:
        app = create_light_app(
            fixtures,
            spec,
            clock=clock,
            diagnosis=not no_diagnosis,
            check_responses=not no_check,
            token=token,
        )
        if defects:
            from mockserver.defects import defect_named, site_of

            site_of(app.mock).plant([defect_named(name) for name in defects])
        return app

    app = WatchedApp(build, click.echo) if watch else build()

    is_open = bool(token) or host == "localhost" or is_loopback(host)

    def announce(url: str) -> None:
        click.echo("\n".join(announcement(app.mock, url, is_open=is_open)))

    watched = (fixtures or default_fixtures(), spec or default_spec())
    watcher = watching(app, watched) if isinstance(app, WatchedApp) else nullcontext()
    with watcher, ended_by_signals():
        serve_forever(MockServer(app, host, port), announce)


def announcement(mock: Mock, url: str, *, is_open: bool) -> Iterator[str]:
    """Yield what is said once the mock answers; ``is_open``: its control API answers whoever is let in."""
    from mockserver.pages.seeded import key_rows

    contract = mock.contract
    url = url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
    yield (
        f"{plural(len(contract), 'operation')}, {plural(len(contract.permissions), 'permission')}"
        f" from {contract.source}"
    )
    yield f"Serving the FansMetric mock on {url} (control API under {url}/_mock/)"
    if not is_open:
        yield "The control API answers callers on this machine only; --token opens it to others."
    yield f"\n{key_table(mock.world)}"
    for row in key_rows(mock, url):
        if row.curl is not None:
            yield f"\nTry: {row.curl}"
            break


@main.command()
@_spec_option
@_json_option
@plain_errors("mockserver")
def routes(spec: Path | None, as_json: bool) -> None:
    """List every operation with its permission, level and source."""
    head = ("method", "path", "operation", "permission", "level", "source")
    rows = [
        (op.method, op.path, op.id, op.permission or "-", str(op.level), op.source)
        for op in load_contract(spec)
    ]
    _print(head, rows, as_json)


@main.command()
@_json_option
def rules(as_json: bool) -> None:
    """List the rule catalogue."""
    head = ("rule", "level", "sentence", "source", "applies to")
    rows = [(r.id, str(r.level), r.sentence, r.source, str(r.applies)) for r in RULES.values()]
    _print(head, rows, as_json)


@main.command()
@_json_option
def control(as_json: bool) -> None:
    """Print the reference of the control API as Markdown, or its OpenAPI document as JSON."""
    from mockserver.control.document import control_document
    from mockserver.control.reference import as_markdown

    click.echo(
        json.dumps(control_document().document, indent=1) if as_json else as_markdown(), nl=False
    )


@main.command()
@_json_option
def defects(as_json: bool) -> None:
    """List the defects that can be planted to test a conformance gate."""
    from mockserver.defects import DEFECTS

    rows = [(d.name, d.rule.id, d.sentence) for d in DEFECTS.values()]
    _print(("defect", "rule", "sentence"), rows, as_json)


_KEY_HEAD = ("key", "organization", "accounts", "role", "what it shows")


@main.command()
@_fixtures_option
@_spec_option
@_json_option
@plain_errors("mockserver")
def keys(fixtures: Path | None, spec: Path | None, as_json: bool) -> None:
    """List the seeded keys and what each is for."""
    from mockserver.fixtures import read_fixtures
    from mockserver.world import World

    contract = load_contract(spec)
    world = World(read_fixtures(contract, fixtures), contract.permissions)
    _print(_KEY_HEAD, _key_rows(world.keys.values()), as_json)


def key_table(world: World) -> str:
    """Return the seeded keys as the table that `mockserver serve` prints."""
    return _table(_KEY_HEAD, _key_rows(world.keys.values()))


def _key_rows(found: Iterable[Any]) -> list[tuple[str, ...]]:
    return [
        (
            key.secret,
            key.organization.id,
            ", ".join(
                str(a.id) + (f" ({a.state})" if a.state != "connected" else "")
                for a in key.organization.accounts.values()
            ),
            key.role.name,
            key.note + (f" (until {isoformat(key.expires)})" if key.expires else ""),
        )
        for key in found
    ]


def _time(text: str) -> float:
    try:
        return parse_instant(text)
    except ValueError:
        raise SuiteError(
            f"--freeze: {text!r} is no ISO 8601 time, such as 2026-01-31T10:00:00Z"
        ) from None


def _print(head: Sequence[str], rows: Sequence[Sequence[str]], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([dict(zip(head, row, strict=True)) for row in rows], indent=2))
    else:
        click.echo(_table(head, rows))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    shown = [[printable(str(cell)) for cell in row] for row in rows]
    return tabulate(shown, head, tablefmt="plain")
