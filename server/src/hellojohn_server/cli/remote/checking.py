"""Whether a key is good, asked of the server."""

from hellojohn_server.cli.remote.access import Access, Credential
from hellojohn_server.cli.remote.calls import connected


def check_key(access: Access, kind: Credential) -> str:
    """Return what the server says of a key, in words; CommandFailed when it refuses the key or cannot be reached."""
    with connected(access, kind) as client:
        if kind is Credential.SECRET_KEY:
            key = client.api_keys.current()
            ends = f"until {key.expires_at}" if key.expires_at else "without an end"
            return f"the secret key {key.name} ({key.id}): {' '.join(key.scopes)}, {ends}"
        if kind is Credential.MASTER_KEY:
            tenants = client.tenants.list(limit=1).pagination.total
            return f"a master key of {tenants:,} tenants"
        client.server.health()
        return "a publishable key, which shows whether it is good when it is used"
