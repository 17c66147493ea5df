"""The two answer styles as values (rulings, section 4). What a style changes is a field here, never an ``if`` elsewhere."""

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from contracts.launcher.port import Answer, Ask, ResourceManager, always
from contracts.launcher.records import Figures, Framework
from restserver.answers import framework_info, presenters
from restserver.answers.presenters import Body, Site
from restserver.errors import DOCUMENTED_NOT_FOUND, PORTAL_NOT_FOUND, NotFound

NO_FIGURES: Final = Figures()

FiguresAnswer = Answer[Figures | None]
_NOT_ASKED: Final[FiguresAnswer] = Answer(None, None, holds=always)


def asked_figures(resource_manager: ResourceManager, framework: Framework, ask: Ask) -> FiguresAnswer:
    """Of the current application; there are none before there is one."""
    application = framework.status.application_id
    if application is None:
        return _NOT_ASKED
    return resource_manager.application(application, ask)


def no_figures(resource_manager: ResourceManager, framework: Framework, ask: Ask) -> FiguresAnswer:
    """The resource manager is not asked."""
    del resource_manager, framework, ask
    return _NOT_ASKED


class Style(Struct, frozen=True):
    name: str
    not_found: Mapping[str, NotFound]
    attempts_key: str
    versions_key: str
    job_figures: Callable[[ResourceManager, Framework, Ask], FiguresAnswer]
    """Where a job detail gets its figures."""
    job_detail: Callable[[Framework, Figures, Site], Body]
    full_detail: Callable[[Framework, Site], Body]
    framework_info: Callable[[Framework, Figures, Site, str], Body]


def _documented_job_detail(framework: Framework, figures: Figures, site: Site) -> Body:
    del figures
    return presenters.job_detail(framework, site)


DOCUMENTED: Final = Style(
    name="documented",
    not_found=DOCUMENTED_NOT_FOUND,
    attempts_key="FrameworkAttempts",
    versions_key="FrameworkVersions",
    job_figures=no_figures,
    job_detail=_documented_job_detail,
    full_detail=presenters.job_detail,
    framework_info=framework_info.framework_info,
)

PORTAL: Final = Style(
    name="portal",
    not_found=PORTAL_NOT_FOUND,
    attempts_key="attempts",
    versions_key="versions",
    job_figures=asked_figures,
    job_detail=presenters.portal_job_detail,
    full_detail=presenters.portal_full_detail,
    framework_info=framework_info.portal_framework_info,
)

STYLES: Mapping[str, Style] = {style.name: style for style in (DOCUMENTED, PORTAL)}
