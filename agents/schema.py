"""The tables of the journal."""

SCHEMA_VERSION = 4
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
    finished_at REAL
);
CREATE INDEX IF NOT EXISTS attempts_by_status ON attempts(status);
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
