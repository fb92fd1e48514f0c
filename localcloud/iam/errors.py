"""What can be wrong with a policy or a request, as opposed to merely not allowed."""

from localcloud.errors import LocalCloudError


class InvalidPolicy(LocalCloudError):  # noqa: N818 - like InvalidPattern
    """A policy document says something that cannot be judged here."""


class UnknownAction(LocalCloudError):  # noqa: N818 - named by what it is about
    """A request whose permission is not known: an error, since silence would allow it."""
