"""Ports, devices and the figures of an application, as they are told."""

from contracts.launcher.laws_of_records import tasks_of
from contracts.launcher.records import Ports
from simulator.machine.story import ContainerFate, ContainerRule, Delete, Rules, Submit
from tests.simulator.engine.lives import S, told
from tests.simulator.telling import START, all_end_with, descriptor, role, settled, story


def test_ports_and_gpus_are_told_as_the_launcher_spells_them() -> None:
    wanted = descriptor(worker=role(2, gpu_number=2, port_definitions={"ssh": Ports(1), "web": Ports(2, 8080)}))
    record = settled(told(story(Submit(START, wanted))))
    for task in tasks_of(record).values():
        assert (task.container_ports or "").startswith("web:8080,8081;ssh:")
        assert task.container_gpus is not None
        assert task.container_gpus.bit_count() == 2
    assert record.summary.total_gpu_number == 4


def test_the_figures_of_a_running_application_are_its_containers_and_its_master() -> None:
    wanted = descriptor(worker=role(3, memory_mb=1024))
    rules = Rules(containers=(ContainerRule(ContainerFate(allocation=None), index=2),))
    timeline = told(story(Submit(START, wanted), behaviour=rules))
    (waiting,) = timeline.applications(START + 2 * S)
    assert (waiting.state, waiting.figures.pending_containers, waiting.figures.allocated_mb) == ("ACCEPTED", 1, 0)
    (running,) = timeline.applications(START + 60 * S)
    figures = running.figures
    assert (figures.running_containers, figures.pending_containers) == (3, 1)
    assert (figures.allocated_mb, figures.allocated_vcores) == (4096 + 2048, 3)
    assert figures.queue_usage_percentage == 5.0
    assert running.tracking_url == f"http://rm.cluster.example:8088/proxy/{running.id}/"


def test_a_finished_application_keeps_its_report_for_those_who_come_late() -> None:
    timeline = told(story(Submit(START, descriptor()), Delete(START + 60 * S), behaviour=all_end_with(2)))
    (application,) = timeline.applications(START + 100 * S)
    assert application.state == "FINISHED"
    assert application.final_status == "FAILED"
    assert '"applicationExitCode" : 2,' in application.diagnostics
    assert application.name == "[alice~job]_[1]_[UNKNOWN]_[127.0.0.1]_[UNKNOWN]"
    assert application.figures.allocated_mb == 0
