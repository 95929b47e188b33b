"""The part of the fourth migration that is the run book's: failures in a row, notices, channels, requests."""

from ..sql.failures import FROM_RUNS

RUNS = f"""
CREATE TABLE failure_runs (
    scope TEXT PRIMARY KEY CHECK (scope IN ('any', 'urgent')),
    failures INTEGER NOT NULL CHECK (failures > 0),
    since TEXT NOT NULL,
    trouble TEXT NOT NULL,
    message TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO failure_runs (scope, failures, since, trouble, message) {FROM_RUNS};

CREATE TABLE notices_begun (
    channel TEXT NOT NULL,
    topic TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('alert', 'reminder', 'all_clear')),
    since TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (channel, topic)
) STRICT, WITHOUT ROWID;

CREATE TABLE channels (
    channel TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    dead_since TEXT,
    not_before TEXT,
    why TEXT NOT NULL,
    PRIMARY KEY (channel, fingerprint)
) STRICT, WITHOUT ROWID;

CREATE TABLE requests (
    task TEXT PRIMARY KEY,
    next_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""
