"""What a tenant sets for itself: one document of settings, changed over HTTP and read by the features that it rules."""
