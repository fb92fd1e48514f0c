"""SageMaker pipelines: definitions, and executions whose jobs are those of the other engines."""
