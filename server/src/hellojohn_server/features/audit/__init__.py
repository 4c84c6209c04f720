"""The audit log: what happened, who did it, and what it changed; written in the transaction of the change itself."""
