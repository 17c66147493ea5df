"""What the launcher's web server keeps besides frameworks: data deployment versions, the cluster, the access lists.

Kept with the instants it was told at, so that a clock turned back shows what stood then; told anew in the past, what came
later is dropped. It is part of a world's state: ``state``, ``restore`` and ``reset``.
"""

import threading
from bisect import bisect_right
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

from contracts.clock import Clock, Instant, from_iso, iso
from simulator.machine.story import SECOND, Intervals

Document = Mapping[str, object]

MOST_TOLD = 1000
"""All of it is kept, and saved with every change."""


class TooMuchTold(Exception):
    """Nothing was changed."""

    def __str__(self) -> str:
        return f"the launcher was told {MOST_TOLD} settings, and keeps no more: POST /__admin/reset forgets them"


class LauncherRequest(NamedTuple):
    """In the launcher's own words: documents, for nothing here looks into them but the access check."""

    launching: str | None = None
    launched: str | None = None
    cluster: Document = {"nodes": None}  # noqa: RUF012  # a NamedTuple's default: shared by all, and changed by nobody
    acl: Document = {"namespaceAcls": {}, "normalAdminUsers": []}  # noqa: RUF012  # as above

    def document(self) -> Document:
        return {
            "launchingDataDeploymentVersion": self.launching,
            "launchedDataDeploymentVersion": self.launched,
            "clusterConfiguration": self.cluster,
            "aclConfiguration": self.acl,
        }


_BEGINNING: tuple[Instant, LauncherRequest] = (-1, LauncherRequest())


class LauncherRequests:
    """Thread-safe."""

    def __init__(self, clock: Clock, changing: Callable[[], AbstractContextManager[None]] = nullcontext) -> None:
        """``changing``: around every change; what it raises at its end takes the change back."""
        self._clock = clock
        self._changing = changing
        self._lock = threading.Lock()
        self._told = [_BEGINNING]

    def now(self) -> LauncherRequest:
        with self._lock:
            return self._told[self._last(self._clock.now())][1]

    def set_cluster(self, cluster: Document) -> None:
        self._tell(lambda before: before._replace(cluster=cluster))

    def set_acl(self, acl: Document) -> None:
        self._tell(lambda before: before._replace(acl=acl))

    def set_data_deployment(self, kind: str, version: str) -> None:
        """``kind``: LAUNCHING or LAUNCHED."""
        self._tell(_CHANGE_OF_KIND[kind](version))

    def _tell(self, change: Callable[[LauncherRequest], LauncherRequest]) -> None:
        """Raises TooMuchTold, and whatever keeps it from being saved."""
        with self._changing(), self._lock:
            now = self._clock.now()
            last = self._last(now)
            if last >= MOST_TOLD:
                raise TooMuchTold
            self._told = [*self._told[: last + 1], (now, change(self._told[last][1]))]

    def _last(self, now: Instant) -> int:
        return bisect_right(self._told, now, key=lambda told: told[0]) - 1

    # --- as part of a world's state ---------------------------------------------------------------------------------

    def state(self) -> object:
        with self._lock:
            return [{"at": iso(at), **told.document()} for at, told in self._told[1:]]

    def restore(self, state: object) -> None:
        """Raises ValueError, and then nothing is changed."""
        if not isinstance(state, list) or len(state) > MOST_TOLD:
            raise ValueError(f"what the launcher was told is a list of at most {MOST_TOLD}")
        told = [_restored(document) for document in state]
        if sorted(at for at, _ in told) != [at for at, _ in told]:
            raise ValueError("what the launcher was told stands in time order")
        with self._lock:
            self._told = [_BEGINNING, *told]

    def reset(self) -> None:
        with self._lock:
            self._told = [_BEGINNING]


