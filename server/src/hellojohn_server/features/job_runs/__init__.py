"""Working jobs off: in steps, by any number of processes, through kills and refusals."""
