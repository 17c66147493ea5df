"""The open dialect over HTTP: what stands at which path (launcher fact sheet, 1.3)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from contracts.launcher import exits
from contracts.launcher.open_dialect import encode_framework, encode_summaries
from contracts.launcher.port import Launcher, NoSuchFramework
from contracts.launcher.records import LaunchClientType, Summary
from simulator.http.answers import Answered, accepted, document, packed, written
from simulator.http.routes import Request, Route, Routes
from simulator.http.writes import NOBODY, Writes, client_type_of, require_name
from simulator.launcher_state import LauncherRequests, launcher_configuration
from simulator.machine.story import DEPLOYED, Intervals
from simulator.submission import judging as submission
from simulator.submission.binding import Shape
from simulator.submission.refusals import no_such_file, not_found

LOG_FILES = ("AllWarn.log", "InternalDebug.log", "InternalInfo.log", "AllDebug.log", "AllError.log")


class Web(Struct, frozen=True):
    """What the launcher's web server says of itself."""

    pace: Callable[[], Intervals] = lambda: DEPLOYED
    """Asked whenever somebody asks: another profile brings another."""
    service_host: str = "launcher.cluster.example"
    service_ip: str = "192.0.2.2"
    user_exit_spec: bool = True
    address: str = field(default="http://localhost:9086")


def open_routes(launcher: Launcher, writes: Writes, web: Web) -> Routes:
    reads = _Reads(launcher)
    root = _get(lambda _: written(active_text(web)))
    requests = writes.requests
    return Routes(
        [
            Route("/", root),
            Route("/v1", root),
            Route("/v1/LauncherStatus", _get(lambda _: document(launcher_status(web, writes)))),
            *_launcher_request(requests, writes),
            Route("/v1/Frameworks", _get(reads.frameworks)),
            Route(
                "/v1/Frameworks/{name}",
                {
                    **_get(reads.whole()),
                    **_put(writes.descriptor_shape, lambda r, told: writes.submit(r, r.segments["name"], told)),
                    **_delete(lambda r: writes.delete(r, r.segments["name"])),
                },
                writes.descriptor_shape.full_class,
            ),
            *(
                Route(f"/v1/Frameworks/{{name}}/{place}", _get(reads.whole(*keys)))
                for place, keys in _PARTS_OF_FRAMEWORK.items()
            ),
            _writable(
                "/v1/Frameworks/{name}/TaskRoles/{role}/TaskNumber",
                submission.TASK_NUMBER,
                lambda r, told: writes.set_task_number(r, r.segments["name"], r.segments["role"], told),
            ),
            _writable(
                "/v1/Frameworks/{name}/ExecutionType",
                submission.EXECUTION_TYPE,
                lambda r, told: writes.set_execution_type(r, r.segments["name"], told),
            ),
            _writable(
                "/v1/Frameworks/{name}/MigrateTasks/{container}",
                submission.MIGRATE_TASK,
                lambda r, told: writes.migrate(r, r.segments["name"], r.segments["container"], told),
                _delete(lambda r: writes.forget_migration(r, r.segments["name"])),
            ),
            _writable(
                "/v1/Frameworks/{name}/ApplicationProgress",
                submission.PROGRESS,
                lambda r, told: writes.set_progress(r, r.segments["name"], told),
            ),
            Route("/v1/Logs", _get(lambda _: document(list(LOG_FILES)))),
            Route("/v1/Logs/{file}", _get(_log)),
        ]
    )


_PARTS_OF_FRAMEWORK: Mapping[str, tuple[str, ...]] = {
    "FrameworkStatus": ("aggregatedFrameworkStatus", "frameworkStatus"),
    "AggregatedFrameworkStatus": ("aggregatedFrameworkStatus",),
    "FrameworkRequest": ("aggregatedFrameworkRequest", "frameworkRequest"),
    "AggregatedFrameworkRequest": ("aggregatedFrameworkRequest",),
}
"""Parts of the one document of a framework that have paths of their own: where in it they stand."""


