"""A launcher and a resource manager that answer from a handful of documents, decoded by the dialect that wrote them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from contracts.clock import Instant
from contracts.launcher import open_dialect, private_dialect, resource_manager
from contracts.launcher.port import (
    Answer,
    Ask,
    Launcher,
    LauncherError,
    NoSuchAttempt,
    NoSuchFramework,
    NoSuchVersion,
)
from contracts.launcher.records import Application, Figures, Framework, Summary

Documents = Mapping[str, Mapping[str, Any]]
"""By path: ``status`` and ``body``."""


def _body(documents: Documents, path: str, missing: LauncherError) -> object:
    document = documents.get(path)
    if document is None or document["status"] == 404:
        raise missing
    return document["body"]


@dataclass(frozen=True)
class PrivateDocuments:
    """A past attempt stands at a path of its own; which version is current stands nowhere, so cases name it."""

    documents: Documents

    def framework(self, name: str, ask: Ask) -> Answer[Framework]:
        body = _body(self.documents, private_dialect.framework_path(name), NoSuchFramework(name))
        return Answer(private_dialect.decode_framework(body), 0)

    def attempt(self, name: str, attempt: int, version: int | None, ask: Ask) -> Answer[Framework]:
        path = private_dialect.attempt_path(name, version or 0, attempt)
        body = _body(self.documents, path, NoSuchAttempt(name, version, attempt))
        return Answer(private_dialect.decode_framework(body), 0)

    def attempts(self, name: str, version: int | None, ask: Ask) -> Answer[tuple[int, ...]]:
        path = private_dialect.attempts_path(name, version or 0)
        return Answer(private_dialect.decode_attempts(_body(self.documents, path, NoSuchVersion(name, version))), 0)

    def versions(self, name: str, ask: Ask) -> Answer[tuple[int, ...]]:
        body = _body(self.documents, private_dialect.versions_path(name), NoSuchFramework(name))
        return Answer(private_dialect.decode_versions(body), 0)

    def summaries(self, ask: Ask) -> Iterator[Summary]:
        return iter(())

    def ready(self, ask: Ask) -> None: ...


@dataclass(frozen=True)
class OpenDocuments:
    """Knows the current attempt only."""

    documents: Documents

    def framework(self, name: str, ask: Ask) -> Answer[Framework]:
        body = _body(self.documents, open_dialect.framework_path(name), NoSuchFramework(name))
        return Answer(open_dialect.decode_framework(body), 0)

    def attempt(self, name: str, attempt: int, version: int | None, ask: Ask) -> Answer[Framework]:
        return self.framework(name, ask)

    def attempts(self, name: str, version: int | None, ask: Ask) -> Answer[tuple[int, ...]]:
        return Answer((self.framework(name, ask).value.status.retries.total,), 0)

    def versions(self, name: str, ask: Ask) -> Answer[tuple[int, ...]]:
        return Answer((self.framework(name, ask).value.status.version,), 0)

    def summaries(self, ask: Ask) -> Iterator[Summary]:
        return iter(())

    def ready(self, ask: Ask) -> None: ...


@dataclass(frozen=True)
class ManagerDocuments:
    documents: Documents

    def application(self, application_id: str, ask: Ask) -> Answer[Figures | None]:
        document = self.documents.get(resource_manager.application_path(application_id))
        if document is None or document["status"] != 200:
            return Answer(None, 0)
        return Answer(resource_manager.decode_figures(document["body"]), 0)

    def applications(self, since: Instant, ask: Ask) -> Iterator[Application]:
        return iter(())


LAUNCHERS: Mapping[str, Callable[[Documents], Launcher]] = {"open": OpenDocuments, "private": PrivateDocuments}
