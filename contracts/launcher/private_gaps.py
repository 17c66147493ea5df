"""What a document of the private launcher need not say twice, said twice.

The consumer that this dialect is known from reads name, version, state and retries from the summary alone, and a role's
name from its key; so the status and the roles may lack them, and the map of roles may be null.
"""

_TOLD_BY_THE_SUMMARY = ("FrameworkName", "FrameworkVersion", "FrameworkState", "FrameworkRetryPolicyState")


def without_gaps(document: object) -> object:
    """The same document, complete; what is no document of this kind comes back as it is, for the table to refuse."""
    if not isinstance(document, dict):
        return document
    summary, told = document.get("SummarizedFrameworkInfo"), document.get("AggregatedFrameworkStatus")
    if not isinstance(summary, dict) or not isinstance(told, dict):
        return document
    status, roles = told.get("FrameworkStatus"), told.get("AggregatedTaskRoleStatuses")
    shared = {key: summary[key] for key in _TOLD_BY_THE_SUMMARY if key in summary}
    if isinstance(roles, dict):
        roles = {key: _named_role(key, role, shared.get("FrameworkVersion")) for key, role in roles.items()}
    return {
        **document,
        "AggregatedFrameworkStatus": {
            **told,
            **({"FrameworkStatus": {**shared, **status}} if isinstance(status, dict) else {}),
            "AggregatedTaskRoleStatuses": {} if roles is None else roles,
        },
    }


def _named_role(key: str, role: object, version: object) -> object:
    if not isinstance(role, dict):
        return role
    status, statuses = role.get("TaskRoleStatus"), role.get("TaskStatuses")
    tasks = statuses.get("TaskStatusArray") if isinstance(statuses, dict) else None
    if isinstance(statuses, dict) and isinstance(tasks, list):
        named = [{"TaskRoleName": key, **task} if isinstance(task, dict) else task for task in tasks]
        statuses = {**statuses, "TaskStatusArray": named}
    own = {"TaskRoleName": key, "FrameworkVersion": version}
    told = {} if status is None else status
    return {
        **role,
        "TaskRoleStatus": {**own, **told} if isinstance(told, dict) else told,
        **({"TaskStatuses": statuses} if "TaskStatuses" in role else {}),
    }
