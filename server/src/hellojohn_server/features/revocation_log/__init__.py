"""What verifiers are to refuse, written in the transaction of the act that stops access. It knows users only by id."""
