"""Who may use the API, and how much: tokens, the rate limit, idempotency keys."""
