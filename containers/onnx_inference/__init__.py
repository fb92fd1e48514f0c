"""Serves ONNX models over HTTP, as SageMaker asks of a container."""