def _launcher_request(requests: LauncherRequests, writes: Writes) -> Sequence[Route]:
    return [
        Route("/v1/LauncherRequest", _get(lambda _: document(requests.now().document()))),
        _writable(
            "/v1/LauncherRequest/ClusterConfiguration",
            submission.CLUSTER,
            writes.set_cluster,
            _get(lambda _: document(requests.now().cluster)),
        ),
        _writable(
            "/v1/LauncherRequest/AclConfiguration",
            submission.ACL,
            writes.set_acl,
            _get(lambda _: document(requests.now().acl)),
            status=200,
        ),
        _writable(
            "/v1/LauncherRequest/DataDeploymentVersion",
            submission.DATA_DEPLOYMENT,
            writes.set_data_deployment,
            status=200,
        ),
    ]


# --- reads ----------------------------------------------------------------------------------------------------------


class _Reads:
    def __init__(self, launcher: Launcher) -> None:
        self._launcher = launcher

    def whole(self, *keys: str) -> Callable[[Request], Answered]:
        """The document of a framework, or the part of it where these keys lead."""

        def answer(request: Request) -> Answered:
            try:
                told: Any = encode_framework(self._launcher.framework(request.segments["name"], NOBODY).value)
            except NoSuchFramework:
                raise not_found() from None
            for key in keys:
                told = told[key]
            return document(told)

        return answer

    def frameworks(self, request: Request) -> Answered:
        user, client = request.query.get("UserName"), request.query.get("LaunchClientType")
        if client is not None:
            client_type_of(client)
        if user is not None:
            require_name(user)
        summaries = self._launcher.summaries(NOBODY)
        return document(
            encode_summaries(
                summary
                for summary in summaries
                if (user is None or summary.user_name == user)
                and (client is None or self._client_of(summary) is LaunchClientType[client])
            )
        )

    def _client_of(self, summary: Summary) -> LaunchClientType | None:
        """Not in a summary, so the framework is asked; it may be gone by then."""
        try:
            request = self._launcher.framework(summary.name, NOBODY).value.request
        except NoSuchFramework:
            return None
        return request.launch_client_type if request is not None else None


def active_text(web: Web) -> str:
    return f"Active at {web.service_host}: {web.service_ip}"


def launcher_status(web: Web, writes: Writes) -> Mapping[str, object]:
    access = writes.access
    spec = [{"code": row.code, "type": row.type.value, "description": row.description} for row in exits.USER_CONTAINER]
    return {
        "launcherConfiguration": launcher_configuration(
            web.pace(),
            writes.most_tasks,
            web.address,
            acl=access is not None,
            acl_ignores_no_namespace=access is not None and access.ignores_no_namespace,
        ),
        "userContainerExitSpec": {"spec": spec} if web.user_exit_spec else None,
        "loggedInUser": {"name": "hadoop"},
        "hadoopLibrarySupportsGpu": writes.library.gpu,
        "hadoopLibrarySupportsPort": writes.library.port,
        "serviceHost": web.service_host,
        "serviceIp": web.service_ip,
    }


def _log(request: Request) -> Answered:
    """Packed, as the real one gives them; what a simulated launcher has to log is where it comes from."""
    name = request.segments["file"]
    if name not in LOG_FILES:
        raise no_such_file(name)
    return packed(
        f"{name}: a simulated launcher logs nothing; what it was asked is under /__admin/requests\n", f"{name}.gz"
    )


# --- rows -----------------------------------------------------------------------------------------------------------

Change = Callable[[Request, Mapping[str, object] | None], None]
Methods = Mapping[str, Callable[[Request], Answered]]


def _get(answer: Callable[[Request], Answered]) -> Methods:
    return {"GET": answer}


def _put(shape: Shape, change: Change, status: int = 202) -> Methods:
    def answer(request: Request) -> Answered:
        change(request, submission.bound(shape, request.body()))
        return accepted(status, request.location)

    return {"PUT": answer}


def _delete(change: Callable[[Request], None]) -> Methods:
    def answer(request: Request) -> Answered:
        change(request)
        return accepted(202)

    return {"DELETE": answer}


def _writable(path: str, shape: Shape, change: Change, besides: Methods | None = None, *, status: int = 202) -> Route:
    return Route(path, {**(besides or {}), **_put(shape, change, status)}, shape.full_class)
