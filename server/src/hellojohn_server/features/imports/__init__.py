"""Import of users: files of ours and of other systems, read while they come in, applied in batches, resumable."""
