"""Second factors: what a user has, whether a code is right, and the sign-ins that wait for one."""
