"""The door out: Celery tasks. For now housekeeping; pulling from and pushing to peers comes with federation."""
