"""How Sightline gets into an AWS account: one description, three routes. Never packaged."""
