"""The name of a request's route for metrics and logs: the template, never the path, which anybody can make up."""

from starlette.routing import Match
from starlette.types import Scope

UNKNOWN_ROUTE = "unknown"


def route_of(scope: Scope) -> str:
    """The path template that the request is or will be routed to, such as `/tickets/{id}/status`."""
    routed = getattr(scope.get("route"), "path_format", None)
    if isinstance(routed, str):
        return routed
    for route in getattr(scope.get("app"), "routes", ()):
        match, _ = route.matches(scope)
        if match is not Match.NONE:
            return str(getattr(route, "path", UNKNOWN_ROUTE))
    return UNKNOWN_ROUTE
