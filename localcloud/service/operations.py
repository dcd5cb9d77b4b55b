"""The API operations that a service implements, by name; the modules that implement them register themselves."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

from botocore.model import OperationModel

from localcloud.service.errors import ServiceError

Account = TypeVar("Account")
Handler = Callable[[Account, dict[str, Any]], dict[str, Any] | None]
"""(the account's cloud, the checked request) to the answer's body."""


class Operations(Generic[Account]):
    """The operations of the service that people call `title`; `model` finds one in its service model, or refuses.

    Attributes:
        handlers: the implementations, by the operation's name.
    """

    def __init__(self, title: str, model: Callable[[str], OperationModel]) -> None:
        self._title = title
        self._model = model
        self.handlers: dict[str, Handler[Account]] = {}

    def operation(self, name: str) -> Callable[[Handler[Account]], Handler[Account]]:
        """Register a function as the implementation of an API operation."""

        def register(function: Handler[Account]) -> Handler[Account]:
            self._model(name)
            self.handlers[name] = function
            return function

        return register

    def implemented(self) -> list[str]:
        """The names of all implemented operations."""
        return sorted(self.handlers)

    def handler(self, name: str) -> Handler[Account]:
        """The implementation of an operation.

        Raises:
            ServiceError: the service has no such operation, or the local one does not implement it.
        """
        self._model(name)
        if name not in self.handlers:
            raise ServiceError(
                "NotImplementedException",
                f"The local {self._title} does not implement {name}. It implements: {', '.join(self.implemented())}.",
                501,
            )
        return self.handlers[name]


def load(package: str, modules: Iterable[str]) -> None:
    """Import every module of `package` that registers operations."""
    for module in modules:
        importlib.import_module(f"{package}.{module}")
