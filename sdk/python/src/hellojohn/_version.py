"""The version, and what the SDK calls itself."""

from typing import Final

__version__ = "0.1.0"

USER_AGENT: Final = f"hellojohn-python/{__version__}"
