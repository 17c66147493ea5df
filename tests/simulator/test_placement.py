"""Hosts, ports, GPUs and the spelling of ids."""

import random

from msgspec.structs import replace

from contracts.launcher.records import Ports, Resource
from simulator.machine.placement import Room, application_id, container_id, free_gpus, port_text, ports_exist
from simulator.machine.story import ContainerFate
from tests.simulator.telling import CLUSTER

USUAL = ContainerFate()


def test_ids_are_spelt_as_yarn_spells_them() -> None:
    name = application_id(CLUSTER, 42)
    assert name == "application_1795464678844_0042"
    assert container_id(name, 1, 2) == "container_1795464678844_0042_01_000002"
    assert application_id(CLUSTER, 12345).endswith("_12345")


def test_fixed_ports_come_first_and_every_label_ends_in_a_semicolon() -> None:
    told = port_text({"http": Ports(2), "web": Ports(2, 8080), "ssh": Ports(1)}, random.Random(1))
    fixed, http, ssh, rest = told.split(";")
    assert (fixed, rest) == ("web:8080,8081", "")
    dynamic = [*http.removeprefix("http:").split(","), ssh.removeprefix("ssh:")]
    assert len(set(dynamic)) == 3
    assert sorted(map(int, dynamic)) == list(map(int, dynamic))
    assert all(2000 <= int(port) <= 65_535 for port in dynamic)
    assert port_text({}, random.Random(1)) == ""


def test_a_host_has_so_many_ports_and_no_more() -> None:
    assert ports_exist({})
    assert ports_exist({"a": Ports(60_000), "b": Ports(3_536), "c": Ports(536, 65_000)})
    assert not ports_exist({"a": Ports(60_000), "b": Ports(3_537)})
    assert not ports_exist({"a": Ports(537, 65_000)})


def test_the_lowest_free_gpus_are_taken() -> None:
    assert free_gpus(Resource(1, 1, gpu_number=2), 0) == 0b11
    assert free_gpus(Resource(1, 1, gpu_number=2), 0b101) == 0b1010
    assert free_gpus(Resource(1, 1), 0b101) == 0
    assert free_gpus(Resource(1, 1, gpu_number=2, gpu_attribute=0b11000), 0) == 0b11000
    assert free_gpus(Resource(1, 1, gpu_number=99), 0) == (1 << 63) - 1


def test_containers_of_one_application_share_no_gpu_until_the_hosts_are_full() -> None:
    room, rolls = Room(CLUSTER), random.Random(2)
    resource = Resource(1, 1, gpu_number=4)
    placed = [room.place(f"c{n}", "alice", resource, USUAL, rolls, apart=False) for n in range(6)]
    for one in placed:
        assert all(other is one or other.host != one.host or not other.gpus & one.gpus for other in placed)
    assert room.place("c6", "alice", resource, USUAL, rolls, apart=False).gpus.bit_count() == 4
    for one in placed:
        room.give_back(one)


def test_apart_means_a_host_each_while_there_are_hosts() -> None:
    room, rolls = Room(CLUSTER), random.Random(2)
    placed = [room.place(f"c{n}", "alice", Resource(1, 1), USUAL, rolls, apart=True) for n in range(4)]
    assert len({one.host for one in placed[:3]}) == 3


def test_a_fate_decides_host_ports_and_gpus() -> None:
    fate = replace(USUAL, host=4, ports="ssh:1;", gpus=160)
    placed = Room(CLUSTER).place("c", "alice", Resource(1, 1), fate, random.Random(2), apart=False)
    assert (placed.host, placed.ports, placed.gpus) == (CLUSTER.hosts[1], "ssh:1;", 160)
    assert placed.log_address == "http://node-2.cluster.example:8042/node/containerlogs/c/alice/"
