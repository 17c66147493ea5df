"""How the control plane reads bodies and queries, and answers: JSON, bounded, wrong things named."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import falcon

from contracts.launcher.framework_name import is_framework_name
from contracts.launcher.half_pairs import read_json
from simulator.problems import BadInput

LARGEST_BODY = 64 * 1024
LARGEST_STORY = 1 << 20
LARGEST_STATE = 64 << 20


def content(req: falcon.Request, largest: int = LARGEST_BODY) -> bytes:
    found: bytes = req.bounded_stream.read(largest + 1)
    if len(found) > largest:
        raise falcon.HTTPError(falcon.HTTP_413, description=f"The body is larger than {largest} bytes.")
    return found


def body(req: falcon.Request, largest: int = LARGEST_BODY) -> object:
    """The JSON of the body, whatever its media type says: people type these calls by hand."""
    return json_of(content(req, largest))


def json_of(text: bytes) -> object:
    try:
        return read_json(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"the body is not JSON: {error}") from error


def empty(req: falcon.Request) -> None:
    """Nothing is needed, and nothing that could be meant is overlooked."""
    found = content(req).strip()
    if found and json_of(found) not in ({}, None):
        raise BadInput("this call takes no body")


def query(req: falcon.Request, *known: str) -> Mapping[str, str]:
    values: dict[str, str] = {}
    for key, value in parse_qsl(req.query_string, keep_blank_values=True):
        if key not in known:
            raise BadInput(f"there is no parameter {key!r}; there are {', '.join(known) or 'none'}")
        if key in values:
            raise BadInput(f"{key} is given twice")
        values[key] = value
    return values


def framework_name(told: object) -> str:
    if not isinstance(told, str) or not is_framework_name(told):
        raise BadInput(f"a name has 1 to 256 letters, digits, or -._~, not {told!r}")
    return told


def answer(resp: falcon.Response, told: Mapping[str, Any]) -> None:
    resp.content_type = falcon.MEDIA_JSON
    resp.data = json.dumps(told, ensure_ascii=False).encode()
