BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0003');
CREATE TABLE lane_runs (
	run_id VARCHAR(80) NOT NULL, 
	lane VARCHAR(40) NOT NULL, 
	started_at VARCHAR(27) NOT NULL, 
	ended_at VARCHAR(27), 
	status VARCHAR(12) NOT NULL, 
	seconds VARCHAR(20), 
	summary TEXT NOT NULL, 
	sequence INTEGER NOT NULL, 
	PRIMARY KEY (run_id), 
	UNIQUE (sequence)
);
INSERT INTO "lane_runs" VALUES('stock-893e343e5606','stock','2026-07-03T08:00:00.000000Z','2026-07-03T08:00:00.000000Z','SUCCEEDED','46.5','{"failed":0,"feeds_skipped":0,"problems":[],"proposed":1,"quarantined":0,"records_landed":5,"sent":1,"unknown":0,"verified":1}',1);
CREATE TABLE outbox_actions (
	action_key VARCHAR(300) NOT NULL, 
	kind VARCHAR(40) NOT NULL, 
	vendor VARCHAR(40) NOT NULL, 
	account VARCHAR(80) NOT NULL, 
	marketplace_code VARCHAR(80) NOT NULL, 
	entity_code VARCHAR(80), 
	natural_id VARCHAR(200) NOT NULL, 
	version INTEGER NOT NULL, 
	wire_key VARCHAR(40), 
	amount VARCHAR(40), 
	currency_code VARCHAR(3), 
	payload TEXT NOT NULL, 
	payload_hash VARCHAR(64) NOT NULL, 
	reason TEXT NOT NULL, 
	source_hash VARCHAR(200), 
	state VARCHAR(12) NOT NULL, 
	proposed_by VARCHAR(120) NOT NULL, 
	proposed_at VARCHAR(27) NOT NULL, 
	decided_by VARCHAR(120), 
	decided_at VARCHAR(27), 
	sent_at VARCHAR(27), 
	verified_at VARCHAR(27), 
	attempts INTEGER NOT NULL, 
	vendor_ids TEXT, 
	detail TEXT, 
	is_retryable BOOLEAN NOT NULL, 
	superseded_by VARCHAR(300), 
	PRIMARY KEY (action_key)
);
INSERT INTO "outbox_actions" VALUES('STOCK|BRICO|4|1','STOCK','mirakl','BRICO','BRICO','UKTRADE','4',1,NULL,'49.36','GBP','{"quantity":4}','a90daef73951e193c0b011cd58fbd19bbabdb0a03ee777335b934c6fb10e4953','the total changed','x','VERIFIED','tieout','2026-07-03T08:00:00.000000Z','policy','2026-07-03T08:00:00.000000Z','2026-07-03T08:00:00.000000Z','2026-07-03T08:00:00.000000Z',1,'["1"]','',0,NULL);
CREATE TABLE outbox_audit (
	sequence INTEGER NOT NULL, 
	action_key VARCHAR(300) NOT NULL, 
	from_state VARCHAR(12), 
	to_state VARCHAR(12) NOT NULL, 
	actor VARCHAR(120) NOT NULL, 
	channel VARCHAR(120) NOT NULL, 
	at VARCHAR(27) NOT NULL, 
	why TEXT NOT NULL, 
	"before" TEXT NOT NULL, 
	"after" TEXT NOT NULL, 
	source_hash VARCHAR(200), 
	previous_hash VARCHAR(64) NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	PRIMARY KEY (sequence), 
	UNIQUE (hash)
);
INSERT INTO "outbox_audit" VALUES(1,'STOCK|BRICO|4|1',NULL,'PROPOSED','tieout','lane','2026-07-03T08:00:00.000000Z','the total changed','{}','{"account":"BRICO","action_key":"STOCK|BRICO|4|1","amount":"49.36","attempts":0,"currency_code":"GBP","entity_code":"UKTRADE","is_retryable":false,"kind":"STOCK","marketplace_code":"BRICO","natural_id":"4","payload_hash":"a90daef73951e193c0b011cd58fbd19bbabdb0a03ee777335b934c6fb10e4953","proposed_at":"2026-07-03T08:00:00.000000Z","proposed_by":"tieout","reason":"the total changed","source_hash":"x","state":"PROPOSED","vendor":"mirakl","version":1,"wire_key":null}','x','0000000000000000000000000000000000000000000000000000000000000000','cf563bc7a0ed190fab625bd16acf04eea79f378cc016cf8efbfa2d220b0da0a9');
INSERT INTO "outbox_audit" VALUES(2,'STOCK|BRICO|4|1','PROPOSED','APPROVED','tieout','lane','2026-07-03T08:00:00.000000Z','approved by policy','{"decided_at":null,"decided_by":null,"state":"PROPOSED"}','{"decided_at":"2026-07-03T08:00:00.000000Z","decided_by":"policy","state":"APPROVED"}','x','cf563bc7a0ed190fab625bd16acf04eea79f378cc016cf8efbfa2d220b0da0a9','6c592809205bb1186d725f9ec35147f99078d84a3fb492574fb5a9889a2fb86e');
INSERT INTO "outbox_audit" VALUES(3,'STOCK|BRICO|4|1','APPROVED','SENDING','tieout','lane','2026-07-03T08:00:00.000000Z','delivery begins','{"attempts":0,"state":"APPROVED"}','{"attempts":1,"state":"SENDING"}','x','6c592809205bb1186d725f9ec35147f99078d84a3fb492574fb5a9889a2fb86e','cb3557693c992d512f7abb835e8a19d8adb7064bcf75e89b9d1019eb26e7b237');
INSERT INTO "outbox_audit" VALUES(4,'STOCK|BRICO|4|1','SENDING','SENT','tieout','lane','2026-07-03T08:00:00.000000Z','the vendor''s answer: SENT','{"detail":null,"sent_at":null,"state":"SENDING","vendor_ids":null}','{"detail":"","sent_at":"2026-07-03T08:00:00.000000Z","state":"SENT","vendor_ids":"[\"1\"]"}','x','cb3557693c992d512f7abb835e8a19d8adb7064bcf75e89b9d1019eb26e7b237','d4682c75aa7abf5429cb99229b537e7b9db7033df7746811e2c0b940042090f9');
INSERT INTO "outbox_audit" VALUES(5,'STOCK|BRICO|4|1','SENT','VERIFIED','tieout','lane','2026-07-03T08:00:00.000000Z','read back as wanted','{"detail":"","state":"SENT","vendor_ids":"[\"1\"]","verified_at":null}','{"detail":"","state":"VERIFIED","vendor_ids":"[\"1\"]","verified_at":"2026-07-03T08:00:00.000000Z"}','x','d4682c75aa7abf5429cb99229b537e7b9db7033df7746811e2c0b940042090f9','094ecb9616eea34c6da31afb54f989922316e617f0f2733ac4a82e0868d37174');
CREATE TABLE outbox_close_events (
	close_key VARCHAR(200) NOT NULL, 
	sequence INTEGER NOT NULL, 
	entity_code VARCHAR(80) NOT NULL, 
	period VARCHAR(7) NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	role VARCHAR(20), 
	state VARCHAR(12) NOT NULL, 
	evidence_hash VARCHAR(64), 
	figures TEXT, 
	left_open TEXT, 
	reason TEXT NOT NULL, 
	taken_by VARCHAR(120) NOT NULL, 
	taken_at VARCHAR(27) NOT NULL, 
	ended_by VARCHAR(120), 
	ended_at VARCHAR(27), 
	PRIMARY KEY (close_key), 
	UNIQUE (sequence)
);
CREATE TABLE outbox_decisions (
	decision_key VARCHAR(400) NOT NULL, 
	sequence INTEGER NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	marketplace_code VARCHAR(80) NOT NULL, 
	entity_code VARCHAR(80), 
	subject_type VARCHAR(40) NOT NULL, 
	subject_id VARCHAR(300) NOT NULL, 
	receipt_id VARCHAR(200), 
	residual VARCHAR(20), 
	exception_id VARCHAR(40), 
	exception_code VARCHAR(20), 
	amount VARCHAR(40), 
	currency_code VARCHAR(3), 
	reason TEXT NOT NULL, 
	state VARCHAR(12) NOT NULL, 
	proposed_by VARCHAR(120) NOT NULL, 
	proposed_at VARCHAR(27) NOT NULL, 
	decided_by VARCHAR(120), 
	decided_at VARCHAR(27), 
	PRIMARY KEY (decision_key), 
	UNIQUE (sequence)
);
CREATE INDEX ix_outbox_actions_subject ON outbox_actions (kind, marketplace_code, natural_id);
CREATE INDEX ix_outbox_actions_state ON outbox_actions (state);
CREATE INDEX ix_outbox_actions_wire_key ON outbox_actions (wire_key);
CREATE INDEX ix_outbox_audit_action_key ON outbox_audit (action_key);
CREATE TRIGGER outbox_audit_no_update BEFORE UPDATE ON outbox_audit BEGIN SELECT RAISE(ABORT, 'outbox_audit is append-only'); END;
CREATE TRIGGER outbox_audit_no_delete BEFORE DELETE ON outbox_audit BEGIN SELECT RAISE(ABORT, 'outbox_audit is append-only'); END;
CREATE INDEX ix_outbox_decisions_subject ON outbox_decisions (kind, marketplace_code, subject_id);
CREATE INDEX ix_outbox_close_events_period ON outbox_close_events (entity_code, period);
COMMIT;
