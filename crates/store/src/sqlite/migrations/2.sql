CREATE TABLE relationship (
    trust_domain TEXT PRIMARY KEY,
    data         BLOB NOT NULL
) STRICT, WITHOUT ROWID;
