"""The control plane, where there is something to control: a simulated world, or the clock of recordings."""

import secrets
from typing import TYPE_CHECKING, cast

import click

from restserver.settings import BadSetting, Settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from wsgiref.types import WSGIApplication

    from restserver.assembling.backends import Built
    from simulator.faults.faults import FaultSet
    from simulator.simulation import Simulation


def mounts(built: "Built", settings: Settings) -> "Sequence[tuple[str, WSGIApplication]]":
    """The control plane, where there is something to control and somebody wants it."""
    from restserver.guarding.hosts import HostsListenedOn, is_loopback

    loopback = is_loopback(settings.host)
    if built.clock is None or built.headers is None:
        if settings.admin:
            raise BadSetting("admin", f"there is no control plane over --backend {settings.backend}")
        return ()
    if not (loopback if settings.admin is None else settings.admin):
        return ()
    from restserver.made_when_asked import MadeWhenAsked
    from simulator.admin.prefix import PREFIX

    token = settings.admin_token
    if token is None and not loopback:
        token = secrets.token_urlsafe(24)
        click.echo(f"the control plane asks for this token: {token}", err=True)
    clock, headers = built.clock, built.headers

    def admin() -> "WSGIApplication":
        from restserver.guarding.cross_origin import Origins
        from simulator.admin.control_plane import create_admin
        from simulator.admin.job_list import ListedJobs
        from simulator.admin.simulated_jobs import SimulatedJobs

        simulation = cast("Simulation | None", built.simulation)
        return create_admin(
            clock,
            ListedJobs(built.backend.launcher) if simulation is None else SimulatedJobs(simulation.launcher),
            HostsListenedOn(settings.host, settings.public_url),
            token,
            headers=lambda: headers(None),
            simulation=simulation,
            requests=None if simulation is None else simulation.requests,
            faults=cast("FaultSet | None", built.faults),
            makes_wire_faults=settings.server == "waitress",
            origins=Origins(settings.cors_origins).named(),
        )

    return ((PREFIX, MadeWhenAsked(admin)),)
