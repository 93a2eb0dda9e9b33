"""Zoho Accounts' `/oauth/v2` over HTTP. The decisions are in `oauth`."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.datastructures import FormData

from .answers import RefusedError
from .portal import Portal


def accounts_router(portal: Portal) -> APIRouter:
    """Authorise, token, revoke."""
    router = APIRouter(prefix="/oauth/v2", tags=["accounts"])

    @router.get("/auth")
    async def authorise(request: Request) -> Response:
        """Consent at once and send the browser back with a code."""
        accounts_url = str(request.base_url).rstrip("/")
        try:
            location = portal.accounts.authorise(request.query_params, accounts_url)
        except RefusedError as refused:
            return HTMLResponse(f"<h1>{refused.message}</h1>", refused.status)
        return RedirectResponse(location, 302)

    @router.post("/token")
    async def token(request: Request) -> Response:
        """Exchange a code or a refresh token. Only a form body is read: a query string would end up in logs."""
        status, answer = portal.accounts.token(_texts(await request.form()))
        request.state.applied = "access_token" in answer
        return JSONResponse(answer, status)

    @router.post("/token/revoke")
    async def revoke(request: Request) -> Response:
        """End a refresh token; Zoho reads the token from the form or from the query."""
        form = _texts(await request.form())
        answer = portal.accounts.revoke(form.get("token") or request.query_params.get("token", ""))
        request.state.applied = answer.get("status") == "success"
        return JSONResponse(answer)

    return router


def _texts(form: FormData) -> dict[str, str]:
    return {name: value for name, value in form.items() if isinstance(value, str)}
