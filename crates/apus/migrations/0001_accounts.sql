-- Who may ask. Times are Unix seconds.
CREATE TABLE accounts (
    name TEXT NOT NULL PRIMARY KEY,
    -- An argon2id hash in PHC form; NULL where another service checks the password.
    password_hash TEXT,
    created_at INTEGER NOT NULL,
    password_changed_at INTEGER NOT NULL
) STRICT;

CREATE TABLE account_roles (
    account TEXT NOT NULL REFERENCES accounts (name) ON DELETE CASCADE,
    role TEXT NOT NULL,
    PRIMARY KEY (account, role)
) STRICT, WITHOUT ROWID;

-- Keys that the service made for itself.
CREATE TABLE keys (
    name TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
