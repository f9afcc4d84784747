BEGIN TRANSACTION;
CREATE TABLE batches (
    batch integer primary key autoincrement,
    run_id text not null,
    vendor text not null,
    account text not null,
    entity text not null,
    mode text not null,
    status text not null check (status in ('RUNNING', 'COMPLETE', 'FAILED', 'ABANDONED')),
    started_at text not null,
    finished_at text,
    window_since text,
    window_after text,
    cursor_after text,
    pages integer not null default 0,
    records_received integer not null default 0,
    records_landed integer not null default 0,
    records_unchanged integer not null default 0,
    declared_count integer,
    error text
);
INSERT INTO "batches" VALUES(1,'0ee9c83c-c776-49e1-9da5-90ad5fc85a26','mirakl','BRICO','offers','snapshot','COMPLETE','2026-07-03T08:00:00.000000Z','2026-07-03T08:00:00.000000Z',NULL,NULL,NULL,1,1,1,0,1,NULL);
INSERT INTO "batches" VALUES(2,'0ee9c83c-c776-49e1-9da5-90ad5fc85a26','mirakl','BRICO','transaction_lines','cursor','COMPLETE','2026-07-03T08:00:00.000000Z','2026-07-03T08:00:00.000000Z',NULL,NULL,'2026-07-01T10:00:00Z',2,4,4,0,4,NULL);
INSERT INTO "batches" VALUES(3,'7b035ef9-ec4c-4638-877d-bdcf039c2503','mirakl','BRICO','offers','snapshot','COMPLETE','2026-07-03T08:00:00.000000Z','2026-07-03T08:00:00.000000Z',NULL,NULL,NULL,1,1,0,1,1,NULL);
INSERT INTO "batches" VALUES(4,'7b035ef9-ec4c-4638-877d-bdcf039c2503','mirakl','BRICO','transaction_lines','cursor','COMPLETE','2026-07-03T08:00:00.000000Z','2026-07-03T08:00:00.000000Z','2026-07-01T09:00:00.000000Z',NULL,'2026-07-01T10:00:00Z',2,4,0,4,4,NULL);
CREATE TABLE cursors (
    vendor text not null,
    account text not null,
    entity text not null,
    cursor text not null,
    batch integer not null,
    primary key (vendor, account, entity)
);
INSERT INTO "cursors" VALUES('mirakl','BRICO','transaction_lines','2026-07-01T10:00:00Z',4);
CREATE TABLE files (
    path text primary key,
    batch integer not null references batches,
    number integer not null,
    record_count integer not null,
    byte_count integer not null,
    sha256 text not null,
    declared_count integer,
    url text not null,
    http_status integer not null,
    fetched_at text not null,
    landed_at text not null
);
INSERT INTO "files" VALUES('landing/mirakl/BRICO/offers/2026-07-03/0000000001-000001.json.zst',1,1,1,73,'f8b7e08bdcab98674ace9aa540cfcdd58486b7d068d6ae47516a09ad15282985',1,'https://vendor.example/offers?page=1',200,'2026-07-03T08:00:00.000000Z','2026-07-03T08:00:00.000000Z');
INSERT INTO "files" VALUES('landing/mirakl/BRICO/transaction_lines/2026-07-03/0000000002-000001.json.zst',2,1,3,565,'419f68245e617d7b058439f435570db89b2ff20154cccec38fdf0e907f797336',4,'https://vendor.example/transaction_lines?page=1',200,'2026-07-03T08:00:00.000000Z','2026-07-03T08:00:00.000000Z');
INSERT INTO "files" VALUES('landing/mirakl/BRICO/transaction_lines/2026-07-03/0000000002-000002.json.zst',2,2,1,195,'ae9011b440af39ff9f9dd09586be0353fe72fa8dea9fc23ac9636c0fd7982a26',4,'https://vendor.example/transaction_lines?page=2',200,'2026-07-03T08:00:00.000000Z','2026-07-03T08:00:00.000000Z');
CREATE TABLE read_ids (
    vendor text not null,
    account text not null,
    entity text not null,
    id text not null,
    version text not null,
    batch integer not null,
    primary key (vendor, account, entity, id)
) without rowid;
CREATE TABLE record_hashes (
    path text primary key references files,
    hashes blob not null
);
INSERT INTO "record_hashes" VALUES('landing/mirakl/BRICO/offers/2026-07-03/0000000001-000001.json.zst',X'0EA6725B820D0748');
INSERT INTO "record_hashes" VALUES('landing/mirakl/BRICO/transaction_lines/2026-07-03/0000000002-000001.json.zst',X'D9A52D2F8493530EF7BFF31BD8997189D3F13049FD926DB6');
INSERT INTO "record_hashes" VALUES('landing/mirakl/BRICO/transaction_lines/2026-07-03/0000000002-000002.json.zst',X'3D2A9F0AC2113C0C');
CREATE TABLE seen (
    vendor text not null,
    account text not null,
    entity text not null,
    batch integer not null,
    number integer not null,
    cursor text,
    hashes blob not null,
    primary key (vendor, account, entity, batch, number)
);
INSERT INTO "seen" VALUES('mirakl','BRICO','transaction_lines',2,1,'2026-07-01T10:00:00.000000Z',X'D9A52D2F8493530EF7BFF31BD8997189D3F13049FD926DB6');
INSERT INTO "seen" VALUES('mirakl','BRICO','transaction_lines',2,2,'2026-07-01T10:00:00.000000Z',X'3D2A9F0AC2113C0C');
INSERT INTO "seen" VALUES('mirakl','BRICO','offers',3,1,NULL,X'ADE36B9162CED76D121CFCC9D4D005E5');
CREATE TABLE warned (
    warning text primary key,
    told_at text not null
);
CREATE INDEX ix_batches_feed on batches (vendor, account, entity, batch);
CREATE INDEX ix_files_batch on files (batch, number);
CREATE INDEX ix_read_ids_batch on read_ids (batch);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('batches',4);
COMMIT;
