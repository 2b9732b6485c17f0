"""Training by PyTorch alone: autograd and `torch.optim.Adam`, as anybody would write it, for many sets at once.

The reference that the compiled kernels are held to, what computes where they are not wanted, and the way to keep an
accelerator busy: a step of all trainings is one batched product per layer, and the rows of all lie on the device.
Every training has its own rows, order of rows and noise, so its numbers are those of a training alone, up to rounding.
"""

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spectra_core.contracts import Arrays
from spectra_core.training.parameters import to_tensor, torch_dtype
from spectra_core.training.training import Figures, Floats, Training


class AutogradEngine:
    """Trainings of one `kind`.

    Parameters
    ----------
    trainings
        One or more.
    device
        Torch's name of where parameters and rows lie.
    """

    def __init__(self, trainings: Sequence[Training], device: str) -> None:
        self._trainings, self._device = trainings, device
        self._dtype = torch_dtype(trainings[0].dtype)
        self._batch_size = max(one.batch_size for one in trainings)
        self._n_rows = [one.n_rows for one in trainings]
        self._tables = [
            torch.cat([to_tensor(rows, self._dtype) for rows in tables]).to(device)
            for tables in zip(*(one.tables for one in trainings), strict=True)
        ]
        starts = [one.start() for one in trainings]
        stacked = {name: np.stack([start[name] for start in starts]) for name in starts[0]}
        self.values = {
            name: to_tensor(array, self._dtype).to(device).requires_grad_() for name, array in stacked.items()
        }
        self._adam = torch.optim.Adam(self.values.values(), fused=True)
        self._counts, self._shares = self._weigh_rows()

    @property
    def identity(self) -> tuple[object, ...]:
        """What a checkpoint must have been made by."""
        return "autograd", self._device, *(one.plan for one in self._trainings)

    def epoch(self, epoch: int, orders: Sequence[NDArray[np.int64]], rates: Sequence[float]) -> Figures:
        """Do as many steps of an epoch as there are rates.

        Parameters
        ----------
        orders
            Rows of all steps, one batch after the other, per training.

        Returns
        -------
        ndarray (n_trainings, n_parts)
            Parts of the loss, summed over the rows seen.
        """
        rows, noise = self._in_order(orders), self._noise(epoch)
        total = torch.zeros(self._shares.shape[:2], dtype=self._dtype, device=self._device)
        for number, rate in enumerate(rates):
            batch = slice(number * self._batch_size, (number + 1) * self._batch_size)
            self._adam.zero_grad()
            with torch.enable_grad():
                parts = self._parts(rows[:, batch], None if noise is None else noise[:, batch])
                (parts * self._shares[:, :, batch]).sum().backward()  # type: ignore[no-untyped-call]  # torch's
            self._adam.param_groups[0]["lr"] = rate
            self._adam.step()
            total += (parts.detach() * self._counts[:, :, batch]).sum(dim=2)
        return total.double().cpu().numpy()

    def finite(self) -> NDArray[np.bool_]:
        """Return of every training whether all its parameters are finite."""
        each = [torch.isfinite(value.detach()).flatten(1).all(dim=1) for value in self.values.values()]
        return np.asarray(torch.stack(each).all(dim=0).cpu().numpy(), dtype=np.bool_)

    def parameters(self, number: int) -> dict[str, Tensor]:
        """Return the parameters of one training, as a stack of one."""
        return {name: value.detach()[number : number + 1] for name, value in self.values.items()}

    def arrays(self, number: int) -> dict[str, Floats]:
        """Return a copy of the parameters of one training."""
        return {name: value[0].cpu().numpy().copy() for name, value in self.parameters(number).items()}

    def state(self) -> Arrays:
        """Return parameters and the optimiser's moments, for a checkpoint."""
        kept = {f"parameters.{name}": value.detach().cpu().numpy().copy() for name, value in self.values.items()}
        for number, moments in self._adam.state_dict()["state"].items():
            kept |= {f"adam.{number}.{name}": value.cpu().numpy().copy() for name, value in moments.items()}
        return kept

    def restore(self, kept: Arrays, n_steps: int) -> None:
        """Go on from `state`."""
        with torch.no_grad():
            for name, value in self.values.items():
                value.copy_(torch.from_numpy(kept[f"parameters.{name}"]))
        moments: dict[int, dict[str, Tensor]] = {}
        for name, array in kept.items():
            if name.startswith("adam."):
                _, number, part = name.split(".")
                moments.setdefault(int(number), {})[part] = torch.from_numpy(array)
        self._adam.load_state_dict({**self._adam.state_dict(), "state": moments})

    def _weigh_rows(self) -> tuple[Tensor, Tensor]:
        """Return which rows of an epoch count, and the weight of each part of their loss.

        (n_trainings, 1 or n_parts, n_rows) each. Folds differ by a row or so: the last batch of a shorter one is filled
        up with rows that do not count.
        """
        places = np.arange(max(self._n_rows))
        counts = (places < np.array(self._n_rows)[:, None]).astype(np.float64)
        begins = np.arange(0, len(places), self._batch_size)
        in_batch = np.add.reduceat(counts, begins, axis=1)[:, places // self._batch_size]
        weights = np.array([one.part_weights for one in self._trainings])[:, :, None]
        both = counts[:, None], weights * (counts / np.maximum(in_batch, 1.0))[:, None]
        counting, shares = (to_tensor(values, self._dtype).to(self._device) for values in both)
        return counting, shares

    def _in_order(self, orders: Sequence[NDArray[np.int64]]) -> Tensor:
        """Return the rows of an epoch in the tables that hold the rows of all trainings, (n_trainings, n_rows)."""
        offsets = [0, *accumulate(self._n_rows)]
        table = np.repeat(np.array(offsets[:-1])[:, None], max(self._n_rows), axis=1)
        for own, order in zip(table, orders, strict=True):
            own[: len(order)] += order
        return torch.from_numpy(table).to(self._device)

    def _noise(self, epoch: int) -> Tensor | None:
        drawn = [one.noise(epoch) for one in self._trainings]
        there = [one for one in drawn if one is not None]
        return torch.nn.utils.rnn.pad_sequence(there, batch_first=True).to(self._device) if there else None

    def _parts(self, rows: Tensor, noise: Tensor | None) -> Tensor:
        seen = tuple(table[rows.flatten()].view(*rows.shape, -1) for table in self._tables)
        return self._trainings[0].parts(self.values, seen, noise)
