"""Recordings made for a test."""

import gzip
from pathlib import Path

from contracts.launcher.recordings import Exchange, Request, Response, to_line

ANSWERED = {"Content-Type": ["text/plain; charset=utf-8", "application/json"]}
NOT_FOUND = '{"exception":"NotFoundException","message":"x.NotFoundException","javaClassName":"x.NotFoundException"}'


def exchange(
    instant: int,
    path: str,
    body: str | None = "{ }",
    *,
    status: int | None = 200,
    source: str = "launcher",
    method: str = "GET",
    accept: str | None = "application/json",
    reason: str | None = "OK",
    headers: dict[str, str | list[str]] | None = None,
) -> Exchange:
    asked = {} if accept is None else {"Accept": accept}
    return Exchange(
        scenario="made",
        instant=instant,
        source=source,
        request=Request(method, path, asked, None),
        response=Response(status, reason, headers or ANSWERED, body),
    )


def framework(instant: int, name: str, body: str | None = "{ }", **more: object) -> Exchange:
    return exchange(instant, f"/v1/Frameworks/{name}", body, **more)  # type: ignore[arg-type] # only what exchange takes


def write(path: Path, *exchanges: Exchange) -> Path:
    text = "".join(to_line(one) + "\n" for one in exchanges)
    if path.name.endswith(".gz"):
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, encoding="utf-8")
    return path
