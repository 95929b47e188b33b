"""Django: points commit with the app's own rows, or not at all.

To set it up and serve it:

    pip install 'trc-engage[postgres]' django uvicorn
    export DATABASE_URL=postgresql://… TRC_ENGAGE_GUILD_ID=…
    python manage.py migrate --run-syncdb  # once: creates the app's tables
    python manage.py run_due  # once by hand, which creates the ledger's tables; then every five minutes by cron
    uvicorn manage:app --workers 4
"""

import os
import sys

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.management import execute_from_command_line
from psycopg.conninfo import conninfo_to_dict

NAMES = {"HOST": "host", "PORT": "port", "USER": "user", "PASSWORD": "password", "NAME": "dbname"}
given = conninfo_to_dict(os.environ["DATABASE_URL"])
settings.configure(
    ALLOWED_HOSTS=["127.0.0.1", "testserver"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            **{name: given[key] for name, key in NAMES.items() if key in given},
        }
    },
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=["django.contrib.sessions", "shop"],
    ROOT_URLCONF="shop.urls",
    SECRET_KEY=os.environ.get("SECRET_KEY", "for this example only"),
    USE_TZ=True,
)
app = get_asgi_application()

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
