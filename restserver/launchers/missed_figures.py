"""What is told of figures that a resource manager did not give: the request went on without them."""

import logging

from contracts.launcher.port import Ask, LauncherError, LauncherRefused
from restserver.launchers.counted import OUTCOME_OF_ERROR
from restserver.seeing.logs import told
from restserver.seeing.metrics import Metrics

log = logging.getLogger(__name__)


def logged(application_id: str, ask: Ask, error: LauncherError) -> None:
    """An application that YARN does not know yet, or not any more, is no news to operators; the rest is."""
    level = logging.INFO if isinstance(error, LauncherRefused) and error.status == 404 else logging.WARNING
    id_told = told(request_id=ask.request_id)
    log.log(level, "the resource manager gave no figures of %s: %s", application_id, error, extra=id_told)


def counted(metrics: Metrics, error: LauncherError) -> None:
    metrics.resource_manager_failures.one_more(OUTCOME_OF_ERROR[type(error)])
