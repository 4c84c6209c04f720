"""Second factors of users, as rows; the operations on them come with MFA itself."""
