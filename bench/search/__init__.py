"""Search and lists at scale: every kind of question through HTTP, beside the unfiltered list page of the same run."""
