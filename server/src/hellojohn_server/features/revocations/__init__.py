"""The revocation feed: what verifiers elsewhere are to refuse, without a gap, in every process and on both stores."""
