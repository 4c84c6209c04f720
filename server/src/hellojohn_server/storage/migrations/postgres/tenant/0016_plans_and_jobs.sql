-- What an act on many users would do. status: preparing, ready, failed. parameters: those that name nobody; sealed_request: the
-- query, the filters, the reason and metadata, NULL once it is over. place: how far a plan that is being prepared has come.
-- due_at: when somebody may go on with it (NULL: nothing is left to do), and until then it is holder's.
CREATE TABLE plans (
    tenant_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    parameters TEXT COLLATE "C" NOT NULL,
    sealed_request BYTEA,
    key_id TEXT COLLATE "C" NOT NULL,
    manages BOOLEAN NOT NULL,
    matched BIGINT NOT NULL,
    users BIGINT NOT NULL,
    excluded TEXT COLLATE "C" NOT NULL,
    hash TEXT COLLATE "C",
    place TEXT COLLATE "C",
    error TEXT COLLATE "C",
    job_id TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    due_at BIGINT,
    holder TEXT COLLATE "C",
    purge_at BIGINT,
    CONSTRAINT plans_id_key UNIQUE (tenant_id, id)
);
CREATE INDEX plans_due_at ON plans (due_at, tenant_id) WHERE due_at IS NOT NULL;
CREATE INDEX plans_purge_at ON plans (purge_at, tenant_id) WHERE purge_at IS NOT NULL;

-- The users of a plan. excluded: why the plan leaves one out (some examples of each reason are kept); NULL: it does not.
CREATE TABLE plan_users (
    tenant_id TEXT COLLATE "C" NOT NULL,
    plan_id TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    excluded TEXT COLLATE "C",
    CONSTRAINT plan_users_plan_id_user_id_key UNIQUE (tenant_id, plan_id, user_id)
);
CREATE INDEX plan_users_user ON plan_users (tenant_id, user_id);
CREATE INDEX plan_users_excluded ON plan_users (tenant_id, plan_id, excluded, user_id) WHERE excluded IS NOT NULL;

-- What does a plan, or undoes what a job did (undo_of). origin: the request that started it. place: the last user it came to.
CREATE TABLE jobs (
    tenant_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    stop_reason TEXT COLLATE "C",
    action TEXT COLLATE "C" NOT NULL,
    parameters TEXT COLLATE "C" NOT NULL,
    sealed_request BYTEA,
    plan_id TEXT COLLATE "C",
    undo_of TEXT COLLATE "C",
    key_id TEXT COLLATE "C" NOT NULL,
    origin TEXT COLLATE "C" NOT NULL,
    users BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    unchanged BIGINT NOT NULL,
    skipped BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    sessions_revoked BIGINT NOT NULL,
    place TEXT COLLATE "C" NOT NULL,
    attempts BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    ended_at BIGINT,
    due_at BIGINT,
    holder TEXT COLLATE "C",
    purge_at BIGINT,
    CONSTRAINT jobs_id_key UNIQUE (tenant_id, id)
);
CREATE INDEX jobs_due_at ON jobs (due_at, tenant_id) WHERE due_at IS NOT NULL;
CREATE INDEX jobs_purge_at ON jobs (purge_at, tenant_id) WHERE purge_at IS NOT NULL;
CREATE INDEX jobs_status ON jobs (tenant_id, status, id);
CREATE INDEX jobs_undo_of ON jobs (tenant_id, undo_of) WHERE undo_of IS NOT NULL;

-- What a job did to each user it came to. version: the user's after the change; was: what an undo needs of before.
CREATE TABLE job_users (
    tenant_id TEXT COLLATE "C" NOT NULL,
    job_id TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    outcome TEXT COLLATE "C" NOT NULL,
    code TEXT COLLATE "C",
    version BIGINT,
    was TEXT COLLATE "C",
    CONSTRAINT job_users_job_id_user_id_key UNIQUE (tenant_id, job_id, user_id)
);
CREATE INDEX job_users_user ON job_users (tenant_id, user_id);
CREATE INDEX job_users_failed ON job_users (tenant_id, job_id, user_id) WHERE outcome = 'failed';
