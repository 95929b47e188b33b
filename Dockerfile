# docker build -t registry.example.org/trc-engage:0.2.0 .
# The same image runs the daemon, the web app and any command. For a build that can be repeated to the byte, name the
# base image by its digest: --build-arg PYTHON=python:3.13-slim@sha256:…
ARG PYTHON=python:3.13-slim

FROM ${PYTHON} AS build
WORKDIR /source
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY src src
RUN python -m venv /opt/trc-engage \
    && /opt/trc-engage/bin/pip install --constraint constraints.txt '.[web,postgres,metrics]'

FROM ${PYTHON}
COPY --from=build /opt/trc-engage /opt/trc-engage
RUN install -d -m 700 -o 65532 -g 65532 /var/lib/trc-engage
# A store in a file is /var/lib/trc-engage/engage.db, unless TRC_ENGAGE_STORE names another.
ENV PATH=/opt/trc-engage/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 XDG_DATA_HOME=/var/lib
USER 65532:65532
VOLUME ["/var/lib/trc-engage"]
# It shows whether the store is healthy, and restarts nothing. Kubernetes does not use it.
HEALTHCHECK --interval=5m --timeout=30s --start-period=20m --retries=3 CMD ["trc-engage", "status"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["trc-engage"]
CMD ["daemon"]
