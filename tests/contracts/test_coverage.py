"""The document as received, and ours: everything in it is in ours, and what ours lacks is seen."""

import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import original, registry
from contracts.body import BadDocument
from contracts.coverage import FOUND, MISSING, RENAMED, Verdict, coverage
from contracts.document import read
from contracts.model import Document

RECEIVED = Path(__file__).parents[2] / "fixtures/original/rest-server.md"


@pytest.fixture(scope="module")
def ours() -> Document:
    return read(registry.FOLDER / "api.md")


def verdicts(ours: Document, text: str) -> dict[tuple[str, str], Verdict]:
    return {(v.item.kind, v.item.name): v for v in coverage(ours, original.read_text(text, "theirs.md"))}


def test_ours_has_everything_of_the_document_as_received(ours: Document) -> None:
    found = coverage(ours, original.read(RECEIVED))
    assert [v for v in found if v.outcome == MISSING] == []
    for verdict in found:
        assert bool(verdict.reason) == (verdict.outcome == RENAMED)


def test_the_document_as_received_is_read_whole() -> None:
    items = original.read(RECEIVED)
    counts = Counter(item.kind for item in items)
    assert (counts["endpoint"], counts["request"], counts["parameter"]) == (4, 4, 1)
    assert (counts["status"], counts["code"], counts["message"]) == (12, 8, 8)
    lines = RECEIVED.read_text(encoding="utf-8").splitlines()
    keys = [number for number, line in enumerate(lines, 1) if re.match(r" +\w+ ?:", line)]
    assert {i.line for i in items if i.kind == "field"} == set(keys)
    assert counts["field"] == len(keys) + 4  # each of four lists is told by its items, too


def test_the_wrong_request_line_is_the_one_renamed_request(ours: Document) -> None:
    renamed = [v for v in coverage(ours, original.read(RECEIVED)) if v.item.kind == "request" and v.outcome == RENAMED]
    (verdict,) = renamed
    assert verdict.item.endpoint == "GET /frameworks/:frameworkName/versions"
    assert "ruling 1.3" in verdict.reason


@pytest.mark.parametrize(
    ("old", "new", "missing"),
    [
        ('username: "username"', 'userName: "username"', ("field", "jobStatus.userName")),
        ("reservcedMB", "reservedMB", ("field", "frameworkInfo.jobStatus.reservedMB")),
        ('"NoJobError"', '"NoSuchJobError"', ("code", "NoSuchJobError")),
        ("Job $jobname is not found.", "Job $jobname is unknown.", ("message", "Job $jobname is unknown.")),
        ("Status: 404", "Status: 410", ("status", "410")),
        ("### `GET /jobs/:jobName`", "### `GET /job/:jobName`", ("endpoint", "GET /job/:jobName")),
        (
            "attempts/:frameworkAttemptId?version=:version`",
            "attempts/:frameworkAttemptId?v=:version`",
            ("parameter", "v"),
        ),
        ("GET /api/v2/jobs/:jobName", "GET /api/v3/jobs/:jobName", ("request", "GET /api/v3/jobs/:jobName")),
        ("taskIndex: ", "extra: { deep: 1 }, taskIndex: ", ("field", "taskRoles.taskRole.taskStatuses[].extra.deep")),
        ("FrameworkAttempts: [ ... ]", "Attempts: [ ... ]", ("field", "Attempts")),
    ],
)
def test_what_ours_lacks_is_missing(ours: Document, old: str, new: str, missing: tuple[str, str]) -> None:
    text = RECEIVED.read_text(encoding="utf-8")
    assert old in text
    found = verdicts(ours, text.replace(old, new, 1))
    assert found[missing].outcome == MISSING


def test_a_name_of_the_portal_style_is_told_as_such(ours: Document) -> None:
    text = "### `GET /frameworks/{name}/attempts`\n```\nStatus: 200\n{ attempts: [ 0, 1, ... ] }\n```\n"
    found = verdicts(ours, text)
    assert found["field", "attempts"].outcome == RENAMED
    assert "portal" in found["field", "attempts"].reason
    assert found["endpoint", "GET /frameworks/:name/attempts"].outcome == FOUND


def test_any_role_and_any_port_may_be_shown(ours: Document) -> None:
    body = "{ taskRoles: { worker: { taskStatuses: [ { containerPorts: { ssh: 1 } } ] }, <role>: { x: 1 } } }"
    found = verdicts(ours, f"### `GET /jobs/:name`\n```\nStatus: 200\n{body}\n```\n")
    assert found["field", "taskRoles.worker.taskStatuses[].containerPorts.ssh"].outcome == FOUND
    assert found["field", "taskRoles.*"].outcome == FOUND
    assert found["field", "taskRoles.*.x"].outcome == MISSING


def test_what_is_renamed_in_the_document_exists_here(ours: Document) -> None:
    items = original.read(RECEIVED)
    for renamed in ours.renamed:
        assert any(v.outcome == RENAMED and renamed.ours in v.reason for v in coverage(ours, items)), renamed


