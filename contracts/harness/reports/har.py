"""HAR 1.2: every request and answer, as browsers and proxies show them. Long bodies are cut, and say so."""

import json
from importlib.metadata import version
from urllib.parse import parse_qsl

from contracts.clock import iso
from contracts.harness.findings import Exchange
from contracts.harness.redacting import redacted
from contracts.harness.replaying import Replay
from contracts.harness.running import Outcome
from contracts.harness.transport import Answered, Pairs

LONGEST_BODY = 64 * 1024


def text(outcome: Outcome, replay: Replay) -> str:
    entries = [_entry(exchange, replay) for exchange in outcome.exchanges]
    creator = {"name": f"restserver {outcome.command}", "version": version("restserver")}
    return json.dumps({"log": {"version": "1.2", "creator": creator, "entries": entries}}, indent=1)


def _entry(exchange: Exchange, replay: Replay) -> dict[str, object]:
    took = round(exchange.outcome.seconds * 1000, 3)
    return {
        "startedDateTime": iso(exchange.outcome.at),
        "time": took,
        "request": {
            "method": exchange.request.method,
            "url": replay.client.target.url + exchange.request.target,
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _pairs(redacted(replay.client.sent_headers(exchange.request))),
            "queryString": _pairs(tuple(parse_qsl(exchange.request.target.partition("?")[2], keep_blank_values=True))),
            "headersSize": -1,
            "bodySize": 0,
        },
        "response": _response(exchange),
        "cache": {},
        "timings": {"send": 0, "wait": took, "receive": 0},
        "comment": f"{exchange.phase} {exchange.number}, {exchange.operation}",
    }


def _response(exchange: Exchange) -> dict[str, object]:
    answer = exchange.outcome
    body, headers = b"", redacted(())
    if isinstance(answer, Answered):
        told: dict[str, object] = {"status": answer.status, "statusText": answer.reason}
        body, headers = answer.body, redacted(answer.headers)
    else:
        told = {"status": 0, "statusText": answer.kind, "comment": answer.what}
    content: dict[str, object] = {
        "size": len(body),
        "mimeType": next((value for name, value in headers if name.lower() == "content-type"), ""),
        "text": body[:LONGEST_BODY].decode("utf-8", "replace"),
    }
    if len(body) > LONGEST_BODY:
        content["comment"] = f"cut after {LONGEST_BODY} bytes"
    return told | {
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(headers),
        "content": content,
        "redirectURL": next((value for name, value in headers if name.lower() == "location"), ""),
        "headersSize": -1,
        "bodySize": len(body),
    }


def _pairs(pairs: Pairs) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]
