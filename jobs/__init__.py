"""Programs that run elsewhere: each reads its arguments once, in ``main``."""
