"""The keys that access tokens are signed with: one ring for every tenant, in the control store, turned over by `hj`."""
