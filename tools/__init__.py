"""What a person or CI runs on this repository; no part of what is installed."""
