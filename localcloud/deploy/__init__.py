from localcloud.deploy.registry import supported

__all__ = ["supported"]
