"""The evaluation program: what a model's warnings would have been worth, beside what others' are."""
