"""What the schema of an answer says against it; for tests that have thousands of answers."""

from functools import cache

from contracts.harness.contract import Response, our_contract
from contracts.harness.judging import allows


def objection(operation: str, status: int, style: str, body: object) -> str | None:
    """What is not as promised, or ``None``. Raises ``KeyError`` if no such answer is promised.

    The compiled validator is asked first, in a fraction of the time; what it refuses is judged again. That it allows
    nothing that the judge refuses is shown by ``tests/harness/test_judging.py``.
    """
    response = _responses(operation, style)[status]
    if allows(response, body):
        return None
    error = next(response.validator.iter_errors(body), None)
    return None if error is None else f"{error.json_path}: {error.message}"


@cache
def _responses(operation: str, style: str) -> dict[int, Response]:
    return dict(our_contract(style).operations[operation].responses)
