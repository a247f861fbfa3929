"""The page that reports what a file says about its origin."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from bodydouble.console.authentication import ConsoleDep, UserDep
from bodydouble.console.pages import PageRoute, render
from bodydouble.provenance.description import conclusion, describe_layers
from bodydouble.tasks.content_length import announced_bytes

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/verify")
async def verify_page(request: Request, user: UserDep) -> Response:
    """Show the page."""
    return render(request, "verify.html", user)


@router.post("/verify")
async def verify(request: Request, console: ConsoleDep, user: UserDep) -> Response:
    """Report the marks of the file that is the body."""
    announced = announced_bytes(request.headers)
    marks = await console.verification.verify(user.caller, request.stream(), announced)
    rows = [{"name": name, "lines": lines} for name, lines in describe_layers(marks)]
    return JSONResponse({"rows": rows, "conclusion": conclusion(marks), "task_id": marks["task_id"]})
