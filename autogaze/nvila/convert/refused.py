"""Refusing a checkpoint in one line that names its file."""

from collections.abc import Iterator
from contextlib import contextmanager

from autogaze.model.checkpoint import CheckpointError


class RefusedError(CheckpointError):
    """A checkpoint whose files contradict each other, or lack what decides answers."""


@contextmanager
def reading(file: str) -> Iterator[None]:
    """What a value makes fail inside is the file's fault. Raises RefusedError naming it."""
    try:
        yield
    except CheckpointError:
        raise
    except Exception as error:  # a value of another kind: any library's any error
        told = " ".join(str(error).split()) or type(error).__name__
        raise RefusedError(f"{file}: {told}") from error
