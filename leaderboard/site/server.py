"""`hlvid board serve`: the site on this machine, with the form that checks, scores and hands back a submission.

Listens on the loopback address unless told otherwise; where others reach it, it wants a token and tells no score.
Requests have to name the host that is served (so that another site's name pointing here reaches nothing) and uploads
have to come from the page itself. Bodies are cut off at `MOST_BYTES` while they arrive, and few are read at a time.
Nothing outlives the server.
"""

import asyncio
import base64
import ipaddress
import secrets
import signal
import socket
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hlvid.errors import RunError
from leaderboard.format.schema import Submission, form_names, nested
from leaderboard.site.build import build
from leaderboard.site.uploads import MOST_FILES, Pending
from leaderboard.submit.branch import results_repository

LEAST_TOKEN = 12
MOST_BYTES = 64 * 1024 * 1024  # predictions of 50 MB, and what a form adds
AT_ONCE = 2  # bodies that are read at the same time; more are told to come again
FIELDS = form_names(Submission)  # "model.name" -> whether it holds a number


def create_app(
    site: Path,
    pending: Pending,
    hosts: tuple[str, ...] = ("127.0.0.1", "localhost"),
    token: str | None = None,
) -> Any:
    """The application.

    Args:
        site: built with `served=True`.
        pending: where uploads are checked.
        hosts: names under which it may be asked for.
        token: password that every request needs (HTTP Basic, any user name).
    """
    from fastapi import FastAPI, Request, Response
    from fastapi.responses import JSONResponse
    from fastapi.staticfiles import StaticFiles
    from starlette.concurrency import run_in_threadpool
    from starlette.datastructures import UploadFile
    from starlette.exceptions import HTTPException
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    app = FastAPI(title="hlvid board", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))
    reading = asyncio.Semaphore(AT_ONCE)

    @app.middleware("http")
    async def guard(request: Request, call_next: Any) -> Response:
        if token is not None and not _knows(request.headers.get("authorization", ""), token):
            return Response("A password is needed.", 401, {"WWW-Authenticate": 'Basic realm="hlvid board"'})
        reply: Response = await call_next(request)
        return reply

    @app.post("/api/check")
    async def check(request: Request) -> Response:
        if not _same_origin(request.headers.get("origin"), request.headers.get("host", "")):
            return JSONResponse(_refused("This form answers its own page only."), 403)
        if reading.locked():
            return JSONResponse(_refused("Others are checking files just now; try again in a minute."), 503)
        async with reading:
            limited = Request(request.scope, _limited(request.receive))
            try:
                form = await limited.form(max_files=MOST_FILES + 1, max_fields=40)
            except _TooLargeError:
                return JSONResponse(_refused(f"More than {MOST_BYTES // 2**20} MB; nothing was read."), 413)
            except HTTPException as error:
                return JSONResponse(_refused(f"The form cannot be read: {error.detail}"), 400)
            uploads = [one for _, one in form.multi_items() if isinstance(one, UploadFile) and one.filename]
            files = [(str(one.filename), await one.read()) for one in uploads]
            texts = {name: value for name, value in form.items() if isinstance(value, str) and value.strip()}
            answer = await run_in_threadpool(pending.check, files, form_fields(texts), "branch" in texts)
        if answer["ok"]:
            answer["download"] = f"api/pending/{answer.pop('token')}.zip"
        return JSONResponse(answer)  # 200 for faults as well: the check itself has worked

    @app.get("/api/pending/{token}.zip")
    def download(token: str) -> Response:
        found = pending.archive(token)
        if found is None:
            return JSONResponse(_refused("No such submission; check it again."), 404)
        name, data = found
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(data, media_type="application/zip", headers=headers)

    app.mount("/", StaticFiles(directory=site, html=True))
    return app


def run(submissions: Path, host: str, port: int, token: str | None = None) -> None:
    """Build the site into a temporary folder and serve it until interrupted.

    Beyond this machine a token is needed, no score is told (a few thousand checks would give the key away), and no
    branch is made.

    Raises:
        RunError: fastapi is missing, the port is taken, or `host` is others' to reach and there is no token.
    """
    alone = _is_loopback(host)
    if not alone and len(token or "") < LEAST_TOKEN:
        raise RunError(
            f"--host {host} can be reached by others; give --token, of at least {LEAST_TOKEN} characters"
        )
    try:
        import uvicorn
    except ImportError:
        raise RunError("'hlvid board serve' needs fastapi and uvicorn; pip install 'hlvid[site]'") from None
    import typer

    with tempfile.TemporaryDirectory(prefix="hlvid-board-") as folder:
        site, root = Path(folder) / "site", Path(folder) / "pending"
        root.mkdir()
        repository = results_repository(submissions) if alone else None
        pending = Pending(root, submissions, scores=alone, repository=repository)
        build(site, submissions, keys=pending.keys, served=True)
        with _listening(host, port) as listener:
            shown = f"[{host}]" if ":" in host else host
            typer.echo(f"Open http://{shown}:{listener.getsockname()[1]}/  (Ctrl-C ends it)")
            app = create_app(site, pending, _hosts(host), token)
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the folder goes then, too
            uvicorn.Server(uvicorn.Config(app, log_level="warning", limit_concurrency=64)).run(
                sockets=[listener]
            )


def form_fields(form: Mapping[str, str]) -> dict[str, Any]:
    """The form's texts as fields of submission.toml; a number that is none stays text and becomes a fault."""
    return nested(
        {name: _number(text) if FIELDS[name] else text for name, text in form.items() if name in FIELDS}
    )


def _knows(header: str, token: str) -> bool:
    """Whether an Authorization header brings the password; compared in constant time."""
    kind, _, value = header.partition(" ")
    try:
        _, _, given = base64.b64decode(value, validate=True).partition(b":")
    except ValueError:
        return False
    return kind.casefold() == "basic" and secrets.compare_digest(given, token.encode())


class _TooLargeError(Exception):
    """The body is longer than allowed."""


def _limited(receive: Any) -> Any:
    """The same stream of messages, which ends with an error after `MOST_BYTES`."""
    seen = 0

    async def limited() -> Any:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > MOST_BYTES:
            raise _TooLargeError
        return message

    return limited


def _refused(message: str) -> dict[str, Any]:
    return {"ok": False, "message": message, "faults": [], "more": 0}


def _same_origin(origin: str | None, host: str) -> bool:
    """Browsers name the page that sends a form; other programs may leave it out."""
    try:
        return origin is None or urlsplit(origin).netloc == host
    except ValueError:  # "http://["
        return False


def _number(text: str) -> int | float | str:
    try:
        value = float(text)
    except ValueError:
        return text
    return int(value) if value.is_integer() and "." not in text and "e" not in text.lower() else value


def _hosts(host: str) -> tuple[str, ...]:
    return ("127.0.0.1", "localhost", "[::1]") if _is_loopback(host) else ("*",)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listening(host: str, port: int) -> socket.socket:
    """A bound socket, so that the port is known before the address is printed."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        raise RunError(
            f"{host}:{port} cannot be listened on ({error}); give another --port or --host"
        ) from None
