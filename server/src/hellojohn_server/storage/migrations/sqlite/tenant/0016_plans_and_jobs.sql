-- What an act on many users would do. status: preparing, ready, failed. parameters: those that name nobody; sealed_request: the
-- query, the filters, the reason and metadata, NULL once it is over. place: how far a plan that is being prepared has come.
-- due_at: when somebody may go on with it (NULL: nothing is left to do), and until then it is holder's.
CREATE TABLE plans (
    seq INTEGER PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL,
    action TEXT NOT NULL,
    parameters TEXT NOT NULL,
    sealed_request BLOB,
    key_id TEXT NOT NULL,
    manages INTEGER NOT NULL,
    matched INTEGER NOT NULL,
    users INTEGER NOT NULL,
    excluded TEXT NOT NULL,
    hash TEXT,
    place TEXT,
    error TEXT,
    job_id TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    due_at INTEGER,
    holder TEXT,
    purge_at INTEGER
);
CREATE INDEX plans_due_at ON plans (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX plans_purge_at ON plans (purge_at) WHERE purge_at IS NOT NULL;

-- The users of a plan. excluded: why the plan leaves one out (some examples of each reason are kept); NULL: it does not.
CREATE TABLE plan_users (
    seq INTEGER PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    plan_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    excluded TEXT,
    UNIQUE (plan_id, user_id)
);
CREATE INDEX plan_users_user ON plan_users (user_id);
CREATE INDEX plan_users_excluded ON plan_users (plan_id, excluded, user_id) WHERE excluded IS NOT NULL;

-- What does a plan, or undoes what a job did (undo_of). origin: the request that started it. place: the last user it came to.
CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL,
    stop_reason TEXT,
    action TEXT NOT NULL,
    parameters TEXT NOT NULL,
    sealed_request BLOB,
    plan_id TEXT,
    undo_of TEXT,
    key_id TEXT NOT NULL,
    origin TEXT NOT NULL,
    users INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    unchanged INTEGER NOT NULL,
    skipped INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    sessions_revoked INTEGER NOT NULL,
    place TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER,
    due_at INTEGER,
    holder TEXT,
    purge_at INTEGER
);
CREATE INDEX jobs_due_at ON jobs (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX jobs_purge_at ON jobs (purge_at) WHERE purge_at IS NOT NULL;
CREATE INDEX jobs_status ON jobs (status, id);
CREATE INDEX jobs_undo_of ON jobs (undo_of) WHERE undo_of IS NOT NULL;

-- What a job did to each user it came to. version: the user's after the change; was: what an undo needs of before.
CREATE TABLE job_users (
    seq INTEGER PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    job_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    outcome TEXT NOT NULL,
    code TEXT,
    version INTEGER,
    was TEXT,
    UNIQUE (job_id, user_id)
);
CREATE INDEX job_users_user ON job_users (user_id);
CREATE INDEX job_users_failed ON job_users (job_id, user_id) WHERE outcome = 'failed';
