BEGIN TRANSACTION;
CREATE TABLE acceptances (
	repository VARCHAR(32) NOT NULL, 
	"plan" VARCHAR(64) NOT NULL, 
	run VARCHAR(26) NOT NULL, 
	at VARCHAR(40) NOT NULL, 
	UNIQUE (repository, "plan")
);
INSERT INTO "acceptances" VALUES('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','site','02','2026-11-22T12:00:00+00:00');
CREATE TABLE clients (
	id VARCHAR(32) NOT NULL, 
	name VARCHAR(64) NOT NULL, 
	created_at VARCHAR(40) NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (name)
);
INSERT INTO "clients" VALUES('cccccccccccccccccccccccccccccccc','acme','2026-11-22T12:00:00+00:00');
CREATE TABLE host_key_pins (
	id INTEGER NOT NULL, 
	stack_id VARCHAR(32) NOT NULL, 
	server VARCHAR(64) NOT NULL, 
	incarnation VARCHAR(32) NOT NULL, 
	old_key VARCHAR(200) NOT NULL, 
	new_key VARCHAR(200) NOT NULL, 
	run VARCHAR(26) NOT NULL, 
	actor VARCHAR(200) NOT NULL, 
	at VARCHAR(40) NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE ledger_version (
	version INTEGER NOT NULL, 
	PRIMARY KEY (version)
);
INSERT INTO "ledger_version" VALUES(3);
CREATE TABLE receipts (
	repository VARCHAR(32) NOT NULL, 
	snapshot VARCHAR(64) NOT NULL, 
	arrived_at VARCHAR(40) NOT NULL, 
	bytes INTEGER NOT NULL, 
	stack VARCHAR(128) NOT NULL, 
	run VARCHAR(26) NOT NULL, 
	UNIQUE (repository, snapshot)
);
INSERT INTO "receipts" VALUES('rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr','5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','2026-11-22T12:04:00+00:00',10,'acme-demo','01');
CREATE TABLE rotations (
	number INTEGER NOT NULL, 
	run VARCHAR(26) NOT NULL, 
	stack VARCHAR(128) NOT NULL, 
	kind VARCHAR(32) NOT NULL, 
	subject VARCHAR(128) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	at VARCHAR(40) NOT NULL, 
	PRIMARY KEY (number)
);
INSERT INTO "rotations" VALUES(1,'02','acme-demo','ssh','acme-demo','finished','2026-11-22T12:04:00+00:00');
CREATE TABLE runs (
	id VARCHAR(26) NOT NULL, 
	verb VARCHAR(32) NOT NULL, 
	stack VARCHAR(128) NOT NULL, 
	started_at VARCHAR(40) NOT NULL, 
	started_monotonic_seconds FLOAT NOT NULL, 
	boot_id VARCHAR(40) NOT NULL, 
	ended_at VARCHAR(40), 
	exit_code INTEGER, 
	PRIMARY KEY (id)
);
INSERT INTO "runs" VALUES('01','up','acme-demo','2026-11-22T12:00:00+00:00',5.0,'boot','2026-11-22T12:05:00+00:00',0);
INSERT INTO "runs" VALUES('02','up','acme-demo','2026-11-22T12:00:00+00:00',5.0,'boot','2026-11-22T12:05:00+00:00',3);
CREATE TABLE stacks (
	id VARCHAR(32) NOT NULL, 
	name VARCHAR(128) NOT NULL, 
	client_id VARCHAR(32) NOT NULL, 
	created_at VARCHAR(40) NOT NULL, 
	ended_at VARCHAR(40), 
	PRIMARY KEY (id), 
	FOREIGN KEY(client_id) REFERENCES clients (id)
);
INSERT INTO "stacks" VALUES('55555555555555555555555555555555','acme-demo','cccccccccccccccccccccccccccccccc','2026-11-22T12:00:00+00:00',NULL);
CREATE INDEX ix_runs_stack ON runs (stack);
CREATE UNIQUE INDEX one_living_stack_a_name ON stacks (name) WHERE ended_at IS NULL;
CREATE INDEX ix_stacks_name ON stacks (name);
CREATE INDEX ix_rotations_stack ON rotations (stack);
CREATE INDEX ix_host_key_pins_stack_id ON host_key_pins (stack_id);
COMMIT;
