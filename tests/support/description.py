"""The API's OpenAPI document, and the types of the TypeScript example that are generated from it.

Regenerate both with `cd tests && python -m support.description`, which needs Node.
"""

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from trc_engage import Engage
from trc_engage.adapters.memory import MemoryLedger
from trc_engage.entrypoints.web import create_app

from .visitor import Visitor

EXAMPLE = Path(__file__).parents[2] / "examples/typescript_app"
DOCUMENT = EXAMPLE / "openapi.json"
TYPES = EXAMPLE / "src/schema.d.ts"


def described() -> str:
    """Return the document of a read-only app, which is what a page for members needs."""
    engage = Engage(ledger=MemoryLedger(), clock=lambda: datetime.now(UTC))
    told = Visitor(create_app(engage, may_see=lambda *_: True)).told("/api/openapi.json")
    return json.dumps(told, indent=2) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(described())
    for words in (["npm", "ci"], ["npm", "run", "generate"]):
        subprocess.run(words, cwd=EXAMPLE, check=True)
