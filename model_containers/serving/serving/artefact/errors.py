"""What is wrong with a model's files."""


class ArtefactError(Exception):
    """The model's files cannot be served: some are missing, or they are not those that were approved."""
