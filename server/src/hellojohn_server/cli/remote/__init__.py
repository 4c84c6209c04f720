"""The commands of `hj` that go over HTTP, on top of the Python SDK."""
