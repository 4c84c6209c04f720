"""Links that administrators have mailed again, and the addresses that links verify."""
