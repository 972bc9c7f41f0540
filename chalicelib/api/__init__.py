"""How it is asked: request parsing, answers, problems, cursors, OpenAPI, older routes."""
