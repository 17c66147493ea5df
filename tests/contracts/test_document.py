"""The strict reader: our document is read whole, and every slip in it is one error with its line."""

import re
from pathlib import Path

import pytest

from contracts import registry
from contracts.body import BadDocument, Field, Object, Scalar, read_notes, read_type
from contracts.document import read, read_text
from contracts.model import STYLES

API = (registry.FOLDER / "api.md").read_text(encoding="utf-8")


TOLD_AT_THE_SECOND = ("*Operation*: `getAttempt`", "#### `State`", "| `State` | `integer >= 1` |")


def slip(old: str, new: str) -> tuple[str, int]:
    """Our document with one thing changed, and the line where the change ends up."""
    assert API.count(old) >= 1, old
    at = API.index(old)
    same = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), 0)
    return API[:at] + new + API[at + len(old) :], API.count("\n", 0, at + same) + 1


def test_our_document_has_the_four_endpoints() -> None:
    document = read(registry.FOLDER / "api.md")
    assert [(o.id, o.method, o.path) for o in document.operations] == [
        ("getJob", "GET", "/jobs/:jobName"),
        ("getAttempt", "GET", "/frameworks/:frameworkName/attempts/:frameworkAttemptId"),
        ("getAttempts", "GET", "/frameworks/:frameworkName/attempts"),
        ("getVersions", "GET", "/frameworks/:frameworkName/versions"),
    ]
    assert document.base_path == "/api/v2"


def test_every_key_of_our_document_says_what_it_means() -> None:
    document = read(registry.FOLDER / "api.md")
    bodies = [o.body for o in document.operations]
    bodies += [named.type for named in document.types.values() if isinstance(named.type, Object)]
    unexplained = {"jobStatus", "retryDetails", "taskRoles"}  # what they are made of says it
    for body in bodies:
        for style in STYLES:
            for key, entry in document.fields(body, style):
                assert entry.notes.text or key in unexplained, key


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("username: string  ", "username: strin  ", "there is no type strin"),
        ("state: State  ", "state: Stat  ", "there is no type Stat"),
        ("username: string ", "name: string ", "name is here twice"),
        ("moduleName: string ", "name: string ", "name is here twice"),
        ("    ...JobStatus\n    moduleName", "    ...JobState\n    moduleName", "there is no type JobState"),
        ("    ...JobStatus\n    moduleName", "    ...State\n    moduleName", "State has no keys"),
        ("version: int32 ", "version: int32 >= 0 ", "takes no range or pattern"),
        ("appId: string | null ", "appId: string >= 1 ", "string takes no range"),
        ("retries: integer >= 0 ", "retries: integer /^x$/ ", "integer takes no pattern"),
        ("containerPorts: { [label]: string }", "containerPorts: { [label] string }", "cannot read"),
        ('e.g. "alice"\n', "e.g. alice\n", "is not JSON"),
        ("| `NoJobError` |", "| NoJobError |", "must be one `piece of code`"),
        ("| 404 | both | `NoJobError`", "| 40x | both | `NoJobError`", "is no status"),
        ("| 404 | both | `NoJobError`", "| 404 | all | `NoJobError`", "there is no style"),
        ("`Job $jobName is", "`Job $nameOfJob is", "nothing says what $nameOfJob stands for"),
        ("| `:jobName` | path |", "| `jobName` | path |", "a parameter is a `:name`"),
        ("| `version` | query | `VersionText` |", "| `version` | query | `int32` |", "must be a kind of string"),
        ("| `Allow` | 405 | string", "| `Allow` | 405 | integer", "a header is a string"),
        ("| `Allow` | 405 |", "| `Allow` | 409 |", "nothing is answered with 409"),
        ("| `$jobName` | `/", "| `$jobName` | `", "a placeholder is a `$name`"),
        ("| request `GET /api", "| line `GET /api", "what was received is a kind and a name"),
        ("GET /api/v2/jobs/:jobName\n", "GET /api/v2/job/:jobName\n", "no request of GET /jobs/:jobName"),
        (
            "GET /api/v2/frameworks/:frameworkName/versions",
            "GET /api/v3/frameworks/:frameworkName/versions",
            "base path",
        ),
        ("#### `JobType`", "#### `State`", "State is here twice"),
        ("| `milliseconds` | `integer >= 1` |", "| `State` | `integer >= 1` |", "is here twice"),
        ("| Value | Meaning |", "| Values | Meaning |", "no table has the head Values | Meaning"),
        ("*Operation*: `getJob`", "*Operation*: `getAttempt`", "getAttempt does not name one operation only"),
        ("*Operation*: `getJob`", "*Operations*: `getJob`", "cannot read the label"),
        ("*Response if succeeded*: `200`", "*Response if succeeded*: `2OO`", "is no status"),
        ("### `GET /frameworks/:frameworkName/versions`", "### `GET /jobs/:jobName`", "is described twice"),
        ("### `GET /jobs/:jobName`", "### `jobs`", "neither an endpoint"),
        (
            "```js\n{\n  jobStatus: {\n    ...JobStatus\n    moduleName",
            "```js\n[\n  jobStatus: {\n    ...JobStatus\n    moduleName",
            "cannot read",
        ),
        ("    code: integer  ", "    code: [ { // b\n a: string } ] ", "give this object a name"),
    ],
)
def test_a_slip_is_an_error_at_its_line(old: str, new: str, says: str) -> None:
    text, line = slip(old, new)
    with pytest.raises(BadDocument, match=re.escape(says)) as caught:
        read_text(text, "ours.md")
    assert str(caught.value).startswith("ours.md:")
    if new not in TOLD_AT_THE_SECOND:
        assert line <= caught.value.line <= line + 1, str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        (r"\| 404 \| both \| `NoJobError`.*\n", "has no status 404 (documented)"),
        (r"\| 404 \| portal \| `NoFrameworkAttemptError`.*\n", "has no status 404 (portal)"),
        (r"\*As on every path\*: `400` `401` `405` `414` `429` `500`", "cannot read the label"),
        (r"\*Operation\*: `getJob`\n", "has no *Operation*"),
        (r"\*\*The job as it is now.*\n", "has no summary in bold"),
        (r"```http\nGET /api/v2/jobs/:jobName\n```\n", "has no *Request*"),
        (r"\| `version` \| query .*\n", "has no parameter version in its table"),
        (r"\| `\$method` .*\n", "nothing says what $method stands for"),
        (r"\| 414 .*\n", "has no 414 to share"),
        (r" `429`(?= `500`)", "has no status 429 (documented)"),
        (r"\*Version\*: .*\n", "there is no *Version*"),
        (r"#### `JobType`\n(.*\n)*?(?=## What)", "there is no type JobType"),
    ],
)
def test_something_left_out_is_an_error(pattern: str, says: str) -> None:
    replacement = "*As on every path*:" if "As on" in pattern else ""
    text, count = re.subn(pattern, replacement, API, count=1)
    assert count == 1
    with pytest.raises(BadDocument, match=re.escape(says)):
        read_text(text)


