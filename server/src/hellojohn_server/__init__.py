"""HelloJohn: an identity service whose heart is the admin plane for users."""

__version__ = "0.1.0"
