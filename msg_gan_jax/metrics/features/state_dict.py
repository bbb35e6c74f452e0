"""Tensors of a network that others have published, found and checked."""
from collections.abc import Mapping

import numpy as np


class StateDict:
  """Looks tensors up by name, and checks their shapes.

  Args:
    tensors: {name: array}.
    network: its name, with which errors begin.
    file: what was wanted, for an error that says so.
    dtype: of what is returned.
  """

  def __init__(self, tensors: Mapping[str, np.ndarray], network: str,
               file: str, dtype: type = np.float32) -> None:
    self._tensors, self._dtype = tensors, dtype
    self._network, self._file = network, file

  def __contains__(self, name: str) -> bool:
    return name in self._tensors

  def __call__(self, name: str, shape: tuple[int | None, ...]) -> np.ndarray:
    """A tensor of a shape, in which None stands for any size.

    Raises:
      ValueError: it is missing, or has another shape.
    """
    if name not in self._tensors:
      raise ValueError(
          f'{self._network}: no tensor {name!r} among {len(self._tensors)}; '
          f'wanted {self._file}.')
    tensor: np.ndarray = np.asarray(self._tensors[name], self._dtype)
    if len(shape) != tensor.ndim or any(
        wanted not in (None, size)
        for size, wanted in zip(tensor.shape, shape, strict=True)):
      sizes = ', '.join('any' if x is None else str(x) for x in shape)
      raise ValueError(
          f'{self._network}: {name} has the shape {list(tensor.shape)}; wanted '
          f'[{sizes}].')
    return tensor

  def dense(self, name: str, inputs: int,
            outputs: int | None = None) -> dict[str, np.ndarray]:
    """{'kernel': [inputs, outputs], 'bias': [outputs]} of a torch Linear."""
    weight = self(f'{name}.weight', (outputs, inputs))
    return {'kernel': weight.T, 'bias': self(f'{name}.bias', (len(weight),))}

  def norm(self, name: str, width: int) -> dict[str, np.ndarray]:
    """{'scale': [width], 'bias': [width]} of a torch LayerNorm."""
    return {'scale': self(f'{name}.weight', (width,)),
            'bias': self(f'{name}.bias', (width,))}
