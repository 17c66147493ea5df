"""YAML that people wrote, as a document that knows its lines: bounded, and whatever it is instead is said in one line.

Its reader is imported when something is to be read: a start with what is shipped reads no YAML.
"""

from typing import Any

LARGEST_FILE = 1 << 20
"""Bytes."""


class NotYaml(Exception):
    """Says what it is instead, and in which line."""


def document_in(content: bytes, where: str) -> Any:
    """``where`` names it in errors. Raises :class:`NotYaml`."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    if len(content) > LARGEST_FILE:
        raise NotYaml(f"{where}: larger than {LARGEST_FILE} bytes")
    try:
        return YAML().load(content)
    except MarkedYAMLError as error:
        line = "" if error.problem_mark is None else f", line {error.problem_mark.line + 1}"
        raise NotYaml(f"{where}{line}: not YAML: {error.problem}") from error
    except (YAMLError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise NotYaml(f"{where}: not YAML: {str(error).partition(chr(10))[0]}") from error
