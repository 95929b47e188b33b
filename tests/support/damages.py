"""All damage that the doctor must find, each done to `sound_store`."""

from .damage import Damage, by_hand, cut, overwritten

DAMAGES = (
    Damage("an entry removed", "DELETE FROM entries WHERE position = 9", "order", "the number of entries"),
    Damage(
        "the last entry removed", "DELETE FROM entries WHERE kind = 'rebase'", "order", "the last position ever given"
    ),
    Damage(
        "the last entry removed, and the count with it",
        "DELETE FROM entries WHERE kind = 'rebase'; "
        "UPDATE sqlite_sequence SET seq = (SELECT max(position) FROM entries) WHERE name = 'entries'",
        "account",
        "its baseline",
    ),
    Damage(
        "a gain removed, and the gap closed",
        "DELETE FROM entries WHERE position = GAIN; UPDATE entries SET position = position - 1 "
        "WHERE position > GAIN AND position > 60; UPDATE sqlite_sequence SET seq = seq - 1 WHERE name = 'entries'",
        "run",
        "the sum of its entries",
    ),
    Damage(
        "an entry inserted",
        "INSERT INTO entries SELECT NULL, kind, member_id, source, points, day, at, silent, account_id, xp_before, "
        "xp_after, baseline_before, baseline_after, NULL, NULL, NULL, NULL, NULL, 1 FROM entries WHERE position = GAIN",
        "chain",
        "the XP before it",
    ),
    Damage("more points for a gain", "UPDATE entries SET points = 9 WHERE position = GAIN", "entry", "the amount"),
    Damage(
        "more points for an award", "UPDATE entries SET points = 99 WHERE position = AWARD", "balance", "member 'bo'"
    ),
    Damage("an award that takes", "UPDATE entries SET points = -1 WHERE position = AWARD", "entry", "more than 0"),
    Damage("an award for Discord", "UPDATE entries SET source = 'discord' WHERE position = AWARD", "entry", "source"),
    Damage("an award without a key", "UPDATE entries SET key = NULL WHERE position = AWARD", "entry", "the key"),
    Damage("an award on another day", "UPDATE entries SET day = '2026-03-01' WHERE position = AWARD", "entry", "day"),
    Damage("a silent gain", "UPDATE entries SET silent = 1 WHERE position = GAIN", "entry", "expected loud"),
    Damage("a gain of another kind", "UPDATE entries SET kind = 'rebase' WHERE position = GAIN", "entry", "rebase"),
    Damage("a gain that hangs in the air", "UPDATE entries SET xp_before = 7 WHERE position = GAIN", "chain", "XP"),
    Damage(
        "a gain of somebody else", "UPDATE entries SET member_id = 'bo' WHERE position = GAIN", "chain", "member 'bo'"
    ),
    Damage("a gain of nobody", "UPDATE entries SET member_id = 'zoe' WHERE position = GAIN", "entry", "'zoe'"),
    Damage("an unknown kind", "UPDATE entries SET kind = 'gift' WHERE position = GAIN", "unreadable", "'gift'"),
    Damage(
        "an instant in another way",
        "UPDATE entries SET at = replace(at, '+00:00', 'Z') WHERE position = GAIN",
        "unreadable",
        "an instant such as",
    ),
    Damage("a day that is none", "UPDATE entries SET day = '2026-02-30' WHERE position = GAIN", "unreadable", "day"),
    Damage(
        "a text that is none",
        "UPDATE entries SET source = CAST(x'ff' AS TEXT) WHERE position = AWARD",
        "unreadable",
        "source",
    ),
    Damage("half an XP change", "UPDATE entries SET xp_after = NULL WHERE position = GAIN", "unreadable", "half"),
    Damage("a reversal of less", "UPDATE entries SET points = -4 WHERE kind = 'reversal'", "reversal", "the amount"),
    Damage("a reversal of nothing", "UPDATE entries SET reverses = 1 WHERE kind = 'reversal'", "reversal", "no award"),
    Damage("a rule of keys taken away", "DROP INDEX entries_of_a_member", "schema", "index entries_of_a_member"),
    Damage(
        "XP raised",
        "UPDATE discord_activity SET xp_total = xp_total + 400, xp_high = xp_high + 400 WHERE account_id = 1",
        "account",
        "floor",
    ),
    Damage(
        "a baseline moved", "UPDATE discord_activity SET xp_baseline = 990 WHERE account_id = 1", "account", "account 1"
    ),
    Damage("XP posted", "UPDATE discord_activity SET xp_posted = 1 WHERE account_id = 1", "account", "last entry"),
    Damage("a high that is none", "UPDATE discord_activity SET xp_high = 0 WHERE account_id = 1", "account", "higher"),
    Damage(
        "a version turned back", "UPDATE discord_activity SET version = 1 WHERE account_id = 1", "account", "version"
    ),
    Damage(
        "opened and not",
        "UPDATE discord_activity SET next_reading = 'opens' WHERE account_id = 1",
        "account",
        "account 1",
    ),
    Damage(
        "tracked and waiting",
        "UPDATE discord_activity SET status = 'waiting' WHERE account_id = 1",
        "account",
        "account 1",
    ),
    Damage("an account removed", "DELETE FROM discord_activity WHERE account_id = 1", "account", "unknown"),
    Damage("a balance changed", "UPDATE balances SET points = 7 WHERE member_id = 'bo'", "balance", "member 'bo'"),
    Damage("a balance removed", "DELETE FROM balances WHERE member_id = 'bo'", "balance", "is 0, expected"),
    Damage("a balance of nobody", "INSERT INTO balances VALUES ('zoe', 'benchmark', 5)", "balance", "'zoe'"),
    Damage(
        "a balance of a month changed",
        "UPDATE monthly_balances SET points = 7 WHERE member_id = 'bo'",
        "balance",
        "member 'bo': the balance of 2026-03 is 7, expected",
    ),
    Damage(
        "a balance of a month removed",
        "DELETE FROM monthly_balances WHERE member_id = 'bo'",
        "balance",
        "the balance of 2026-03 is 0, expected",
    ),
    Damage(
        "a balance of a month to come",
        "INSERT INTO monthly_balances VALUES ('2026-04-01', 'bo', 5)",
        "balance",
        "the balance of 2026-04 is 5, expected 0",
    ),
    Damage(
        "a balance of no month", "INSERT INTO monthly_balances VALUES ('soon', 'bo', 5)", "balance", "balance of soon"
    ),
    Damage("the balances of months dropped", "DROP TABLE monthly_balances", "unreadable", "monthly_balances"),
    Damage("a word of a name removed", "DELETE FROM name_words WHERE member_id = 'bo'", "name", "member 'bo'"),
    Damage("a word of a forgotten name", "INSERT INTO name_words VALUES ('fay', 'fay')", "name", "member 'fay'"),
    Damage("a word of nobody's name", "INSERT INTO name_words VALUES ('zoe', 'zoe')", "name", "member 'zoe'"),
    Damage("the words of names dropped", "DROP TABLE name_words", "unreadable", "name_words"),
    Damage("a streak changed", "UPDATE streaks SET length = 1 WHERE member_id = 'bo'", "streak", "member 'bo'"),
    Damage("a longest streak changed", "UPDATE streaks SET longest = 99 WHERE member_id = 'bo'", "streak", "99"),
    Damage("a streak removed", "DELETE FROM streaks WHERE member_id = 'bo'", "streak", "none (longest 0)"),
    Damage("a streak garbled", "UPDATE streaks SET last = 'soon' WHERE member_id = 'bo'", "streak", "'soon'"),
    Damage(
        "unlinked and not", "UPDATE discord_activity SET unlinked_at = NULL WHERE member_id = 'fay'", "link", "instant"
    ),
    Damage(
        "linked twice",
        "DROP INDEX one_account_for_a_discord_id; "
        "UPDATE discord_activity SET discord_id = (SELECT discord_id FROM discord_activity WHERE account_id = 1) "
        "WHERE account_id = 2",
        "link",
        "account 1 has it",
    ),
    Damage(
        "a Discord id that is none",
        "UPDATE discord_activity SET discord_id = 'Ada#1' WHERE account_id = 1",
        "link",
        "no Discord id",
    ),
    Damage("a forgotten name", "UPDATE members SET name = 'Fay' WHERE member_id = 'fay'", "member", "'fay'"),
    Damage(
        "a forgotten Discord id",
        "UPDATE discord_activity SET discord_id = '123' WHERE member_id = 'fay'",
        "link",
        "somebody forgotten",
    ),
    Damage("a member removed", "DELETE FROM members WHERE member_id = 'bo'", "link", "unknown"),
    Damage(
        "an enrollment garbled", "UPDATE members SET enrolled_at = 'x' WHERE member_id = 'bo'", "unreadable", "members"
    ),
    Damage(
        "a window turned round",
        "UPDATE discord_days SET opens_at = '2026-03-20T00:00:00.000000+00:00' WHERE RISE",
        "evidence",
        "opens before it closes",
    ),
    Damage(
        "a day outside its window",
        "UPDATE discord_days SET day = '2026-02-05' WHERE RISE",
        "evidence",
        "counts for that day",
    ),
    Damage(
        "evidence of somebody else",
        "UPDATE discord_days SET member_id = 'bo' WHERE RISE",
        "evidence",
        "another, expected its own",
    ),
    Damage("evidence removed", "DELETE FROM discord_days WHERE RISE", "evidence", "missing"),
    Damage(
        "a window of no sync",
        "UPDATE discord_days SET closes_at = '2026-03-05T23:00:00.000000+00:00' WHERE RISE",
        "evidence",
        "their sync",
    ),
    Damage(
        "a window garbled", "UPDATE discord_days SET closes_at = 'late' WHERE account_id = 1", "unreadable", "'late'"
    ),
    Damage("a settled day taken out", "DELETE FROM settled_days WHERE day = '2026-03-05'", "calendar", "2026-03-06"),
    Damage(
        "a day settled too early",
        "UPDATE settled_days SET settled_at = '2026-03-05T09:00:00.000000+00:00' WHERE day = '2026-03-05'",
        "calendar",
        "settled at",
    ),
    Damage(
        "a Sunday excused",
        "INSERT INTO excusals (day, is_excused, reason, at, actor) SELECT '2026-03-08', 1, 'x', at, 'x' FROM excusals",
        "calendar",
        "Sunday",
    ),
    Damage("an excusal garbled", "UPDATE excusals SET day = 'Christmas'", "calendar", "'Christmas'"),
    Damage(
        "syncs that go back", "UPDATE runs SET at = '2026-03-01T00:00:00.000000+00:00' WHERE run_id = 9", "run", "9"
    ),
    Damage("a sync that says more", "UPDATE runs SET points = points + 1 WHERE run_id = 9", "run", "the sum of"),
    Damage("a failure without a reason", "UPDATE runs SET outcome = 'failed' WHERE run_id = 9", "run", "went wrong"),
    Damage(
        "a board that nobody adopted",
        "UPDATE runs SET board_id = 'mee6:1' WHERE run_id = 9",
        "run",
        "run 9: its board is 'mee6:1', expected ''",
    ),
    Damage(
        "an adoption by nobody",
        "UPDATE runs SET decision = 'adopt_board' WHERE run_id = 9",
        "run",
        "actor or the reason",
    ),
    Damage("a decision garbled", "UPDATE runs SET decision = 'trust' WHERE run_id = 9", "run", "'trust'"),
    Damage("an award that was decided on", "UPDATE entries SET reason = 'x' WHERE position = AWARD", "entry", "reason"),
    Damage(
        "a wait that nobody asked for",
        "INSERT INTO waits VALUES ('mee6:1', 'blocked', '2026-03-02T09:07:00.000000+00:00')",
        "run",
        "wait of board mee6:1",
    ),
    Damage("a wait garbled", "INSERT INTO waits VALUES ('', 'blocked', 'later')", "run", "'later'"),
    Damage(
        "a slot between slots",
        "INSERT INTO slots VALUES ('2026-03-02T09:07:00.000000+00:00', 'synced', '2026-03-02T09:07:00.000000+00:00')",
        "slot",
        "a quarter of an hour",
    ),
    Damage(
        "a failure that no run tells of",
        "INSERT INTO failure_runs VALUES ('sync', 'any', 3, '2026-03-02T09:00:00.000000+00:00', 'down', 'no answer')",
        "run",
        "failures in a row: what is kept of them",
    ),
    Damage(
        "failures that are kept no more",
        "INSERT INTO runs (task, outcome, at, trouble, message, counts) "
        "VALUES ('sync', 'failed', '2026-03-20T09:00:00.000000+00:00', 'clock', 'no', 1)",
        "run",
        "urgent failures in a row: what is kept of them",
    ),
    Damage(
        "a notice under way garbled",
        "INSERT INTO sent_notices VALUES ('log', 'source', false, 'alert', 'then', '2026-03-02T09:00:00.000000+00:00')",
        "notice",
        "'then'",
    ),
    Damage(
        "a channel garbled",
        "INSERT INTO channels VALUES ('webhook', 'f', 'once', NULL, 'deleted')",
        "notice",
        "'once'",
    ),
    Damage("a request garbled", "INSERT INTO requests VALUES ('run', 'soon')", "notice", "'soon'"),
    Damage("a notice garbled", "UPDATE sent_notices SET since = 'then'", "notice", "'then'"),
    Damage("a lease without an end", "UPDATE leases SET until = 'never'", "lease", "'never'"),
    Damage("a lease of nobody", "UPDATE leases SET owner = 'me'", "lease", "host:process:token"),
    Damage("a version of the future", "PRAGMA user_version = 999", "file", "user_version is 999"),
    Damage("a file of another program", "PRAGMA application_id = 1", "file", "application_id"),
    Damage(
        "a trigger removed", by_hand("DROP TRIGGER entries_are_never_changed"), "schema", "entries_are_never_changed"
    ),
    Damage("a table of somebody else", "CREATE TABLE theirs (id INTEGER)", "schema", "expected none"),
    Damage(
        "a rule taken out",
        by_hand(
            "UPDATE sqlite_schema SET sql = replace(sql, ' CHECK (xp_total >= 0)', '') WHERE name = 'discord_activity'"
        ),
        "schema",
        "another",
    ),
    Damage("a table dropped", "DROP TABLE balances", "unreadable", "no such table"),
    Damage(
        "an index that is another's",
        by_hand(
            "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema "
            "WHERE name = 'accounts_of_a_member') WHERE name = 'awards_of_a_member'"
        ),
        "integrity",
        "SQLite's own check",
    ),
    Damage("a page of rubbish", overwritten("entries", 0, b"\xa5" * 512), "integrity", "malformed"),
    Damage(
        "a bit flipped in an index",
        # Longer than a cell, so that a cell's length is overwritten wherever it is.
        overwritten("entries_of_a_member", 4_000, b"\x00\xff\x7f" * 4),
        "integrity",
        "malformed",
    ),
    Damage("a file cut off", cut, "integrity", "malformed"),
    Damage(
        "a count turned back", "UPDATE sqlite_sequence SET seq = 3 WHERE name = 'entries'", "order", "ever given is 3"
    ),
)
