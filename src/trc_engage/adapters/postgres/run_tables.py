"""The part of the fourth migration that is the run book's: failures in a row, notices, channels, requests."""

from ..sql.failures import FROM_RUNS

RUNS = f"""
CREATE TABLE failure_runs (
    scope TEXT COLLATE "C" PRIMARY KEY CHECK (scope IN ('any', 'urgent')),
    failures BIGINT NOT NULL CHECK (failures > 0),
    since TIMESTAMPTZ NOT NULL,
    trouble TEXT NOT NULL,
    message TEXT NOT NULL
);
INSERT INTO failure_runs (scope, failures, since, trouble, message) {FROM_RUNS};

CREATE TABLE notices_begun (
    channel TEXT COLLATE "C" NOT NULL,
    topic TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('alert', 'reminder', 'all_clear')),
    since TIMESTAMPTZ NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (channel, topic)
);

CREATE TABLE channels (
    channel TEXT COLLATE "C" NOT NULL,
    fingerprint TEXT COLLATE "C" NOT NULL,
    dead_since TIMESTAMPTZ,
    not_before TIMESTAMPTZ,
    why TEXT NOT NULL,
    PRIMARY KEY (channel, fingerprint)
);

CREATE TABLE requests (
    task TEXT COLLATE "C" PRIMARY KEY,
    next_at TIMESTAMPTZ NOT NULL
);
"""
