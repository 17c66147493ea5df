"""Whether an answer is one that the document promises: its status, its schema, its media type."""

import json

from contracts import registry


def endpoints(name: str, attempt: int = 0) -> dict[str, str]:
    frameworks = f"/api/v2/frameworks/{name}"
    return {
        "getJob": f"/api/v2/jobs/{name}",
        "getAttempt": f"{frameworks}/attempts/{attempt}",
        "getAttempts": f"{frameworks}/attempts",
        "getVersions": f"{frameworks}/versions",
    }


def complaint(operation: str, status: int, body: bytes, style: str = "documented") -> str | None:
    """What is not as promised, or ``None``."""
    try:
        value = json.loads(body)
    except ValueError:
        return f"{status} with a body that is not JSON: {body[:200]!r}"
    try:
        validator = registry.validator(operation, status, style)
    except KeyError:
        return f"{status} is not documented for {operation}: {body[:200]!r}"
    wrong = next(iter(validator.iter_errors(value)), None)
    return None if wrong is None else f"{status}: {wrong.json_path}: {wrong.message[:200]}"