def _restored(document: object) -> tuple[Instant, LauncherRequest]:
    """As strictly as a write is judged: the access check trusts what is kept."""
    from simulator.submission.judging import ACL, CLUSTER, judged  # only a state that holds some needs it
    from simulator.submission.refusals import Refused

    if not isinstance(document, Mapping):
        raise ValueError("what the launcher was told at an instant is an object")
    try:
        told = LauncherRequest(
            _text_or_none(document, "launchingDataDeploymentVersion"),
            _text_or_none(document, "launchedDataDeploymentVersion"),
            judged(CLUSTER, CLUSTER.bound(document.get("clusterConfiguration"))),
            judged(ACL, ACL.bound(document.get("aclConfiguration"))),
        )
    except Refused as refused:
        raise ValueError(refused.first_line) from refused
    return from_iso(str(document.get("at"))), told


def _text_or_none(document: Mapping[str, Any], key: str) -> str | None:
    value = document.get(key)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{key} is a text or null, not {value!r}")
    return value


_CHANGE_OF_KIND: Mapping[str, Callable[[str], Callable[[LauncherRequest], LauncherRequest]]] = {
    "LAUNCHING": lambda version: lambda before: before._replace(launching=version),
    "LAUNCHED": lambda version: lambda before: before._replace(launched=version),
}


def launcher_configuration(
    intervals: Intervals, most_tasks: int, address: str, acl: bool, acl_ignores_no_namespace: bool
) -> Document:
    """Every key of the real one, in its order; the pace is that of the simulated launcher."""
    return {
        "zkConnectString": "127.0.0.1:2181",
        "zkRootDir": "/Launcher",
        "hdfsRootDir": "/Launcher",
        "rootAdminUsers": [{"name": "root"}],
        "serviceRMResyncIntervalSec": intervals.service_rm_resync // SECOND,
        "serviceRequestPullIntervalSec": intervals.service_request_pull // SECOND,
        "applicationRetrieveDiagnosticsRetryIntervalSec": intervals.diagnostics_retry // SECOND,
        "applicationRetrieveDiagnosticsMaxRetryCount": intervals.diagnostics_retries,
        "applicationTransientConflictMinDelaySec": intervals.conflict_back_off_min // SECOND,
        "applicationTransientConflictMaxDelaySec": intervals.conflict_back_off_max // SECOND,
        "applicationSetupContextMaxRetryCount": 3,
        "applicationSetupContextRetryIntervalSec": 1,
        "frameworkCompletedRetainSec": intervals.completed_retention // SECOND,
        "frameworkLeftoverGCMaxCount": 1000,
        "maxTotalTaskNumber": most_tasks,
        "amVersion": 0,
        "amPriority": 1,
        "amDiagnosticsMaxBytes": intervals.am_diagnostics_most,
        "amAttemptMaxCount": 3,
        "amAttemptFailuresValidityIntervalSec": 10,
        "amRmHeartbeatIntervalSec": intervals.am_rm_heartbeat // SECOND,
        "amRmResyncFrequency": 6,
        "amRmResyncNmExpiryBufferSec": intervals.node_expiry_buffer // SECOND,
        "amRequestPullIntervalSec": intervals.am_request_pull // SECOND,
        "amStatusPushIntervalSec": intervals.am_status_push // SECOND,
        "amFrameworkInfoPublishIntervalSec": intervals.am_info_publish // SECOND,
        "amContainerRequestMinTimeoutSec": intervals.container_request_min // SECOND,
        "amContainerRequestMaxTimeoutSec": intervals.container_request_max // SECOND,
        "amSetupContainerRequestMinRetryIntervalSec": intervals.setup_request_min // SECOND,
        "amSetupContainerRequestMaxRetryIntervalSec": intervals.setup_request_max // SECOND,
        "amGangAllocationTimeoutSec": intervals.gang_timeout // SECOND,
        "amContainerMinPort": 2000,
        "amCandidateNodesFactor": 2,
        "amAllowNoneGpuJobOnGpuNode": True,
        "webServerBindHost": "0.0.0.0",  # noqa: S104  # what the real one says; nothing is bound here
        "webServerAddress": address,
        "webServerStatusPullIntervalSec": intervals.web_status_pull // SECOND,
        "webServerAclEnable": acl,
        "webServerAclIgnoreWithoutNamespace": acl_ignores_no_namespace,
    }
