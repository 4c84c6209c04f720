"""Who may come in, in the terms of web frameworks: the modules `fastapi`, `flask`, `django` and `litestar`."""
