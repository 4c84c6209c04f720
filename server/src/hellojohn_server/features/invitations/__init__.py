"""Invitations into organizations by mail: a link that is good once, for who is a user already and who is not yet."""
