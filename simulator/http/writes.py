"""What a write has to pass before it becomes an operation, whichever dialect brought it: name, body, access, parents, the
total of tasks; and what one write does to other frameworks.

The order of the checks is the real launcher's: body read, name, body judged, access, the rest. Checks and the write are one
step: two writes at once cannot both take the last free task.
"""

import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from msgspec.structs import replace

from contracts.launcher.port import Ask, Launcher, NoSuchFramework
from contracts.launcher.records import ExecutionType, FrameworkDescriptor, FrameworkRequest, LaunchClientType
from simulator.http.access import Access, may_administer, may_write, user_of
from simulator.http.routes import Request
from simulator.launcher_state import LauncherRequests
from simulator.submission import judging as submission
from simulator.submission.binding import NAME, Shape, unfit_name
from simulator.submission.refusals import bad_request, illegal_argument, not_found, throttled

NOBODY = Ask()
MOST_TASKS = 500_000
_NAME = re.compile(NAME[1:-1])


class Operations(Protocol):
    """How what people do reaches the world: each counts from now on, and at once. All but ``submit`` and ``delete`` raise
    NoSuchFramework."""

    def submit(
        self,
        name: str,
        descriptor: FrameworkDescriptor,
        client_type: LaunchClientType,
        client_host: str,
        client_user: str,
    ) -> object: ...

    def stop(self, name: str) -> object: ...

    def start(self, name: str) -> object: ...

    def delete(self, name: str) -> object: ...

    def set_task_number(self, name: str, role: str, number: int) -> object: ...

    def set_progress(self, name: str, progress: float) -> object: ...

    def migrate(self, name: str, container_id: str) -> object: ...


