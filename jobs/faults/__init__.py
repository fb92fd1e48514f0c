"""The fault model in pipelines: the seven commands of a tabular workload, for histories of cycles."""
