-- The last change: what every writing transaction takes first.
CREATE TABLE sequence (
    only   INTEGER PRIMARY KEY CHECK (only = 1),
    number INTEGER NOT NULL,
    tag    INTEGER NOT NULL
) STRICT;
INSERT INTO sequence (only, number, tag) VALUES (1, 0, 0);

CREATE TABLE change (
    number INTEGER PRIMARY KEY,
    tag    INTEGER NOT NULL,
    kind   INTEGER NOT NULL,
    name   TEXT NOT NULL,
    was    BLOB,
    now    BLOB
) STRICT;

CREATE TABLE bundle (
    trust_domain TEXT PRIMARY KEY,
    sequence     INTEGER NOT NULL,
    data         BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- likeness: SHA-256 of SPIFFE ID, parent and selectors.
CREATE TABLE entry (
    ord      INTEGER PRIMARY KEY,
    id       TEXT NOT NULL UNIQUE,
    likeness BLOB NOT NULL UNIQUE,
    revision INTEGER NOT NULL,
    data     BLOB NOT NULL
) STRICT;

CREATE TABLE federates (
    trust_domain TEXT NOT NULL REFERENCES bundle (trust_domain),
    entry        INTEGER NOT NULL REFERENCES entry (ord) ON DELETE CASCADE,
    PRIMARY KEY (trust_domain, entry)
) STRICT, WITHOUT ROWID;
CREATE INDEX federates_entry ON federates (entry);

CREATE TABLE agent (
    ord      INTEGER PRIMARY KEY,
    id       TEXT NOT NULL UNIQUE,
    revision INTEGER NOT NULL,
    data     BLOB NOT NULL
) STRICT;

-- hash: SHA-256 of the value, which is not kept. ends: Unix seconds.
CREATE TABLE join_token (
    hash BLOB PRIMARY KEY,
    ends INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX join_token_ends ON join_token (ends);

CREATE TABLE journal (
    id   TEXT PRIMARY KEY,
    data BLOB NOT NULL
) STRICT;