@dataclass
class Writes:
    """Every write of the launcher. Thread-safe."""

    launcher: Launcher
    operations: Operations
    submitted: Callable[[], Iterable[str]]
    """The names that people submitted; some may be gone."""
    requests: LauncherRequests
    library: submission.Library = field(default_factory=submission.Library)
    most_tasks: int = MOST_TASKS
    access: Access | None = None
    """``None``: everybody may do everything, and names of users are not looked at."""

    def __post_init__(self) -> None:
        self._lock = threading.RLock()
        self._descriptor = submission.descriptor_shape(self.library)

    @property
    def descriptor_shape(self) -> Shape:
        return self._descriptor

    # --- frameworks -------------------------------------------------------------------------------------------------

    def submit(
        self, request: Request, name: str, told: Mapping[str, object] | None, tags: tuple[str, ...] = ()
    ) -> None:
        require_name(name)
        descriptor = replace(submission.descriptor(submission.judged(self._descriptor, told)), tags=tags)
        if self.access is not None:
            user = user_of(request)
            if user != descriptor.user_name:
                raise bad_request(
                    f"The UserName specified in the FrameworkDescriptor [{descriptor.user_name}] is not the same as the "
                    f"one specified in the HttpRequestHeader [{user}]."
                )
        self._may_write(request, name)
        client = client_type_of(request.headers.get("launchclienttype"))
        with self._lock:
            descriptor = self._under_its_parent(name, descriptor)
            self._within_the_total(name, _tasks(descriptor))
            if name in (".", ".."):
                place = f"/Launcher/Requests/{name}"
                reason = f"relative paths not allowed @{len(place) - 1}"
                raise illegal_argument(f'Invalid path string "{place}" caused by {reason}')
            self.operations.submit(name, descriptor, client, request.peer, "UNKNOWN")

    def delete(self, request: Request, name: str) -> None:
        """Children go with a parent only if the parent was not there: so the real one has it (recording s05h)."""
        require_name(name)
        self._may_write(request, name)
        with self._lock:
            if self._stored(name) is not None:
                self.operations.delete(name)
                return
            for child, stored in self._submitted():
                parent = stored.descriptor.parent_framework
                if parent is not None and parent.name == name and parent.delete_on_parent_deleted:
                    self.operations.delete(child)

    def set_execution_type(self, request: Request, name: str, told: Mapping[str, object] | None) -> None:
        require_name(name)
        wanted = submission.execution_type(submission.judged(submission.EXECUTION_TYPE, told))
        self._may_write(request, name)
        with self._lock:
            self._existing(name)
            if wanted is ExecutionType.STOP:
                self._stop(name, frozenset())
            else:
                self.operations.start(name)

    def set_task_number(self, request: Request, name: str, role: str, told: Mapping[str, object] | None) -> None:
        require_name(name)
        require_name(role)
        number = submission.task_number(submission.judged(submission.TASK_NUMBER, told))
        self._may_write(request, name)
        with self._lock:
            descriptor = self._existing(name).descriptor
            if role not in descriptor.task_roles:
                raise not_found()
            others = _tasks(descriptor) - descriptor.task_roles[role].task_number
            self._within_the_total(name, others + number)
            self.operations.set_task_number(name, role, number)

    def set_progress(self, request: Request, name: str, told: Mapping[str, object] | None) -> None:
        require_name(name)
        progress = submission.progress(submission.judged(submission.PROGRESS, told))
        self._may_write(request, name)
        with self._lock:
            self._existing(name)
            self.operations.set_progress(name, progress)

    def migrate(self, request: Request, name: str, container: str, told: Mapping[str, object] | None) -> None:
        """Which container is not checked; nor does the level of anti-affinity have any effect."""
        require_name(name)
        submission.judged(submission.MIGRATE_TASK, told)
        self._may_write(request, name)
        with self._lock:
            self._existing(name)
            self.operations.migrate(name, container)

    def forget_migration(self, request: Request, name: str) -> None:
        """Accepted; the simulated application master has cleared its requests by itself."""
        require_name(name)
        self._may_write(request, name)

    # --- the launcher itself ----------------------------------------------------------------------------------------

    def set_cluster(self, request: Request, told: Mapping[str, object] | None) -> None:
        cluster = submission.judged(submission.CLUSTER, told)
        self._may_administer(request)
        self.requests.set_cluster(cluster)

    def set_acl(self, request: Request, told: Mapping[str, object] | None) -> None:
        acl = submission.judged(submission.ACL, told)
        self._may_administer(request)
        self.requests.set_acl(acl)

    def set_data_deployment(self, request: Request, told: Mapping[str, object] | None) -> None:
        asked = submission.judged(submission.DATA_DEPLOYMENT, told)
        self._may_administer(request)
        self.requests.set_data_deployment(str(asked["dataDeploymentVersionType"]), str(asked["dataDeploymentVersion"]))

    # --- checks -----------------------------------------------------------------------------------------------------

    def _may_write(self, request: Request, name: str) -> None:
        if self.access is not None:
            may_write(self.access, self.requests.now().acl, user_of(request), name)

    def _may_administer(self, request: Request) -> None:
        if self.access is not None:
            may_administer(self.access, self.requests.now().acl, user_of(request))

    def _stored(self, name: str) -> FrameworkRequest | None:
        try:
            return self.launcher.framework(name, NOBODY).value.request
        except NoSuchFramework:
            return None

    def _existing(self, name: str) -> FrameworkRequest:
        stored = self._stored(name)
        if stored is None:
            raise not_found()
        return stored

    def _submitted(self) -> list[tuple[str, FrameworkRequest]]:
        known = ((name, self._stored(name)) for name in sorted(self.submitted()))
        return [(name, stored) for name, stored in known if stored is not None]

    def _within_the_total(self, name: str, tasks: int) -> None:
        """What people submitted counts; a world's own jobs do not, or a large one would let nobody in."""
        total = tasks + sum(_tasks(stored.descriptor) for other, stored in self._submitted() if other != name)
        if total > self.most_tasks:
            raise throttled(
                f"[{name}]: setFrameworkRequest Rejected: Since the New Total TaskNumber {total} will exceed the Max Total "
                f"TaskNumber {self.most_tasks}"
            )

    def _under_its_parent(self, name: str, descriptor: FrameworkDescriptor) -> FrameworkDescriptor:
        """As its parent lets it be: a child that would go with a parent that is gone is refused, one of a stopped parent is stopped."""
        parent = descriptor.parent_framework
        if parent is None or parent.name == name:
            return descriptor
        stored = self._stored(parent.name)
        if stored is None and parent.delete_on_parent_deleted:
            raise bad_request(
                f"[{name}]: setFrameworkRequest Rejected: Since its DeleteOnParentDeleted is enabled and its "
                f"ParentFramework [{parent.name}] is Deleted"
            )
        stopped = stored is not None and stored.descriptor.execution_type is ExecutionType.STOP
        if stopped and parent.stop_on_parent_stopped:
            return replace(descriptor, execution_type=ExecutionType.STOP)
        return descriptor

    def _stop(self, name: str, stopped: frozenset[str]) -> None:
        """It, and those that stop with it, and those that stop with them."""
        self.operations.stop(name)
        for child, stored in self._submitted():
            parent = stored.descriptor.parent_framework
            follows = parent is not None and parent.name == name and parent.stop_on_parent_stopped
            if follows and child not in stopped | {name}:
                self._stop(child, stopped | {name})


def require_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise bad_request(unfit_name(name))


def client_type_of(told: str | None) -> LaunchClientType:
    """Of a header or query; not given is UNKNOWN, given wrong (empty, too) is refused."""
    if told is None:
        return LaunchClientType.UNKNOWN
    if told not in LaunchClientType.__members__:
        raise bad_request(f"Failed to ParseLaunchClientTypeStr: [{told}]")
    return LaunchClientType[told]


def _tasks(descriptor: FrameworkDescriptor) -> int:
    return sum(role.task_number for role in descriptor.task_roles.values())
