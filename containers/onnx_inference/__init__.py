"""The SageMaker inference container for any ONNX model; its README.md says what it serves."""
