"""Django with the pages and the API of the points under `/points`, where members see their own data.

To serve it, once `manage.py` has set it up:

    pip install 'trc-engage[postgres,web]' django uvicorn
    uvicorn pages:app --workers 4
"""

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.utils import timezone
from manage import app as django_app
from shop.points import dsn
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from trc_engage import Engage
from trc_engage.adapters.postgres import PostgresLedger
from trc_engage.entrypoints.web import create_app


def may_see(request: Request, member_id: str) -> bool:
    """Return whether the session, filled by your login, belongs to the member; called on a thread of its own."""
    try:
        session = SessionStore(request.cookies.get(settings.SESSION_COOKIE_NAME))
        return bool(session.get("member_id") == member_id)
    finally:
        connection.close()


pages = create_app(Engage(ledger=PostgresLedger.open(dsn(), create=False), clock=timezone.now), may_see=may_see)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Pass everything under `/points` to the pages, and everything else to Django."""
    if scope["type"] == "http" and scope["path"].startswith("/points/"):
        await pages({**scope, "root_path": f"{scope.get('root_path', '')}/points"}, receive, send)
    else:
        await django_app(scope, receive, send)
