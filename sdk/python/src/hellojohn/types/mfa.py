"""The types of `mfa`."""

from typing import Literal, TypeAlias

EnrollableType: TypeAlias = Literal["totp"]
"""The kinds of second factor that can be begun for somebody else."""
