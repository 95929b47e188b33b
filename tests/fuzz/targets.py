"""All targets by name."""

from collections.abc import Mapping

from . import api, boards, env, members_file, roster
from .oracle import Target

TARGETS: Mapping[str, Target] = {
    "page": boards.PAGE,
    "headers": boards.HEADERS,
    "roster": roster.ROSTER,
    "import": members_file.IMPORT,
    "api": api.API,
    "env": env.ENV,
}
