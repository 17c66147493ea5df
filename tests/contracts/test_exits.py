import pytest

from contracts.launcher import exits
from contracts.launcher.records import ExitType
from tests.contracts.launcher_documents import recorded_frameworks

# No exit spec of users' containers was configured there, so 193 is unknown.
WITHOUT_EXIT_SPEC = "s18a"


def test_predefined_codes_ascend_so_that_the_first_match_is_the_most_special_one() -> None:
    codes = [row.code for row in exits.PREDEFINED]
    assert codes == sorted(codes)
    assert len(codes) == len(set(codes))


def test_every_code_has_one_row_and_no_name_twice() -> None:
    rows = [*exits.PREDEFINED, *exits.USER_CONTAINER]
    assert len(exits.EXITS) == len(rows)
    assert len({row.name for row in rows}) == len(rows)
    assert all(1 <= row.code <= 255 and row.type is not ExitType.SUCCEEDED for row in exits.USER_CONTAINER)


@pytest.mark.parametrize(
    ("status", "diagnostics", "code"),
    [
        (0, None, 0),
        (-100, None, -7110),
        (-100, "something else", -7110),
        (-100, "Container released on a *lost* node", -7111),
        (-100, "x\nCONTAINER EXPIRED SINCE IT WAS UNUSED\n", -7112),
        (-100, "Container of a completed application", -7113),
        (-101, "Container released on a *lost* node", -7102),
        (-1000, None, -7100),
        (-2517, None, -7101),
        (-210, "", -7103),
        (-200, "", -7126),
        (-104, "is running beyond physical memory limits", -7122),
        (137, "Container released on a *lost* node", 137),
        (-9999, None, -9999),
        (-7351, None, -7351),
    ],
)
def test_a_yarn_status_is_recognised_by_number_and_text(status: int, diagnostics: str | None, code: int) -> None:
    assert exits.exit_code_of(status, diagnostics) == code


@pytest.mark.parametrize(("code", "text"), [(7, exits.UNKNOWN_OF_CONTAINER), (-9999, exits.UNKNOWN_OF_YARN)])
def test_a_code_of_no_row_is_unknown(code: int, text: str) -> None:
    assert exits.exit_type(code) is ExitType.UNKNOWN
    assert exits.description(code) == text


def test_types_and_descriptions_are_those_a_real_launcher_gave() -> None:
    told = set()
    for scenario, framework in recorded_frameworks():
        if scenario.startswith(WITHOUT_EXIT_SPEC):
            continue
        status = framework.status
        told.add((status.application_exit_code, status.application_exit_type, status.application_exit_description))
        for role in framework.task_roles.values():
            for task in role.tasks:
                told.add((task.container_exit_code, task.container_exit_type, task.container_exit_description))
    told = {row for row in told if row[0] is not None and row[1] is not None}
    assert len(told) > 10
    assert told == {(code, exits.exit_type(code), exits.description(code)) for code, _, _ in told if code is not None}


def test_the_exit_spec_holds_a_row_for_each_code() -> None:
    spec = exits.exit_spec()
    assert {row["code"] for row in spec} == set(exits.EXITS)
    assert spec[0].keys() == {"code", "name", "type", "description"}
    assert {"code": 0, "name": "SUCCEEDED", "type": "SUCCEEDED", "description": "Succeeded"} in spec
