"""Jobs: a plan that is run, or undone, beside the server and in steps, with a line for each user."""
