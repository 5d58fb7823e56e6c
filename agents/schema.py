"""The tables of the journal."""

SCHEMA_VERSION = 6
SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS stages (name TEXT PRIMARY KEY, result TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS clocks (process TEXT PRIMARY KEY, seconds REAL NOT NULL);
CREATE TABLE IF NOT EXISTS bundles (hash TEXT PRIMARY KEY, bundle TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS attempts (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    worker INTEGER NOT NULL,
    operator TEXT NOT NULL,
    slot INTEGER NOT NULL,
    parents TEXT NOT NULL,
    seed INTEGER NOT NULL,
    status TEXT NOT NULL,
    bundle TEXT REFERENCES bundles(hash),
    title TEXT NOT NULL DEFAULT '',
    params TEXT,
    detail TEXT NOT NULL DEFAULT '{}',
    repairs INTEGER NOT NULL DEFAULT 0,
    mean REAL,
    standard_error REAL,
    lesson TEXT NOT NULL DEFAULT '',
    failure TEXT NOT NULL DEFAULT '',
    finished_at REAL,
    branch TEXT NOT NULL DEFAULT '',
    code TEXT NOT NULL DEFAULT '',
    edit TEXT NOT NULL DEFAULT '',
    reward REAL
);
CREATE INDEX IF NOT EXISTS attempts_by_status ON attempts(status, mean);
CREATE INDEX IF NOT EXISTS attempts_by_parents ON attempts(parents, operator, status);
CREATE INDEX IF NOT EXISTS attempts_by_operator ON attempts(operator, status);
CREATE INDEX IF NOT EXISTS attempts_by_branch ON attempts(branch, status, mean, number, reward)
    WHERE branch != '';
CREATE INDEX IF NOT EXISTS attempts_by_code ON attempts(code) WHERE code != '';
CREATE TABLE IF NOT EXISTS mends (
    attempt TEXT NOT NULL,
    number INTEGER NOT NULL,
    before TEXT NOT NULL,
    code TEXT NOT NULL,
    failure TEXT NOT NULL,
    after TEXT NOT NULL,
    PRIMARY KEY (attempt, number)
);
CREATE TABLE IF NOT EXISTS refusals (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    attempt TEXT NOT NULL,
    operator TEXT NOT NULL,
    parents TEXT NOT NULL,
    like_attempt TEXT NOT NULL,
    title TEXT NOT NULL,
    failure TEXT NOT NULL,
    UNIQUE (kind, attempt, like_attempt, title, failure)
);
CREATE INDEX IF NOT EXISTS refusals_by_parents ON refusals(parents, operator);
CREATE TABLE IF NOT EXISTS executions (
    attempt TEXT NOT NULL,
    phase TEXT NOT NULL,
    fold INTEGER NOT NULL,
    ok INTEGER NOT NULL,
    report BLOB NOT NULL,
    score REAL,
    outputs TEXT NOT NULL,
    seal BLOB NOT NULL,
    PRIMARY KEY (attempt, phase, fold)
);
CREATE TABLE IF NOT EXISTS calls (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    started_at REAL NOT NULL,
    purpose TEXT NOT NULL,
    attempt TEXT NOT NULL,
    model TEXT NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    cached_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    reasoning_tokens INTEGER NOT NULL,
    seconds REAL NOT NULL,
    first_token_seconds REAL,
    money REAL NOT NULL,
    retries INTEGER NOT NULL,
    finish TEXT NOT NULL,
    error TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS calls_by_attempt ON calls(attempt);
CREATE TABLE IF NOT EXISTS violations (
    attempt TEXT NOT NULL,
    what TEXT NOT NULL,
    why TEXT NOT NULL,
    low INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (attempt, what, why, low)
);
CREATE TABLE IF NOT EXISTS connections (
    attempt TEXT NOT NULL,
    host TEXT NOT NULL,
    port INTEGER NOT NULL,
    refused TEXT NOT NULL,
    count INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    PRIMARY KEY (attempt, host, port, refused)
);
"""
