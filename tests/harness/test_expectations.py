"""What the contract expects of a request: the order of the document, said as rows."""

import pytest

from contracts.harness.contract import ANY_PATH, our_contract
from contracts.harness.expectations import expectation
from contracts.harness.transport import Request

CONTRACT = our_contract("documented")
GOOD = {200, 404, 500}
LONG = "x" * 9000

ROWS = [
    ("GET", "/api/v2/jobs/alice~job", "getJob", GOOD),
    ("GET", "/api/v2/jobs/alice~job?version=latest", "getJob", GOOD),
    ("HEAD", "/api/v2/jobs/alice~job", "getJob", GOOD),
    ("OPTIONS", "/api/v2/jobs/alice~job", "getJob", {204}),
    ("POST", "/api/v2/jobs/alice~job", "getJob", {405}),
    ("POST", "/api/v2/jobs/a%20b", "getJob", {405}),
    ("GET", "/api/v2/jobs/a%20b", "getJob", {404}),
    ("GET", "/api/v2/jobs/%2E%2E", "getJob", {404}),
    ("GET", "/api/v2/jobs/%FF", "getJob", {404}),
    ("GET", "/api/v2/jobs/a%0A", "getJob", {404}),
    ("GET", "/api/v2/jobs/", ANY_PATH, {404}),
    ("GET", "/api/v2/jobs", ANY_PATH, {404}),
    ("POST", "/api/v2/jobs", ANY_PATH, {404}),
    ("GET", "/api/v2/jobs/a%2Fb", ANY_PATH, {404}),
    ("GET", "/elsewhere", ANY_PATH, {404}),
    ("GET", f"/api/v2/jobs/a?{LONG}", "getJob", {414}),
    ("POST", f"/elsewhere?{LONG}", ANY_PATH, {414}),
    ("GET", "/api/v2/frameworks/a/attempts", "getAttempts", GOOD),
    ("GET", "/api/v2/frameworks/a/attempts?version=-1", "getAttempts", GOOD),
    ("GET", "/api/v2/frameworks/a/attempts?vers%69on=-1", "getAttempts", GOOD),
    ("GET", "/api/v2/frameworks/a/attempts?version=", "getAttempts", {400}),
    ("GET", "/api/v2/frameworks/a/attempts?version=1&version=1", "getAttempts", {400}),
    ("GET", "/api/v2/frameworks/a%20b/attempts?version=", "getAttempts", {404}),
    ("GET", "/api/v2/frameworks/a/attempts/", ANY_PATH, {404}),
    ("GET", "/api/v2/frameworks/a/attempts/007", "getAttempt", GOOD),
    ("GET", "/api/v2/frameworks/a/attempts/-1", "getAttempt", {400}),
    ("GET", "/api/v2/frameworks/a/attempts/%D9%A1", "getAttempt", {400}),
    ("GET", "/api/v2/frameworks/a/versions?version=x", "getVersions", GOOD),
]


@pytest.mark.parametrize(("method", "target", "operation", "statuses"), ROWS)
def test_the_statuses_that_fit_a_request(method: str, target: str, operation: str, statuses: set[int]) -> None:
    found = expectation(CONTRACT, Request(method, target))
    assert (found.operation, set(found.statuses)) == (operation, statuses)


def test_an_etag_sent_back_may_be_answered_304() -> None:
    request = Request("GET", "/api/v2/jobs/a", (("If-None-Match", '"x"'),))
    assert 304 in expectation(CONTRACT, request).statuses
