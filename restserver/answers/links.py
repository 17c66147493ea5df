"""The links of an answer, and the group and type of a job that go by its name and tags (rulings, section 3)."""

import json
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

_NOT_ENCODED: Final = "!'()*"
"""Left as they are by the browsers' own encoding of a component, besides letters, digits and ``-._~``."""

_TAG: Final = re.compile(r"GID-([^_]*)", re.IGNORECASE | re.ASCII)
_GROUP_TAG: Final = re.compile(r"GID-([^_]*)")
"""In a description the launcher's users write it in capitals, and only that is recognised."""

LAUNCHER_JOB: Final = "LAUNCHER"
JOBWRAPPER_JOB: Final = "JOBWRAPPER"
_JOBWRAPPER_PREFIXES: Final = ("JD_", "MPJD_")


def encoded(text: str) -> str:
    return quote(text, safe=_NOT_ENCODED, errors="replace")


def job_type(name: str) -> str:
    return JOBWRAPPER_JOB if name.startswith(_JOBWRAPPER_PREFIXES) else LAUNCHER_JOB


def group_id(tags: Iterable[str], description: str | None) -> str | None:
    """The first tag of the form ``GID-<group>[_...]``, else the description's ``GroupTag``."""
    for tag in tags:
        if found := _TAG.match(tag):
            return found[1]
    found = _GROUP_TAG.match(_group_tag(description or ""))
    return found[1] if found else None


def _group_tag(description: str) -> str:
    """``GroupTag`` of a description that is a JSON object; most are plain text."""
    if not description.lstrip().startswith("{"):
        return ""
    try:
        document: dict[str, object] = json.loads(description)
    except (ValueError, RecursionError):  # a thousand characters can nest a thousand deep
        return ""
    tag = document.get("GroupTag")
    return tag if isinstance(tag, str) else ""


def job_detail_link(name: str, group: str | None, sub_cluster: str) -> str:
    """Relative: the portal resolves it against its own address."""
    of_group = f"&groupId={encoded(group)}" if group else ""
    return f"job-detail.html?jobName={encoded(name)}{of_group}&subCluster={encoded(sub_cluster)}"


def webportal_link(webportal_url: str, name: str, sub_cluster: str) -> str:
    return f"{webportal_url}/job-detail.html?jobName={encoded(name)}&subCluster={encoded(sub_cluster)}"


def job_full_detail_url(base_url: str, name: str) -> str:
    return f"{base_url}/api/v2/jobs/{encoded(name)}"


def job_full_detail_url_of_sub_cluster(base_url: str, name: str, sub_cluster: str) -> str:
    """As deployed: the sub-cluster goes along as a parameter, which this API ignores."""
    of_sub_cluster = f"?subCluster={encoded(sub_cluster)}" if sub_cluster else ""
    return job_full_detail_url(base_url, name) + of_sub_cluster
