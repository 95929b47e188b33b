"""The documentation as a site: the Markdown files as the repository has them, with the README as its first page."""

import shutil
from importlib.metadata import version as installed_version
from pathlib import Path

from sphinx.application import Sphinx

CONTENTS = """
```{toctree}
:caption: Run it
:hidden:
docs/operations
docs/web
docs/scale
docs/reliability
examples/kubernetes/README
SECURITY
```

```{toctree}
:caption: Build on it
:hidden:
docs/embedding
docs/frameworks
docs/api
```

```{toctree}
:caption: Know it
:hidden:
docs/rules
docs/architecture
tests/crash/README
CHANGELOG
CONTRIBUTING
```
"""

project = "trc-engage"
release = installed_version("trc-engage")
root_doc = "README"
include_patterns = ["*.md", "docs/*.md", "examples/kubernetes/README.md", "tests/crash/README.md"]
extensions = ["myst_parser"]
# Links between the files name headings as GitHub does.
myst_heading_anchors = 4
nitpicky = True
# Pygments does not know all of TypeScript.
suppress_warnings = ["misc.highlighting_failure"]
html_theme = "furo"
html_title = f"trc-engage {release}"
html_copy_source = False
html_show_sphinx = False


def add_contents(_app: Sphinx, document: str, source: list[str]) -> None:
    """Give the README the table of contents that a site needs, and that would only disturb its readers elsewhere."""
    if document == root_doc:
        source[0] += CONTENTS


def add_index(app: Sphinx, error: Exception | None) -> None:
    """Let the site's address alone show the first page."""
    if error is None:
        shutil.copyfile(Path(app.outdir, f"{root_doc}.html"), Path(app.outdir, "index.html"))


def setup(app: Sphinx) -> None:
    """Have Sphinx call these."""
    app.connect("source-read", add_contents)
    app.connect("build-finished", add_index)
