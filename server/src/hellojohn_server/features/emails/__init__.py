"""Mail: written down in the transaction that it belongs to, and sent from there."""
