"""The training program: sequences become a transformer that tells faults ahead, exported to ONNX."""
