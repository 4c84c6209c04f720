"""How long what is over is still kept: for the features that keep it and the store that finds it across tenants."""

from typing import Final

ENDED_SESSION_MS: Final = 7 * 86_400_000
"""How long a session is still shown after it would have expired."""
JOB_MS: Final = 30 * 86_400_000
"""How long a job is kept after its end, with its report."""
IMPORT_MS: Final = 30 * 86_400_000
"""How long an import is still shown after it began, and what was wrong with rows of its file."""
PENDING_FACTOR_MS: Final = 3_600_000
"""How long a second factor that was begun waits to be confirmed."""
PLAN_MS: Final = 86_400_000
"""How long a plan can be run."""
RECYCLE_BIN_MS: Final = 30 * 86_400_000
"""How long a user is in the recycle bin before being erased."""
