"""Learning from tables: rows in, a model, its judgement and its watch out."""
