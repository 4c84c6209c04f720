"""What an access token is worth: judged by the store at each request."""
