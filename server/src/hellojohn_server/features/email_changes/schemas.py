"""What a change of one's own address takes and answers."""

import msgspec

from hellojohn_server.features.auth.schemas import GivenPassword
from hellojohn_server.features.users.schemas import Email


class ChangeEmailBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The new address, and the password that holds."""

    email: Email
    current_password: GivenPassword


class EmailChangeBody(msgspec.Struct, frozen=True):
    """The same for every address: whether somebody has it is said to nobody."""

    accepted: bool = True
