"""A device that is not there: tensors say they lie on it, are computed on the CPU, and refuse what a GPU refuses.

    with Elsewhere():
        model.to(NAME).gaze(video.to(NAME), ratio=0.1)

Most faults that only a GPU shows are tensors of two devices in one operation, or results left where nobody looks for
them. This finds those on any machine. What a GPU rounds otherwise, or runs out of, it does not.
"""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

NAME = "meta"
"""Torch's own device without storage, which it asks no driver for."""
MIXING = ("aten._to_copy", "aten.copy_", "aten._local_scalar_dense")
INDEXING = ("aten.index.", "aten.index_put")


class There(Tensor):
    """A tensor elsewhere; `here` holds its values on the CPU."""

    here: Tensor

    @staticmethod
    def __new__(cls, here: Tensor) -> "There":
        it: There = Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls, here.shape, here.stride(), here.storage_offset(), dtype=here.dtype, device=NAME
        )
        it.here = here
        return it

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(
        cls, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        return run(func, args, kwargs or {})

    def data_ptr(self) -> int:
        return self.here.data_ptr()

    def tolist(self) -> Any:
        return self.here.tolist()

    def numpy(self, **_: Any) -> Any:
        raise TypeError("can't convert a tensor elsewhere to numpy; copy it to the CPU first")

    def __repr__(self, **_: Any) -> str:
        return f"There({self.here!r})"


class Draws(torch.Generator):
    """A generator anywhere draws here."""

    def __new__(cls, device: Any = "cpu") -> "Draws":
        return super().__new__(cls, "cpu")


class Elsewhere(TorchDispatchMode):
    """Tensors made on the device while this lasts are there. Torch knows no autocast and no generator for it."""

    def __enter__(self) -> Any:
        self._patch = pytest.MonkeyPatch()
        asked, region, made = torch.is_autocast_enabled, torch.autocast, torch.tensor
        self._patch.setattr(torch, "Generator", Draws)
        self._patch.setattr(torch, "is_autocast_enabled", lambda *kind: kind != (NAME,) and asked(*kind))
        self._patch.setattr(
            torch, "autocast", lambda kind, *a, **k: nullcontext() if kind == NAME else region(kind, *a, **k)
        )
        # Torch makes it without storage, and asks nobody.
        self._patch.setattr(torch, "tensor", lambda data, device="cpu", **k: made(data, **k).to(device))
        return super().__enter__()

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self._patch.undo()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        return run(func, args, kwargs or {})


def run(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """One operation, on the CPU's copies; what comes out lies where a GPU would have it."""
    name = str(func)
    given = [x for x in tree_flatten((args, kwargs))[0] if isinstance(x, Tensor)]
    there = [x for x in given if isinstance(x, There)]
    asked = kwargs.get("device")
    if there and not name.startswith(MIXING):
        loose = [x for x in given if not isinstance(x, There) and x.ndim]
        if name.startswith(INDEXING) and isinstance(args[0], There):
            loose = [x for x in loose if x is args[-1] and not isinstance(args[-1], Sequence)]
        if loose:
            raise RuntimeError(f"{name}: tensors on {NAME} and on cpu, {[tuple(x.shape) for x in loose]}")
        if "_aa" in name and there[0].dtype == torch.uint8:
            raise NotImplementedError(f"{name}: not for uint8 on a GPU")
    own = {id(x.here): x for x in there}
    args, kwargs = tree_map(lambda x: x.here if isinstance(x, There) else x, (tuple(args), dict(kwargs)))
    if asked is not None:
        kwargs["device"] = "cpu"
    kwargs.pop("pin_memory", None)
    out = func(*args, **kwargs)
    stays = bool(there) if asked is None else torch.device(asked).type == NAME
    if name.startswith("aten.copy_"):
        return own.get(id(out), out)

    def place(x: Any) -> Any:
        if not isinstance(x, Tensor) or not stays:
            return x.clone() if isinstance(x, Tensor) and id(x) in own else x
        return own[id(x)] if id(x) in own else There(x)

    return tree_map(place, out)
