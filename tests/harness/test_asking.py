"""The limits of a check: its rate, its patience, its order."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from itertools import count

import pytest

from contracts.clock import uptime
from contracts.harness.asking import Asker, Enough, Pace, Patience
from contracts.harness.contract import our_contract
from contracts.harness.findings import Exchange
from contracts.harness.judging import Verdict
from contracts.harness.transport import REFUSED, TIME_OUT, Client, Request, target_of
from tests.stand_ins.misbehaving import misbehaving, port_of_nobody, silent
from tests.stand_ins.served import Reply, serving


def asked(url: str, requests: int, workers: int = 1, pace: Pace | None = None, timeout: float = 2.0) -> list[Exchange]:
    heard: list[Exchange] = []

    def hear(exchange: Exchange, verdict: Verdict, real: bool) -> None:
        del verdict, real
        heard.append(exchange)

    with ThreadPoolExecutor(workers) as pool, closing(Client(target_of(url), timeout)) as client:
        asker = Asker(client, our_contract("documented"), Patience(), pace or Pace(), pool, workers, hear)
        with suppress(Enough):
            asker.ask_all("fuzzing", ((Request("GET", f"/api/v2/jobs/job-{n}"), False) for n in range(requests)))
    return heard


@pytest.mark.parametrize("workers", [1, 4])
def test_answers_come_in_the_order_of_the_questions(workers: int) -> None:
    with serving(lambda asked: Reply(404, b"{}")) as server:
        heard = asked(server.url, 40, workers)
    assert [one.request.target for one in heard] == [f"/api/v2/jobs/job-{n}" for n in range(40)]


def test_requests_go_out_no_faster_than_they_may() -> None:
    began = uptime()
    with serving(lambda asked: Reply(404, b"{}")) as server:
        asked(server.url, 11, 2, Pace(50.0))
    assert uptime() - began >= 0.2


def test_a_silent_server_is_not_asked_for_ever() -> None:
    with misbehaving(silent) as server:
        heard = asked(server.url, 100, timeout=0.05)
    assert len(heard) == 3
    assert len(asked(f"http://127.0.0.1:{port_of_nobody()}", 100)) == 5


def test_patience_ends_with_time_and_begins_again_with_an_answer() -> None:
    patience = Patience(until=uptime() - 1)
    with pytest.raises(Enough, match="--max-time is over"):
        patience.left()
    patience = Patience()
    for kind in (TIME_OUT, TIME_OUT, None, TIME_OUT, TIME_OUT, REFUSED):
        assert patience.left() is None
        patience.after(kind)
    patience.after(TIME_OUT)
    for _ in range(2):
        patience.after(TIME_OUT)
    with pytest.raises(Enough, match="no answer in time"):
        patience.left()


def test_what_goes_wrong_in_a_thread_is_not_lost() -> None:
    numbers = count()
    with ThreadPoolExecutor(2) as pool, closing(Client(target_of("http://127.0.0.1"))) as client:
        asker = Asker(client, our_contract("documented"), Patience(), Pace(), pool, 2, lambda *_: None)
        with pytest.raises(ZeroDivisionError):
            list(asker.in_order(lambda number: 1 // (3 - number), numbers))


def test_what_is_cut_short_because_the_time_of_the_check_is_over_is_nobodys_fault() -> None:
    heard: list[Exchange] = []
    with misbehaving(silent) as server, ThreadPoolExecutor(1) as pool, closing(Client(target_of(server.url))) as client:
        patience = Patience(until=uptime() + 0.1)
        asker = Asker(client, our_contract("documented"), patience, Pace(), pool, 1, lambda one, *_: heard.append(one))
        with pytest.raises(Enough, match="--max-time is over"):
            asker.ask_all("fuzzing", [(Request("GET", "/api/v2/jobs/job-1"), False)])
    assert heard == []
