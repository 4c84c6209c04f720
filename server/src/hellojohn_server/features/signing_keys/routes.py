"""The published keys: /.well-known/jwks.json."""

from hellojohn_server.features.signing_keys.schemas import JsonWebKeySet
from hellojohn_server.features.signing_keys.service import SigningKeyService
from hellojohn_server.kit.rate_limits import Limit
from hellojohn_server.kit.routing import PUBLIC, Answer, Method, route


class SigningKeyRoutes:
    """What verifiers need."""

    def __init__(self, signing_keys: SigningKeyService) -> None:
        self._signing_keys = signing_keys

    @route(Method.GET, "/.well-known/jwks.json", credentials=PUBLIC, limit=Limit.READS)
    async def get_key_set(self) -> Answer[JsonWebKeySet]:
        """Get the keys that access tokens are verified with.

        A JSON Web Key Set (RFC 7517). Keep it for up to an hour, and fetch it anew when a token names another key.
        """
        return Answer(await self._signing_keys.key_set(), max_age=900)
