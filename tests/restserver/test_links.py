"""Links, groups and job types (rulings, section 3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restserver.answers.links import (
    encoded,
    group_id,
    job_detail_link,
    job_full_detail_url,
    job_full_detail_url_of_sub_cluster,
    job_type,
    webportal_link,
)


@pytest.mark.parametrize(
    ("tags", "description", "group"),
    [
        (("GID-12_rest_more",), None, "12"),
        (("gid-865",), None, "865"),
        (("owner:me", "GiD-7_x", "GID-8"), None, "7"),
        (("GID-_x",), None, ""),
        ((), '{"GroupTag": "GID-545_x"}', "545"),
        ((), '  {"GroupTag": "GID-545"}', "545"),
        (("other",), '{"GroupTag": "GID-545_x"}', "545"),
        (("GID-1",), '{"GroupTag": "GID-545_x"}', "1"),
        ((), '{"GroupTag": "gid-1_x"}', None),
        ((), '{"GroupTag": "no GID-1"}', None),
        ((), '{"GroupTag": null}', None),
        ((), '{"GroupTag": ["GID-1"]}', None),
        ((), '{"Other": 1}', None),
        ((), "{bad json", None),
        ((), '["GroupTag"]', None),
        ((), '{"a":' * 150 + "1" + "}" * 150, None),
        ((), "plain GID-9", None),
        ((), "", None),
        ((), None, None),
        (("not GID-4",), None, None),
        (("G\u0131D-4",), None, None),
    ],
)
def test_the_group_comes_from_the_first_tag_or_the_description(
    tags: tuple[str, ...], description: str | None, group: str | None
) -> None:
    assert group_id(tags, description) == group


@given(st.text())
def test_no_description_is_too_odd_to_look_for_a_group_in(description: str) -> None:
    assert group_id((), description) is None or '"GroupTag"' in description


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("JD_x", "JOBWRAPPER"),
        ("MPJD_x", "JOBWRAPPER"),
        ("jd_x", "LAUNCHER"),
        ("x_JD_", "LAUNCHER"),
        ("alice~JD_x", "LAUNCHER"),
    ],
)
def test_a_job_wrapper_is_known_by_the_start_of_its_name(name: str, kind: str) -> None:
    assert job_type(name) == kind


def test_links_hold_the_group_only_if_there_is_one() -> None:
    assert job_detail_link("a~b", None, "SC") == "job-detail.html?jobName=a~b&subCluster=SC"
    assert job_detail_link("a~b", "7", "") == "job-detail.html?jobName=a~b&groupId=7&subCluster="


def test_every_value_in_a_link_is_encoded() -> None:
    assert encoded("a&b=c/d e#é'(*)!~") == "a%26b%3Dc%2Fd%20e%23%C3%A9'(*)!~"
    assert encoded("\ud800") == "%3F"
    link = webportal_link("https://portal.example", "a", "x&y")
    assert link == "https://portal.example/job-detail.html?jobName=a&subCluster=x%26y"


def test_the_full_url_is_that_of_the_job_here() -> None:
    assert job_full_detail_url("https://api.example", "a~b") == "https://api.example/api/v2/jobs/a~b"
    assert job_full_detail_url_of_sub_cluster("http://h", "a", "") == "http://h/api/v2/jobs/a"
    assert job_full_detail_url_of_sub_cluster("http://h", "a", "S C") == "http://h/api/v2/jobs/a?subCluster=S%20C"
