"""The schema for every database: a template that each fills with its own types and options."""

from collections.abc import Mapping, Sequence

FIRST = """
CREATE TABLE members (
    member_id {id} PRIMARY KEY,
    name TEXT,
    enrolled_at {instant} NOT NULL,
    is_hidden {flag} NOT NULL DEFAULT false CHECK (is_hidden IN (false, true)),
    is_forgotten {flag} NOT NULL DEFAULT false CHECK (is_forgotten IN (false, true)),
    version {whole} NOT NULL,
    CHECK (NOT is_forgotten OR name IS NULL)
){by_key};
CREATE INDEX members_by_enrollment ON members (enrolled_at);

CREATE TABLE name_words (
    word {id} NOT NULL,
    member_id {id} NOT NULL,
    PRIMARY KEY (word, member_id)
){by_key};
CREATE INDEX words_of_a_member ON name_words (member_id, word);

CREATE TABLE discord_activity (
    account_id {number},
    version {whole} NOT NULL DEFAULT 1,
    member_id {id} NOT NULL REFERENCES members,
    discord_id {id} NOT NULL,
    status {id} NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'tracked', 'absent', 'left', 'unlinked')),
    next_reading {id} NOT NULL DEFAULT 'opens'
        CHECK (next_reading IN ('opens', 'begins', 'continues', 'returns', 'rebases')),
    xp_baseline {whole} NOT NULL DEFAULT 0,
    xp_total {whole} NOT NULL DEFAULT 0 CHECK (xp_total >= 0),
    xp_high {whole} NOT NULL DEFAULT 0,
    xp_posted {whole} NOT NULL DEFAULT 0,
    window_from {instant},
    rose_at {instant},
    linked_at {instant} NOT NULL,
    unlinked_at {instant}
){by_number_changing};
CREATE UNIQUE INDEX one_account_for_a_member ON discord_activity (member_id) WHERE unlinked_at IS NULL;
CREATE UNIQUE INDEX one_account_for_a_discord_id ON discord_activity (discord_id) WHERE unlinked_at IS NULL;
CREATE INDEX accounts_of_a_member ON discord_activity (member_id, account_id);
CREATE INDEX accounts_that_left ON discord_activity (member_id) WHERE status = 'left';

CREATE TABLE entries (
    position {number},
    kind {id} NOT NULL CHECK (kind IN (
        'opening', 'gain', 'deduction', 'rebase', 'award', 'reversal', 'adjustment'
    )),
    member_id {id} NOT NULL REFERENCES members,
    source {id} NOT NULL,
    points {whole} NOT NULL,
    day {day} NOT NULL,
    at {instant} NOT NULL,
    silent {flag} NOT NULL CHECK (silent IN (false, true)),
    account_id {whole} REFERENCES discord_activity,
    xp_before {whole},
    xp_after {whole},
    baseline_before {whole},
    baseline_after {whole},
    key {id} UNIQUE,
    reason TEXT,
    actor TEXT,
    reverses {whole} UNIQUE REFERENCES entries,
    booked_at {instant},
    counts_as_activity {flag} NOT NULL DEFAULT true CHECK (counts_as_activity IN (false, true))
){by_number};
CREATE INDEX entries_of_a_member ON entries (member_id, position);
CREATE INDEX awards_of_a_member ON entries (member_id, day) WHERE kind = 'award';
CREATE INDEX evidence_by_hand_of_a_day ON entries (day, kind, member_id, counts_as_activity)
    WHERE kind IN ('award', 'reversal');
{entries_are_append_only}

CREATE TABLE membership_events (
    number {number},
    member_id {id} NOT NULL REFERENCES members,
    kind {id} NOT NULL CHECK (kind IN (
        'enrolled', 'linked', 'unlinked', 'left', 'returned', 'never_left', 'hidden', 'shown', 'forgotten'
    )),
    at {instant} NOT NULL,
    actor TEXT,
    reason TEXT,
    note TEXT,
    account_id {whole} REFERENCES discord_activity,
    next_reading {id},
    window_from {instant}
){by_number};
CREATE INDEX events_of_a_member ON membership_events (member_id, number);
{events_are_append_only}

CREATE TABLE balances (
    member_id {id} NOT NULL REFERENCES members,
    source {id} NOT NULL,
    points {whole} NOT NULL,
    PRIMARY KEY (member_id, source)
){by_key_changing};

CREATE TABLE monthly_balances (
    month {day} NOT NULL,
    member_id {id} NOT NULL,
    points {whole} NOT NULL,
    PRIMARY KEY (month, member_id)
){by_key};
CREATE VIEW points_by_month AS SELECT {month_of_day} AS month, member_id, points FROM entries;

CREATE TABLE discord_days (
    day {day} NOT NULL,
    member_id {id} NOT NULL,
    account_id {whole} NOT NULL REFERENCES discord_activity,
    opens_at {instant} NOT NULL,
    closes_at {instant} NOT NULL,
    PRIMARY KEY (day, member_id, account_id)
){by_key};

CREATE TABLE readings (
    day {day} NOT NULL,
    account_id {whole} NOT NULL REFERENCES discord_activity,
    xp {whole} NOT NULL,
    PRIMARY KEY (day, account_id)
){by_key};

CREATE TABLE streaks (
    member_id {id} PRIMARY KEY REFERENCES members,
    version {whole} NOT NULL,
    last {day},
    length {whole} NOT NULL,
    longest {whole} NOT NULL CHECK (longest >= length)
){by_key_changing};

CREATE TABLE streak_changes (
    number {number},
    member_id {id} NOT NULL REFERENCES members,
    current_before {whole} NOT NULL,
    current_after {whole} NOT NULL,
    longest_before {whole} NOT NULL,
    longest_after {whole} NOT NULL,
    cause {id} NOT NULL CHECK (cause IN (
        'award', 'reversal', 'window', 'excused', 'required', 'never_left', 'repair'
    )),
    day {day},
    at {instant} NOT NULL,
    entry {whole} REFERENCES entries
){by_number};
CREATE INDEX changes_of_a_streak ON streak_changes (member_id, number);

CREATE TABLE lengths_reached (
    number {number},
    member_id {id} NOT NULL REFERENCES members,
    length {whole} NOT NULL,
    at {instant} NOT NULL,
    UNIQUE (member_id, length)
){by_number};

CREATE TABLE settled_days (
    day {day} PRIMARY KEY,
    settled_at {instant} NOT NULL
){by_key};

CREATE TABLE excusals (
    number {number},
    day {day} NOT NULL,
    is_excused {flag} NOT NULL CHECK (is_excused IN (false, true)),
    at {instant} NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT,
    note TEXT,
    member_id {id} REFERENCES members
){by_number};
CREATE INDEX excusals_of_a_member ON excusals (member_id, number);
CREATE INDEX excusals_of_a_day ON excusals (day, number);

CREATE TABLE runs (
    run_id {number},
    task {id} NOT NULL CHECK (task IN ('sync')),
    outcome {id} NOT NULL CHECK (outcome IN ('synced', 'failed', 'undone')),
    at {instant} NOT NULL,
    opened {whole}, gained {whole}, deducted {whole}, rebased {whole},
    unchanged {whole}, absent {whole}, missed {whole},
    points {whole}, pages {whole}, board_rows {whole}, whole {flag} CHECK (whole IN (false, true)),
    trouble TEXT, message TEXT, counts {flag} CHECK (counts IN (false, true)), retry_at {instant},
    board_id {id}, decision {id} CHECK (decision IN ('accept_drops', 'rebase_drops', 'adopt_board')),
    actor TEXT, reason TEXT
){by_number};
CREATE INDEX good_runs_by_time ON runs (at) WHERE outcome = 'synced';
CREATE INDEX good_runs ON runs (run_id) WHERE outcome = 'synced';
CREATE INDEX boards_read_to_their_end ON runs (run_id) WHERE whole;
CREATE INDEX runs_of_named_boards ON runs (run_id) WHERE outcome <> 'failed' AND board_id IS NOT NULL;

CREATE TABLE clock_decisions (
    number {number},
    kind {id} NOT NULL CHECK (kind IN ('confirmed', 'repaired')),
    at {instant} NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT NOT NULL,
    position {whole} NOT NULL
){by_number};

CREATE TABLE waits (
    board_id {id} PRIMARY KEY,
    trouble {id} NOT NULL,
    until {instant} NOT NULL
){by_key};

CREATE TABLE failure_runs (
    task {id} NOT NULL CHECK (task IN ('sync', 'roster')),
    scope {id} NOT NULL CHECK (scope IN ('any', 'urgent')),
    failures {whole} NOT NULL CHECK (failures > 0),
    since {instant} NOT NULL,
    trouble TEXT NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (task, scope)
){by_key};

CREATE TABLE roster_checks (
    account_id {whole} PRIMARY KEY REFERENCES discord_activity,
    guild_id {id} NOT NULL,
    asked_at {instant} NOT NULL,
    present_at {instant},
    joined_at {instant},
    gone_at {instant},
    confirmed_at {instant},
    contradicts {flag} NOT NULL CHECK (contradicts IN (false, true))
){by_key_changing};

CREATE TABLE slots (
    slot {instant} PRIMARY KEY,
    outcome {id} NOT NULL CHECK (outcome IN ('synced', 'failed', 'waiting')),
    at {instant} NOT NULL
){by_key};

CREATE TABLE leases (
    task {id} PRIMARY KEY,
    owner TEXT NOT NULL,
    taken_at {instant} NOT NULL,
    until {instant} NOT NULL
){by_key};

CREATE TABLE requests (
    task {id} PRIMARY KEY,
    next_at {instant} NOT NULL
){by_key};

CREATE TABLE sent_notices (
    channel {id} NOT NULL,
    topic {id} NOT NULL,
    is_sure {flag} NOT NULL CHECK (is_sure IN (false, true)),
    kind {id} NOT NULL CHECK (kind IN ('alert', 'reminder', 'all_clear')),
    since {instant} NOT NULL,
    at {instant} NOT NULL,
    PRIMARY KEY (channel, topic, is_sure)
){by_key};

CREATE TABLE channels (
    channel {id} NOT NULL,
    fingerprint {id} NOT NULL,
    dead_since {instant},
    not_before {instant},
    why TEXT NOT NULL,
    PRIMARY KEY (channel, fingerprint)
){by_key};
{more_indexes}
"""

STAGED_MOVES = """
account_id {whole}, version {whole}, member_id {id}, status {id}, next_reading {id}, xp_baseline {whole},
xp_total {whole}, xp_high {whole}, window_from {instant}, rose_at {instant}, kind {id}, xp_before {whole},
baseline_before {whole}, silent {flag}, points {whole}, day {day}, month {day}, window_number {whole}
"""
STAGED_WINDOWS = "window_number {whole}, day {day}, opens_at {instant}, closes_at {instant}"
"""The columns of the temporary tables for a posting's moves and the days of their windows."""

MIGRATIONS = (FIRST,)
"""A released migration never changes: append a new one instead."""
SCHEMA_VERSION = len(MIGRATIONS)


def scripts(words: Mapping[str, str]) -> Sequence[str]:
    """Return the migrations with a database's types and options filled in."""
    return [script.format_map(words) for script in MIGRATIONS]
