"""One program on all devices: a mesh of one axis, `data`."""
import jax
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P
import numpy as np


def data_mesh() -> Mesh:
  """All devices in one axis `data`.

  The constructor's axes are Auto: XLA places the group statistics of a batch,
  so that n devices compute what one would.
  """
  return Mesh(np.asarray(jax.devices()), ('data',))


def replicated(mesh: Mesh) -> NamedSharding:
  """The sharding of State: the same on every device."""
  return NamedSharding(mesh, P())


def split_rows(mesh: Mesh, axis: int = 0) -> NamedSharding:
  """The sharding of an array whose axis `axis` is the batch."""
  return NamedSharding(mesh, P(*[None] * axis, 'data'))
