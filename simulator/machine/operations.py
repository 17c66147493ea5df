"""What people asked for: operations become the stored request, as the web server keeps it. Pure; no effects in here."""

from typing import TypeAlias

from msgspec.structs import replace

from contracts.launcher.records import AntiAffinityLevel, ExecutionType, FrameworkDescriptor, FrameworkRequest
from simulator.machine.story import Delete, Migrate, SetProgress, SetTaskNumber, Start, Stop, Submit

Asked: TypeAlias = Submit | Stop | Start | Delete | SetTaskNumber | SetProgress | Migrate
"""What stands in the request store afterwards."""


class NothingChanges(Exception):
    """The operation does not fit what stands: an unknown name or role."""


def after(name: str, before: FrameworkRequest | None, operation: Asked) -> FrameworkRequest | None:
    """The request that stands after the operation; ``None``: none. Raises :class:`NothingChanges`."""
    if isinstance(operation, Submit):
        return _submitted(name, before, operation)
    if before is None:
        raise NothingChanges
    if isinstance(operation, Delete):
        return None
    if isinstance(operation, SetProgress):
        return replace(before, progress_override=operation.progress)
    if isinstance(operation, Migrate):
        asked = {**(before.migrate_task_requests or {}), operation.container_id: AntiAffinityLevel.ANY}
        return replace(before, migrate_task_requests=asked)
    return replace(before, descriptor=_changed(before.descriptor, operation), last_request_timestamp=operation.at)


def _submitted(name: str, before: FrameworkRequest | None, submit: Submit) -> FrameworkRequest:
    """Progress and migrations survive submissions, upgrades too."""
    return FrameworkRequest(
        name=name,
        descriptor=submit.descriptor,
        launch_client_type=submit.client_type,
        launch_client_host_name=submit.client_host,
        launch_client_user_name=submit.client_user,
        first_request_timestamp=submit.at if before is None else before.first_request_timestamp,
        last_request_timestamp=submit.at,
        progress_override=None if before is None else before.progress_override,
        migrate_task_requests=None if before is None else before.migrate_task_requests,
    )


def _changed(descriptor: FrameworkDescriptor, operation: Stop | Start | SetTaskNumber) -> FrameworkDescriptor:
    if isinstance(operation, Stop):
        return replace(descriptor, execution_type=ExecutionType.STOP)
    if isinstance(operation, Start):
        return replace(descriptor, execution_type=ExecutionType.START)
    role = descriptor.task_roles.get(operation.role)
    if role is None:
        raise NothingChanges
    roles = {**descriptor.task_roles, operation.role: replace(role, task_number=operation.number)}
    return replace(descriptor, task_roles=roles)


def without_migrations(request: FrameworkRequest, container_ids: frozenset[str]) -> FrameworkRequest:
    asked = request.migrate_task_requests or {}
    left = {name: level for name, level in asked.items() if name not in container_ids}
    return replace(request, migrate_task_requests=left)
