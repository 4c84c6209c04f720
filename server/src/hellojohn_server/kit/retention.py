"""How long what is over is still kept: for the features that keep it and the store that finds it across tenants."""

from typing import Final

ENDED_SESSION_MS: Final = 7 * 86_400_000
"""How long a session is still shown after it would have expired."""
PENDING_FACTOR_MS: Final = 3_600_000
"""How long a second factor that was begun waits to be confirmed."""
RECYCLE_BIN_MS: Final = 30 * 86_400_000
"""How long a user is in the recycle bin before being erased."""
