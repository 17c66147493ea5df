"""What the launcher's web server keeps besides frameworks: data deployment versions, the cluster, the access lists.

Kept with the instants it was told at, so that a clock turned back shows what stood then; told anew in the past, what came
later is dropped.
"""

import threading
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from contracts.clock import Clock, Instant
from simulator.machine.story import SECOND, Intervals

Document = Mapping[str, object]


@dataclass(frozen=True)
class LauncherRequest:
    """In the launcher's own words: documents, for nothing here looks into them but the access check."""

    launching: str | None = None
    launched: str | None = None
    cluster: Document = field(default_factory=lambda: {"nodes": None})
    acl: Document = field(default_factory=lambda: {"namespaceAcls": {}, "normalAdminUsers": []})

    def document(self) -> Document:
        return {
            "launchingDataDeploymentVersion": self.launching,
            "launchedDataDeploymentVersion": self.launched,
            "clusterConfiguration": self.cluster,
            "aclConfiguration": self.acl,
        }


class LauncherRequests:
    """Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._told: list[tuple[Instant, LauncherRequest]] = [(-1, LauncherRequest())]

    def now(self) -> LauncherRequest:
        with self._lock:
            return self._told[self._last(self._clock.now())][1]

    def set_cluster(self, cluster: Document) -> None:
        self._tell(lambda before: replace(before, cluster=cluster))

    def set_acl(self, acl: Document) -> None:
        self._tell(lambda before: replace(before, acl=acl))

    def set_data_deployment(self, kind: str, version: str) -> None:
        """``kind``: LAUNCHING or LAUNCHED."""
        self._tell(_CHANGE_OF_KIND[kind](version))

    def _tell(self, change: Callable[[LauncherRequest], LauncherRequest]) -> None:
        with self._lock:
            now = self._clock.now()
            last = self._last(now)
            del self._told[last + 1 :]
            self._told.append((now, change(self._told[last][1])))

    def _last(self, now: Instant) -> int:
        return bisect_right(self._told, now, key=lambda told: told[0]) - 1


_CHANGE_OF_KIND: Mapping[str, Callable[[str], Callable[[LauncherRequest], LauncherRequest]]] = {
    "LAUNCHING": lambda version: lambda before: replace(before, launching=version),
    "LAUNCHED": lambda version: lambda before: replace(before, launched=version),
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
        "amDiagnosticsMaxBytes": 49152,
        "amAttemptMaxCount": 3,
        "amAttemptFailuresValidityIntervalSec": 10,
        "amRmHeartbeatIntervalSec": intervals.am_rm_heartbeat // SECOND,
        "amRmResyncFrequency": 6,
        "amRmResyncNmExpiryBufferSec": 60,
        "amRequestPullIntervalSec": intervals.am_request_pull // SECOND,
        "amStatusPushIntervalSec": intervals.am_status_push // SECOND,
        "amFrameworkInfoPublishIntervalSec": 20,
        "amContainerRequestMinTimeoutSec": intervals.container_request_min // SECOND,
        "amContainerRequestMaxTimeoutSec": intervals.container_request_max // SECOND,
        "amSetupContainerRequestMinRetryIntervalSec": 30,
        "amSetupContainerRequestMaxRetryIntervalSec": 150,
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
