"""The page and its parts, and the description of the service as a page to read: nothing from another host."""

from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.responses import Response

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}


def add_pages(app: FastAPI) -> None:
    """Add the page's files, read once: what is asked for never becomes a path."""
    folder = files("ser.serving") / "page"
    page = {each.name: each.read_bytes() for each in folder.iterdir() if each.is_file()}

    def shown(name: str) -> Response:
        suffix = Path(name).suffix
        if name not in page or suffix not in MEDIA_TYPES:
            raise HTTPException(404, "there is no such page")
        return Response(page[name], media_type=MEDIA_TYPES[suffix], headers={"Cache-Control": "no-cache"})

    @app.get("/", include_in_schema=False)
    async def start() -> Response:
        return shown("index.html")

    @app.get("/page/{name}", include_in_schema=False)
    async def part(name: str) -> Response:
        return shown(name)

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return Response(api_page(app.openapi()), media_type="text/html; charset=utf-8")


def api_page(described: dict[str, Any]) -> str:
    """Return what OpenAPI says of a service as HTML.

    Parameters
    ----------
    described : dict
        As ``/openapi.json``.
    """
    parts = [
        '<!doctype html><html lang="en"><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width">',
        f"<title>{escape(described['info']['title'])}</title>",
        '<link rel="icon" href="/page/icon.svg" type="image/svg+xml"><link rel="stylesheet" href="/page/page.css">',
        f"<main><h1>{escape(described['info']['title'])}</h1><p>{escape(described['info']['description'])}</p>",
        '<p>For programs: <a href="/openapi.json">openapi.json</a>. <a href="/">The page</a>.</p>',
    ]
    for path, methods in described["paths"].items():
        for method, about in methods.items():
            parts.append(f"<h2><code>{method.upper()} {escape(path)}</code></h2>")
            parts.append(f"<p>{escape(about.get('description', ''))}</p>")
            parts += _body(about.get("requestBody"))
            parts += _parameters(about.get("parameters", []))
            rows = [[status, each.get("description", "")] for status, each in about["responses"].items()]
            parts += _table(["answer", ""], rows)
    parts.append("<h2><code>WS /live</code></h2>")
    parts.append(
        "<p>First a text message such as <code>{&quot;format&quot;: &quot;s16&quot;, &quot;sample_rate&quot;: 48000}"
        "</code>, then binary messages of 16-bit little-endian mono samples, or of a browser&#x27;s WebM; last "
        "<code>{&quot;end&quot;: true}</code>. Answers are text: what the last seconds sound like, each segment, and "
        "at the end the timeline.</p></main></html>"
    )
    return "\n".join(parts)


def _body(body: dict[str, Any] | None) -> list[str]:
    if not body:
        return []
    kinds = ", ".join(f"<code>{escape(kind)}</code>" for kind in body["content"])
    return [f"<p>Body: {kinds}. {escape(body.get('description', ''))}</p>"]


def _parameters(parameters: list[dict[str, Any]]) -> list[str]:
    rows = [[each["name"], str(each["schema"].get("default", "")), each.get("description", "")] for each in parameters]
    return _table(["parameter", "default", ""], rows) if rows else []


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    cells = ["".join(f"<th>{escape(cell)}</th>" for cell in head)]
    cells += ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows]
    return ["<table>", *(f"<tr>{row}</tr>" for row in cells), "</table>"]
