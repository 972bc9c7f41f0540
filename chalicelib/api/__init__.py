"""How it is asked: the table of routes, their handlers, requests, answers, problems, OpenAPI, the page."""
