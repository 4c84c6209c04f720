"""The HTTP door: the app, the request boundary, who is calling, errors as JSON, and the OpenAPI document."""
