"""A run on an accelerator: network, rule and optimiser live there, samples stay where they are and each batch moves.

Samples of a data set are chosen, cut and mirrored on the processor, so that every device sees the same batches.
"""

from functools import partial
from typing import Any, NamedTuple

import torch
from jaxtyping import Int, Shaped
from torch import Tensor, nn

from workbench.data.split import Split
from workbench.training.samples import data_of
from workbench.training.score import Samples


class OnDevice(NamedTuple):
    """Samples whose batches are moved to a device; labels of all samples stay where they were."""

    samples: Samples
    device: torch.device

    @property
    def labels(self) -> Shaped[Tensor, "sample ..."]:
        """y of all samples."""
        return self.samples.labels

    def batch(self, rows: Int[Tensor, "row"]) -> tuple[Shaped[Tensor, "..."], ...]:
        """x, y and, where there are any, lengths of these samples, on the device."""
        return tuple(part.to(self.device) for part in self.samples.batch(rows))


def on_device(setting: Any, device: str | torch.device) -> Any:
    """A `Setting` whose network, rule and batches are on a device; its optimiser must not have stepped yet.

    What a rule carries is moved where it stands in a `functools.partial` or a tuple, as the rules for blocks have it.
    Raises ValueError for a device that is not there, for a setting of another kind, and for an optimiser that stepped.
    """
    place = _there(device)
    if not hasattr(setting, "data") or not isinstance(setting.network, nn.Module):
        raise ValueError(
            f"a {type(setting).__name__} runs on the processor only, got device '{place}'; leave the device out"
        )
    if any(setting.optimizer.state.values()):
        raise ValueError("the optimiser has stepped already; move a setting to its device before it trains")
    setting.network.to(place)  # in place: the optimiser keeps its parameters
    data = data_of(setting.data)
    moved_data = Split(OnDevice(data.train, place), OnDevice(data.test, place))
    return setting._replace(data=moved_data, rule=moved(setting.rule, place))


def _there(device: str | torch.device) -> torch.device:
    try:
        place = torch.device(device)
        torch.empty(0, device=place)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(f"there is no device '{device}' here: {str(error).splitlines()[0]}") from None
    return place


def moved(value: Any, device: torch.device) -> Any:
    """The value with all tensors and modules in partials, tuples, lists and dictionaries on the device.

    >>> rule = moved(partial(max, (torch.zeros(2), 3)), torch.device("meta"))
    >>> rule.args[0][0].device.type
    'meta'
    """
    if isinstance(value, Tensor | nn.Module):
        return value.to(device)
    if isinstance(value, partial):
        keywords = {name: moved(each, device) for name, each in value.keywords.items()}
        return partial(value.func, *(moved(each, device) for each in value.args), **keywords)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(moved(each, device) for each in value))
    if isinstance(value, tuple | list):
        return type(value)(moved(each, device) for each in value)
    if isinstance(value, dict):
        return {name: moved(each, device) for name, each in value.items()}
    return value