LOOSE = """\ufeff# Another document

## `GET /jobs/{jobName}?pretty`

**404** nothing there

```js
{ 'code': 'NoJobError' /* the code */ message: "a \\"b\\"" , detail: `x` }
```

#### Response 200

```javascript
HTTP/1.1 200 OK
Content-Type: application/json

{
  // before
  a: "x" | "y",
  b: total job's number  // trailing
  c: [ { d: 1, e: [ "x", ... ] }, ... ],
  f: /a/b, g: -1 # hash
  "h": {  [role name]: { state: WAITING | RUNNING }
  i?: string
  url: http://host/path
  time: 12:30,
  empty: ,
  …
```

### `POST /jobs`

```
POST /api/v2/jobs
{ name: "x" }
```

A job has at most 300 tasks.

Returns 201

```
{ id: `x` }
```

## Elsewhere

```
Status: 200
{ nobody: reads }
```
"""


LOOSE_ITEMS = [
    "3 GET /jobs/:jobName",
    "3 parameter None pretty",
    "5 status 404 404",
    "8 code 404 NoJobError",
    '8 message 404 a "b"',
    "8 field 404 detail",
    "11 status 200 200",
    "19 field 200 a",
    "20 field 200 b",
    "21 field 200 c",
    "21 field 200 c[]",
    "21 field 200 c[].d",
    "21 field 200 c[].e",
    "21 field 200 c[].e[]",
    "22 field 200 f",
    "22 field 200 g",
    "23 field 200 h",
    "23 field 200 h.*",
    "23 field 200 h.*.state",
    "24 field 200 h.i",
    "25 field 200 h.url",
    "26 field 200 h.time",
    "27 field 200 h.empty",
    "31 POST /jobs",
    "34 request None POST /api/v2/jobs",
    "40 status 201 201",
    "43 field 201 id",
]


def test_a_loose_document_is_read_as_its_writer_meant_it(tmp_path: Path) -> None:
    path = tmp_path / "loose.md"
    path.write_bytes(LOOSE.replace("\n", "\r\n").encode())
    endpoint, items = "", []
    for item in original.read(path):
        if item.endpoint != endpoint:
            endpoint = item.endpoint
            items.append(f"{item.line} {item.name}")
        else:
            items.append(f"{item.line} {item.kind} {item.status} {item.name}")
    assert items == LOOSE_ITEMS


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("{ a: ] }", 4),
        ("{\n  a: 1\n  }}\n", 6),
        ("{ : 1 }", 4),
        ("{" + "a: {" * 9, 4),
        ('{ a: "x }', 4),
        ("{ a: 1 } ^ , }", 4),
    ],
)
def test_braces_that_make_no_sense_are_an_error_with_their_line(body: str, line: int) -> None:
    with pytest.raises(BadDocument) as caught:
        original.read_text(f"### `GET /x`\n```\nStatus: 200\n{body}\n```\n", "theirs.md")
    assert str(caught.value).startswith(f"theirs.md:{line}: ")


def test_a_code_is_the_one_of_the_error_itself() -> None:
    body = r'{ code: "a\d", cause: { code: "Inner", message: [ x ] }, message: "m" }'
    items = original.read_text(f"### `GET /x`\n```\nStatus: 404\n{body}\n```\n", "theirs.md")
    assert {(i.kind, i.name) for i in items if i.kind in ("code", "message")} == {("code", r"a\d"), ("message", "m")}
    assert {i.name for i in items if i.kind == "field"} == {"cause", "cause.code", "cause.message", "cause.message[]"}


def test_a_text_that_describes_no_endpoint_is_an_error() -> None:
    with pytest.raises(BadDocument, match=r"theirs\.md:1: no endpoint"):
        original.read_text("# Poems\n\nRoses are red.\n", "theirs.md")


Tree = dict[str, object]
names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
trees = st.recursive(
    st.dictionaries(names, st.none(), max_size=3),
    lambda inner: st.dictionaries(
        names, st.one_of(st.none(), inner, st.lists(inner, min_size=1, max_size=1)), max_size=4
    ),
    max_leaves=12,
)
values = st.sampled_from(
    ['"quoted, text"', "plain words", "it's prose", "'single'", "12", "-1.5", "null", "[ ... ]", "`x`", "/p/q"]
)
ends = st.sampled_from([",", "", " ,", ", // then", " // a: comment {", " /* b: { */"])


@pytest.mark.no_cover
@given(trees, st.data())
def test_every_key_is_found_however_loosely_it_is_written(tree: Tree, data: st.DataObject) -> None:
    body = loose(tree, data)
    items = original.read_text(f"### `GET /x`\n\n```\nStatus: 200\n\n{body}\n```\n", "theirs.md")
    found = {item.name for item in items if item.kind == "field" and not item.name.endswith("[]")}
    assert found == paths(tree, "")


def loose(tree: Tree, data: st.DataObject) -> str:
    lines = ["{"]
    for key, inner in tree.items():
        spelt = data.draw(st.sampled_from([key, f'"{key}"', f"'{key}'", f"{key} ", f"{key}?"]))
        if isinstance(inner, dict):
            value = loose(inner, data)
        elif isinstance(inner, list):
            value = f"[ {loose(inner[0], data)}{data.draw(st.sampled_from(['', ',', ', ...']))} ]"
        else:
            value = data.draw(values)
        lines.append(f"{spelt}: {value}{data.draw(ends)}")
    return "\n".join([*lines, "}"])


def paths(tree: Tree, at: str) -> set[str]:
    found: set[str] = set()
    for key, inner in tree.items():
        path = f"{at}.{key}" if at else key
        found.add(path)
        if isinstance(inner, dict):
            found |= paths(inner, path)
        elif isinstance(inner, list):
            found |= paths(inner[0], f"{path}[]")
    return found
