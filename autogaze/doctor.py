"""Does another distribution also own the import name `autogaze`? Two packages of one name shadow each other.

owners_of_import_name()        # ["hlvid"] when all is well
"""

from importlib.metadata import packages_distributions


def owners_of_import_name(name: str = "autogaze") -> list[str]:
    """The installed distributions that provide the top-level package `name`, sorted, each once."""
    return sorted(set(packages_distributions().get(name, [])))
