"""Defects of the way from page to page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from mockserver import rules
from mockserver.defects.site import Defect, Site


def _relinking(site: Site, change: Callable[[str], str | None]) -> None:
    """Let every `next_page` pass through ``change``."""

    def relink(body: Any) -> None:
        page = body.get("_pagination", {}).get("next_page")
        if page is not None:
            body["_pagination"]["next_page"] = change(page)

    site.rewrite_json(relink)


def _with_query(page: str, change: Callable[[dict[str, str]], object]) -> str:
    link = urlsplit(page)
    query = dict(parse_qsl(link.query))
    change(query)
    return f"{link.path}?{urlencode(query)}"


class NextPageAbsolute(Defect):
    """`next_page` names the host."""

    rule = rules.PAGE_RELATIVE

    def plant(self, site: Site) -> None:
        _relinking(site, lambda page: "https://api.example.com" + page)


class NextPageWithoutVersion(Defect):
    """`next_page` lacks `/v1`."""

    rule = rules.PAGE_RELATIVE

    def plant(self, site: Site) -> None:
        _relinking(site, lambda page: page.removeprefix("/v1"))


class NextPageIsAQuery(Defect):
    """`next_page` is the query alone."""

    rule = rules.PAGE_RELATIVE

    def plant(self, site: Site) -> None:
        _relinking(site, lambda page: "?" + urlsplit(page).query)


class _LastPageSays(Defect):
    """Base of defects that give the last page a `_pagination` too."""

    rule = rules.PAGE_LAST
    said: ClassVar[dict[str, None]]

    def plant(self, site: Site) -> None:
        def say(body: Any) -> None:
            body.setdefault("_pagination", self.said)

        site.rewrite_json(say, when=lambda: site.here.operation.pagination is not None)


class LastPageIsNull(_LastPageSays):
    """The last page has `next_page: null`."""

    said: ClassVar[dict[str, None]] = {"next_page": None}


class LastPageIsEmptyObject(_LastPageSays):
    """The last page has an empty `_pagination`."""

    said: ClassVar[dict[str, None]] = {}


class LastPageLinksOn(Defect):
    """The last page of a list with offsets links to a page without items."""

    rule = rules.PAGE_LAST

    def plant(self, site: Site) -> None:
        def link(body: Any) -> None:
            request = site.here.call.request
            query = dict(parse_qsl(request.query_string))
            data = body["data"]
            items = data if isinstance(data, list) else next(iter(data.values()))
            if "_pagination" not in body and items:
                query["offset"] = "9000"
                body["_pagination"] = {"next_page": f"{request.path}?{urlencode(query)}"}

        def is_offset() -> bool:
            pagination = site.here.operation.pagination
            return pagination is not None and pagination.style == "offset"

        site.rewrite_json(link, when=is_offset)


class NextPageForgetsTheLimit(Defect):
    """`next_page` lacks the `limit` that was asked for."""

    rule = rules.PAGE_KEEPS_QUERY

    def plant(self, site: Site) -> None:
        _relinking(site, lambda page: _with_query(page, lambda query: query.pop("limit", None)))


class NextPageChangesTheLimit(Defect):
    """`next_page` asks for pages of ten, whatever was asked for."""

    rule = rules.PAGE_KEEPS_QUERY

    def plant(self, site: Site) -> None:
        _relinking(site, lambda page: _with_query(page, lambda query: query.update(limit="10")))


class _BadBoundary(Defect):
    """Base of defects at the boundary of two pages."""

    rule = rules.PAGE_COMPLETE
    by: ClassVar[int]

    def plant(self, site: Site) -> None:
        def move(query: dict[str, str]) -> None:
            if "offset" in query:
                query["offset"] = str(int(query["offset"]) + self.by)

        _relinking(site, lambda page: _with_query(page, move))


class PageRepeatsAnItem(_BadBoundary):
    """A page begins with the last item of the page before it."""

    by = -1


class PageSkipsAnItem(_BadBoundary):
    """An item between two pages is on neither."""

    by = 1


class PagesInAnotherOrder(Defect):
    """The items of a small page come in reverse order."""

    rule = rules.PAGE_COMPLETE

    def plant(self, site: Site) -> None:
        def turn(body: Any) -> None:
            data = body["data"]
            items = data if isinstance(data, list) else next(iter(data.values()))
            if isinstance(items, list) and len(items) < 10:
                items.reverse()

        site.rewrite_json(turn, when=lambda: site.here.operation.pagination is not None)
