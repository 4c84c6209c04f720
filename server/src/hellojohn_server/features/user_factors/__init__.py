"""What is done to second factors: by users to their own, and by administrators."""
