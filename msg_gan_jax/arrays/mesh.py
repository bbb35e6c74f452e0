"""One program on all devices: a mesh of one axis, `data`."""
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P
import numpy as np


def data_mesh(devices: Sequence[jax.Device] | None = None) -> Mesh:
  """All devices, or those given, in one axis `data`.

  The constructor's axes are Auto: XLA places the group statistics of a batch,
  so that n devices compute what one would.
  """
  return Mesh(np.asarray(devices or jax.devices()), ('data',))


def replicated(mesh: Mesh) -> NamedSharding:
  """The sharding of State: the same on every device."""
  return NamedSharding(mesh, P())


def split_rows(mesh: Mesh, axis: int = 0) -> NamedSharding:
  """The sharding of an array whose axis `axis` is the batch."""
  return NamedSharding(mesh, P(*[None] * axis, 'data'))


def connect_all(mesh: Mesh) -> None:
  """Lets all devices of several processes speak once.

  On CPUs the connections are made where they are first used, and each process
  waits for half a minute for the others: they could still be compiling then.
  """
  ones = jax.make_array_from_callback(
      mesh.devices.shape, split_rows(mesh),
      lambda index: np.ones(mesh.devices.shape, np.float32)[index])
  jax.block_until_ready(jax.jit(jnp.sum)(ones))
