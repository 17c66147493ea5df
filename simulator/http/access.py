"""Who may write (launcher fact sheet, 1.6): asked only where the launcher's access lists are switched on. Nobody is
authenticated; the ``UserName`` header is believed, as the real launcher believes it.

Ruling: the flag has three words for the real launcher's two switches, since the second means nothing without the first.
"""

import re
from collections.abc import Mapping
from typing import Any, cast

from msgspec import Struct

from simulator.http.routes import Request
from simulator.submission.binding import NAME, unfit_name
from simulator.submission.refusals import bad_request, forbidden


class Access(Struct, frozen=True):
    administrators: frozenset[str] = frozenset({"root", "hadoop"})
    """The root administrators, and the service's own user."""
    ignores_no_namespace: bool = True
    """Names without a namespace are everybody's; else nobody can write them."""


ACCESS_OF_WORD: Mapping[str, Access | None] = {
    "off": None,
    "on": Access(),
    "strict": Access(ignores_no_namespace=False),
}
"""How people name it: ``webServerAclEnable``, and ``webServerAclIgnoreWithoutNamespace`` as deployed, or not."""

_NAMESPACED = re.compile(r"([^~]+)~([^~]+)")


def user_of(request: Request) -> str:
    """Raises Refused for a name no user can have."""
    user = request.headers.get("username", "default")
    if not re.fullmatch(NAME[1:-1], user):
        raise bad_request(unfit_name(user))
    return user


def may_administer(access: Access, acl: Mapping[str, object], user: str) -> None:
    """Raises Refused."""
    if user not in _administrators(access, acl):
        raise forbidden("This operation needs administrator privilege.")


def may_write(access: Access, acl: Mapping[str, object], user: str, framework: str) -> None:
    """Raises Refused."""
    match = _NAMESPACED.fullmatch(framework)
    if match is None:
        if not access.ignores_no_namespace:
            raise bad_request(f"The FrameworkName [{framework}] does not contain a Namespace.")
        return
    namespace = match[1]
    listed = cast("Mapping[str, Any]", acl["namespaceAcls"]).get(namespace)
    members = {member["name"] for member in listed["users"]} if listed else set()
    if user not in _administrators(access, acl) | members | {namespace}:
        raise forbidden(f"User [{user}] does not have the Writable Access to the Namespace [{namespace}].")


def _administrators(access: Access, acl: Mapping[str, object]) -> frozenset[str]:
    named = cast("list[Mapping[str, str]]", acl["normalAdminUsers"])
    return access.administrators | {member["name"] for member in named}
