"""The pages of ``tagdb serve``: HTML shells, whose scripts ask the API for everything that they show."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

import tagdb

if TYPE_CHECKING:
    from tagdb.serve.access import Access

_HERE = Path(__file__).parent
_TEMPLATES = Jinja2Templates(directory=_HERE / "templates")  # escapes what it is given


class _Static(StaticFiles):
    """Files that browsers keep, but ask after: modules import each other by names that never change."""

    def file_response(self, *given: Any, **named: Any) -> Response:
        response = super().file_response(*given, **named)
        response.headers["Cache-Control"] = "no-cache"
        return response


def _page(path: str, name: str, title: str, place: str) -> Route:
    """Return the route of a page; ``place`` is its entry in the navigation."""

    async def answer(request: Request) -> Response:
        given = {"name": name, "title": title, "place": place, "version": tagdb.__version__}
        response = _TEMPLATES.TemplateResponse(request, f"{name}.html", given | request.path_params)
        access: Access | None = getattr(request.app.state, "access", None)
        if access is not None and access.trusts(request):
            response.set_cookie(
                access.page_cookie_name, access.page_cookie, httponly=True, samesite="strict", path="/"
            )
        return response

    return Route(path, answer, name=f"page {name}", include_in_schema=False)


def missing(request: Request) -> Response:
    """Return the page that says that there is no such page."""
    given = {"name": "missing", "title": "Nothing here", "place": "", "version": tagdb.__version__}
    return _TEMPLATES.TemplateResponse(request, "missing.html", given, status_code=404)


def routes() -> list[Route]:
    """Return the routes of all pages."""
    return [
        _page("/", "tag", "Tag a photo", "tag"),
        _page("/browse", "browse", "Browse", "browse"),
        _page("/images/{image_id:int}", "image", "Photo", "browse"),
        _page("/hashtags", "hashtags", "Hashtags", "hashtags"),
        _page("/hashtags/{hashtag:path}", "hashtag", "Hashtag", "hashtags"),
        _page("/health", "health", "Health", "health"),
        _page("/try", "try", "Try the API", "try"),
    ]


def install(app: Starlette) -> None:
    """Add the pages, and what they load, to an application.

    Parameters
    ----------
    app
        Starlette's or FastAPI's; the pages are no part of its OpenAPI document.
    """
    app.router.routes.extend(routes())
    app.mount("/static", _Static(directory=_HERE / "static"), name="static")
