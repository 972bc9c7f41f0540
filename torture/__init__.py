"""What Sightline is put through, and what is promised of it then: ``make torture``; see docs/torture.md.

Each part is a module with ``run(seed, scale)``, which gives :data:`~torture.figures.Figures`; never packaged.
"""