@pytest.mark.parametrize(
    ("addition", "says"),
    [
        (
            "\n#### `Unused`\n\nNobody asks.\n\n| Value | Meaning |\n|---|---|\n| `A` | a |\n",
            "nothing is of the type Unused",
        ),
        ("\n#### `Empty`\n\nNothing follows.\n", "Empty is not described"),
        ("\n#### `Loop`\n\nGoes round.\n\n```js\n{\n  again: Loop\n}\n```\n", "Loop is made of itself"),
        ("\n#### `Loop`\n\nGoes round.\n\n```js\n{\n  ...Loop\n}\n```\n", "Loop is made of itself"),
        ("\n```js\n{ a: string }\n```\n", "belongs to no answer and to no type"),
        ("\n| Value | Meaning |\n|---|---|\n| `A` | a |\n", "these values belong to no type"),
        (
            "\n| Parameter | In | Type | Meaning |\n|---|---|---|---|\n| `a` | query | `Name` | x |\n",
            "belongs to no endpoint",
        ),
        (
            "\n| Placeholder | Pattern | Stands for |\n|---|---|---|\n| `$idle` | `/x/` | x |\n",
            "$idle is in no message",
        ),
        ("\n```http\nnot read here\n```\n\nprose and `code` are free.\n", None),
    ],
)
def test_what_has_no_place_is_an_error_and_prose_is_free(addition: str, says: str | None) -> None:
    if says is None:
        assert read_text(API + addition) == read_text(API)
        return
    with pytest.raises(BadDocument, match=re.escape(says)) as caught:
        read_text(API + addition)
    assert caught.value.line > API.count("\n")


def test_a_document_without_endpoints_is_an_error() -> None:
    with pytest.raises(BadDocument, match=r"api\.md:3: there is no endpoint"):
        read_text("# Title\n\n*Version*: `1`\n")


def test_a_parameter_that_is_not_in_the_heading_is_an_error() -> None:
    row = '| `:jobName` | path | `Name` | name of the job, its `~` namespace included; e.g. "alice~mnist" |\n'
    text, line = slip(row, row + "| `page` | query | `Name` | which page |\n")
    with pytest.raises(BadDocument, match="page is no query parameter of this endpoint") as caught:
        read_text(text)
    assert caught.value.line == line + 1


def test_a_failure_told_twice_is_an_error() -> None:
    row = "| 404 | portal | `NoFrameworkVersionsError` | `No list of versions found for framework $frameworkName.` | There is no such framework. |\n"
    text, line = slip(row, row + row)
    with pytest.raises(BadDocument, match="404 NoFrameworkVersionsError is here twice") as caught:
        read_text(text)
    assert caught.value.line == line + 1


def test_a_second_body_of_one_answer_is_an_error() -> None:
    body = "```js\n{\n  FrameworkVersions:"
    text, _ = slip(body, "```js\n{ a: string }\n```\n\n" + body)
    with pytest.raises(BadDocument, match="belongs to no answer"):
        read_text(text)


def test_a_missing_file_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "api.md")


def test_a_comment_carries_mark_meaning_and_example() -> None:
    notes = read_notes('portal: attempts; their numbers; e.g. {"a": [1]}', 1)
    assert (notes.portal_name, notes.portal_only, notes.text, notes.example) == (
        "attempts",
        False,
        "their numbers",
        {"a": [1]},
    )


def test_a_regular_expression_may_hold_a_slash() -> None:
    found = read_type(r"string /^a\/[^\/]+$/", 1)
    assert isinstance(found, Scalar)
    assert found.pattern == "^a/[^/]+$"


def test_a_comment_below_a_key_goes_on_with_its_meaning() -> None:
    found = read_type("{\n  a: string  // one\n              // two\n  b: { // three\n    c: null\n  }\n}", 10)
    assert isinstance(found, Object)
    entries = [entry for entry in found.entries if isinstance(entry, Field)]
    assert [(e.name, e.notes.text, e.line) for e in entries] == [("a", "one two", 11), ("b", "three", 13)]


@pytest.mark.parametrize("text", ["{ a: ", "{ a: string", "[ string", ""])
def test_a_body_that_ends_too_early_is_told_at_its_end(text: str) -> None:
    with pytest.raises(BadDocument, match="ends too early"):
        read_type(text, 5)


def test_a_type_in_a_table_has_no_room_for_a_comment() -> None:
    with pytest.raises(BadDocument, match="beside or below the key"):
        read_type("{ // why\n a: string }", 5)
