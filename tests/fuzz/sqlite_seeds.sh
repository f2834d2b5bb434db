#!/usr/bin/env bash
# Makes fuzz/corpus/sqlite anew, databases as rpm has them: sqlite_seeds.sh DIRECTORY (environment as for the tests). Run by
# hand. tests/unit/sqlite_rows_test.cc knows how many rows each has.
set -euo pipefail
. "$VMFS_SOURCE/tests/lib.sh"
need sqlite3
directory=$(realpath "$1")
mkdir -p "$directory"

# As rpm 4.18 makes it.
tables="CREATE TABLE IF NOT EXISTS 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS 'Name' (key 'TEXT' NOT NULL, hnum INTEGER NOT NULL, idx INTEGER NOT NULL,
        FOREIGN KEY (hnum) REFERENCES Packages(hnum));
    CREATE INDEX IF NOT EXISTS Name_key_idx ON Name(key);"

# seed NAME PRAGMA SQL
seed() {
    rm -f "$directory/$1"
    sqlite3 "$directory/$1" "$2; $tables $3" >/dev/null
    [ ! -e "$directory/$1-wal" ] || exit 1
    printf '%s: %d bytes, %s packages\n' "$1" "$(stat -c %s "$directory/$1")" \
        "$(sqlite3 "$directory/$1" 'SELECT count(*) FROM Packages')"
}
# packages COUNT BYTES
packages() {
    printf "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
        INSERT INTO Packages(blob) SELECT zeroblob(%d + i %% 7) FROM n;" "$1" "$2"
}

seed empty 'PRAGMA page_size=512' ''
seed leaf 'PRAGMA page_size=512' "$(packages 5 20)"
seed tree 'PRAGMA page_size=512' "$(packages 1500 2) DELETE FROM Packages WHERE hnum % 3 = 0;"
seed overflow 'PRAGMA page_size=512' "$(packages 12 1200)"
seed wal 'PRAGMA page_size=1024; PRAGMA journal_mode=WAL' "$(packages 40 30)"
seed tables 'PRAGMA page_size=512' "$(for i in $(seq 20); do printf 'CREATE TABLE "Other number %d of a long name" (key TEXT);' "$i"; done; packages 3 3)
    ALTER TABLE Name ADD COLUMN Packages TEXT;"
