"""JUnit XML, as CI servers read it: a suite per operation, a case per rule that was applied or broken."""

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from contracts.clock import iso
from contracts.harness.findings import Finding
from contracts.harness.replaying import Replay
from contracts.harness.reports.terminal import line_of, promise, title
from contracts.harness.running import Outcome


def text(outcome: Outcome, replay: Replay) -> str:
    broken = {one.fingerprint: one for one in outcome.findings.new}
    statuses = sorted(item for item in outcome.meeting.met if item.kind == "statuses")
    root = Element("testsuites", name=f"restserver {outcome.command}", time=f"{outcome.seconds:.3f}")
    total = 0
    for operation in (*outcome.contract.operations, "anyPath"):
        suite = SubElement(root, "testsuite", name=operation, timestamp=iso(outcome.began).rstrip("Z"))
        mine = [one for one in broken.values() if one.operation == operation]
        spoiled = {one.status for one in mine}
        for item in statuses:
            if item.operation == operation and item.status not in spoiled:
                SubElement(suite, "testcase", classname=operation, name=f"{item.status} is as documented")
        for finding in mine:
            _failed(suite, finding, replay)
        count = len(suite)
        suite.attrib.update(tests=str(count), failures=str(len(mine)), errors="0", skipped="0")
        total += count
    root.attrib.update(tests=str(total), failures=str(len(broken)), errors="0")
    indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(root, encoding="unicode")}\n'


def _failed(suite: Element, finding: Finding, replay: Replay) -> None:
    name = f"{finding.status or 'no answer'} {finding.rule} {finding.where}".strip()
    case = SubElement(suite, "testcase", classname=finding.operation, name=printable(name))
    failure = SubElement(case, "failure", type=finding.rule, message=printable(title(finding)))
    curl = replay.curl(finding)
    told = [title(finding), f"breaks {line_of(finding)}, known as {finding.fingerprint}"]
    told += [f"it says: {said}"] if (said := promise(finding)) else []
    told += [f"see it: {curl}"] if curl else []
    told += [f"replay it: {again}"] if (again := replay.again(finding)) else []
    failure.text = printable("\n".join(told))


def printable(text: str) -> str:
    """Without what XML cannot hold."""
    return "".join(letter if letter in "\n\t" or letter.isprintable() else "\ufffd" for letter in text)
