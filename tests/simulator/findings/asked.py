"""One request, and what is seen of its answer."""

import json
import re
from collections.abc import Callable, Mapping
from typing import cast

from msgspec import Struct, field

from tests.simulator.test_http_server import framework
from tests.wire_exchange import Sent

Sees = Callable[[Sent], bool]
JSON = {"Content-Type": "application/json", "Accept": "application/json"}
F = "/v1/Frameworks/alice~f"


def error(sent: Sent, name: str, says: str = "") -> bool:
    """The compact object, and what stands in the first line of its message."""
    told = json.loads(sent.body)
    compact = b"\n" not in sent.body and list(told) == ["exception", "message", "javaClassName"]
    return compact and told["exception"] == name and says in told["message"].split("\n")[0]


def kinds(sent: Sent) -> list[str]:
    return [re.sub(r"\s", "", value).lower() for value in sent.values("Content-Type")]


def stored(sent: Sent) -> bool:
    return sent.status == 202 and sent.body == b""


def puts(**changed: object) -> bytes:
    return json.dumps(framework(**changed)).encode()  # type: ignore[arg-type] # any key of a descriptor


def role_of_wire(tasks: int, **more: object) -> dict[str, object]:
    service = {"version": 1, "entryPoint": "x", "sourceLocations": ["/x"], "resource": {"cpuNumber": 1, "memoryMB": 1}}
    return {"taskNumber": tasks, "taskService": service, **more}


def role_with(**changed: object) -> dict[str, object]:
    role_told = role_of_wire(1)
    service = {**cast("dict[str, object]", role_told["taskService"]), **changed}
    return {"taskRoles": {"w": {**role_told, "taskService": service}}}


ACTIVE = b"Active at launcher.cluster.example: 192.0.2.2"
HTML, XML = "text/html;charset=iso-8859-1", "application/xml"
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


class Asked(Struct, frozen=True):
    finding: str
    method: str
    path: str
    sees: Sees
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)


def refused(name: str, says: str = "", status: int = 400) -> Sees:
    return lambda sent: sent.status == status and error(sent, name, says)


def page(status: int) -> Sees:
    return lambda sent: sent.status == status and kinds(sent) == [HTML] and b"<html" in sent.body.lower()


def empty(status: int) -> Sees:
    return lambda sent: (sent.status, sent.body) == (status, b"")


def first_line(sent: Sent) -> str:
    message: str = json.loads(sent.body)["message"]
    return message.split("\n")[0]


def not_converted(sent: Sent) -> bool:
    exceptions = ("JsonMappingException", "InvalidFormatException", "UnrecognizedPropertyException")
    return sent.status == 400 and json.loads(sent.body)["exception"] in exceptions


NOWHERE = "/v1/nowhere"
NONE = "/v1/Frameworks/none"
FULL = json.dumps(framework(taskRoles={f"w{n}": role_of_wire(50_000) for n in range(11)})).encode()
CONVENTION = "is not matched with naming convention regex"
