"""Laws of batches: which picture is shown when, however it is held."""
import socket
import subprocess
import sys

from helpers import ROOT
import jax
import numpy as np
import pytest

from msg_gan_jax.config import schema
from msg_gan_jax.data import batches, order

COUNT = 37  # Prime to every batch below: epochs end in the middle of one.


class Numbered:
  """Pictures that show their own index, left brighter than right."""
  name, shape, classes, notes = 'numbered', (4, 6, 2), ('a', 'b', 'c'), {}

  def __init__(self, count=COUNT, broken=()):
    self.count, self.broken, self.asked = count, broken, []

  def __len__(self):
    return self.count

  def images(self, indices):
    self.asked += list(indices)
    for i in indices:
      if i in self.broken:
        raise ValueError(f'config.data.path: cannot read {i}')
    columns = np.arange(6)[None, None, :, None] * -10
    index = np.asarray(indices)[:, None, None, None]
    return (60 + columns + index + np.zeros((1, 4, 1, 2), int)).astype(np.uint8)

  def labels(self, indices):
    return (np.asarray(indices) % 3).astype(np.int32)

  def factors(self, indices):
    return {}

  def digest(self):
    return '0'


def settings(seed=0, mirror=True, **data):
  config = schema.template()
  config.seed = seed
  config.data.update({'mirror': mirror, 'threads': 2, **data})
  return schema.parse(config)


def mesh():
  """Over as many devices as divide a batch of 8."""
  devices = jax.devices()
  count = max(n for n in (1, 2, 4, 8) if n <= len(devices))
  return jax.sharding.Mesh(np.asarray(devices[:count]), ('data',))


@pytest.fixture
def both():
  """The two kinds, on one set and one mesh."""
  opened = []

  def both(config=None, on=None, source=None):
    source = source or Numbered()
    config = config or settings()
    ways = order.Order(len(source), config.seed, config.data.mirror)
    opened.extend([batches.Resident(source, ways, on),
                   batches.Streamed(source, ways, 2, on)])
    return opened[-2:]
  yield both
  for one in opened:
    one.close()


def assert_same(a, b):
  np.testing.assert_array_equal(a.images, b.images)
  np.testing.assert_array_equal(a.labels, b.labels)
  assert a.images.dtype == b.images.dtype == np.uint8
  assert a.labels.dtype == b.labels.dtype == np.int32


def shown(batch):
  """(indices, flips) of a batch of Numbered pictures, flat."""
  images = np.asarray(batch.images).astype(int).reshape(-1, 4, 6, 2)
  left, right = images[:, 0, 0, 0], images[:, 0, -1, 0]
  assert (np.abs(left - right) == 50).all()
  return np.maximum(left, right) - 60, left < right


# Order.


@pytest.mark.parametrize('shape', [(1, 8), (2, 4), (3, 16), (1, 80)])
def test_every_picture_is_shown_exactly_once_an_epoch(shape, both):
  for kind in both():
    step, seen = shape[0] * shape[1], []
    while len(seen) < 3 * COUNT:
      seen += list(shown(kind.at(len(seen), shape))[0])
    epochs = [seen[e * COUNT:(e + 1) * COUNT] for e in range(3)]
    for epoch in epochs:
      assert sorted(epoch) == list(range(COUNT))
    assert epochs[0] != epochs[1] != epochs[2]
    assert step % COUNT  # Or no epoch ended within a batch.


def test_labels_belong_to_their_pictures(both):
  for kind in both():
    batch = kind.at(30, (2, 8))
    np.testing.assert_array_equal(
        np.asarray(batch.labels).reshape(-1), shown(batch)[0] % 3)


def test_flips_are_half_and_differ_between_epochs_and_seeds():
  numbers = np.arange(40_000)
  flips = order.Order(COUNT, 0, True)(numbers)[1]
  # Four standard deviations of a fair coin: 4 * .5 / sqrt(40000) = .01.
  assert abs(flips.mean() - .5) < .01
  assert abs((flips[1:] == flips[:-1]).mean() - .5) < .01
  other = order.Order(COUNT, 1, True)(numbers)[1]
  assert abs((flips == other).mean() - .5) < .01
  assert not order.Order(COUNT, 0, False)(numbers)[1].any()


def test_order_is_uniform_over_positions():
  first = [order.permutation(8, 3, s)[0] for s in range(8000)]
  # Four standard deviations of 8000 draws at p = 1/8: 4 * 29.6 = 118.
  assert (np.abs(np.bincount(first) - 1000) < 118).all()


def test_order_is_pinned():
  # A change of these numbers breaks the resumption of every run.
  assert order.permutation(8, 0, 1).tolist() == [0, 1, 7, 6, 4, 2, 3, 5]
  # By Python integers, modulo 2^64.
  assert order.bits(1, 2, np.arange(2)).tolist() == [
      15201566595796281265, 16567122129728874927]


def test_seed_changes_the_order_and_the_device_count_does_not(both):
  a, b = both()[0].at(0, (1, 8)), both(settings(seed=1))[0].at(0, (1, 8))
  assert (np.asarray(a.images) != np.asarray(b.images)).any()
  assert_same(a, both(on=mesh())[0].at(0, (1, 8)))


def test_without_mirror_nothing_is_mirrored(both):
  for kind in both(settings(mirror=False)):
    assert not shown(kind.at(0, (4, 16)))[1].any()


# The two kinds.


@pytest.mark.parametrize('on_mesh', [False, True])
def test_resident_equals_streamed_bit_for_bit(on_mesh, both):
  resident, streamed = both(on=mesh() if on_mesh else None)
  for start in (0, 16, 32, 48,  # In a row, over the ends of two epochs.
                200, 216,  # After a jump, as on resumption.
                16):  # And back.
    assert_same(resident.at(start, (2, 8)), streamed.at(start, (2, 8)))
  assert_same(resident.at(32, (1, 8)), streamed.at(32, (1, 8)))
  assert_same(resident.at(40, (1, 24)), streamed.at(40, (1, 24)))


def test_batches_are_cut_from_one_row_of_images(both):
  for kind in both():
    row = np.asarray(kind.at(0, (1, 96)).images)[0]
    for start, shape in ((0, (1, 8)), (8, (4, 8)), (40, (1, 56))):
      got = np.asarray(kind.at(start, shape).images).reshape(-1, 4, 6, 2)
      np.testing.assert_array_equal(got, row[start:start + len(got)])


def test_a_stream_goes_on_where_it_was_and_restarts_after_a_jump(both):
  _, streamed = both()
  streamed.at(0, (1, 8))
  first = streamed._parts
  streamed.at(8, (1, 8))
  assert streamed._parts is first
  streamed.at(16, (3, 8))  # Several steps at once: more has to be ready.
  assert streamed._parts is not first
  first = streamed._parts
  streamed.at(40, (1, 8))
  streamed.at(48, (3, 8))
  assert streamed._parts is first
  streamed.at(80, (1, 8))
  assert streamed._parts is not first


def test_a_stream_reads_two_batches_ahead_and_not_the_set(both):
  source = Numbered(10_000)
  _, streamed = both(source=source)
  source.asked.clear()
  for step in range(4):
    streamed.at(8 * step, (1, 8))
  streamed.close()
  assert len(source.asked) <= 4 * 8 + 2 * 8 + 2 * 2


def test_a_broken_picture_ends_a_stream_with_its_own_text(both):
  source = Numbered()
  _, streamed = both(source=source)
  source.broken = (5,)
  for _ in range(2):  # Asked again, it does not pass the picture over.
    with pytest.raises(ValueError, match=r'config\.data\.path: cannot read 5'):
      for start in range(0, 40, 8):
        streamed.at(start, (1, 8))
  source.broken = ()
  streamed.at(0, (1, 8))


def test_batches_are_split_over_the_mesh(both):
  on = mesh()
  for kind in both(on=on):
    batch = kind.at(0, (2, 8))
    assert batch.images.shape == (2, 8, 4, 6, 2)
    assert batch.labels.shape == (2, 8)
    for array in batch:
      wanted = jax.sharding.NamedSharding(
          on, jax.sharding.PartitionSpec(None, 'data'))
      assert array.sharding.is_equivalent_to(wanted, array.ndim)


def test_what_is_compiled_for_is_what_comes(both):
  on = mesh()
  for kind in both(on=on):
    for array, like in zip(kind.at(0, (2, 8)), batches.batch_like(
        Numbered(), (2, 8), on), strict=True):
      assert (array.shape, array.dtype, array.sharding) == (
          like.shape, like.dtype, like.sharding)


def test_device_gb_decides_who_holds_the_pictures():
  source = Numbered()
  size = COUNT * 4 * 6 * 2 / 1e9
  for device_gb, kind in ((size, batches.Resident),
                          (size * .99, batches.Streamed)):
    opened = batches.open_batches(source, settings(device_gb=device_gb))
    assert type(opened) is kind
    opened.close()


def test_open_batches_follows_the_config():
  source = Numbered()
  a = batches.open_batches(source, settings(seed=3, mirror=False))
  b = batches.open_batches(
      source, settings(seed=3, mirror=False, device_gb=0.))
  assert_same(a.at(30, (1, 16)), b.at(30, (1, 16)))
  indices, flips = shown(a.at(30, (1, 16)))
  np.testing.assert_array_equal(
      indices, order.Order(COUNT, 3, False)(30 + np.arange(16))[0])
  assert not flips.any()
  b.close()


def test_sets_on_the_device_do_without_grain():
  code = ('import sys; from msg_gan_jax.data import batches; '
          "assert 'grain' not in sys.modules")
  subprocess.run([sys.executable, '-c', code], check=True, cwd=ROOT)


# Several devices and processes.


# Two processes of two devices, which lie in the mesh in turns: a process then
# holds no block of rows, and nothing may assume that it does.
CHILD = '''
import sys
import jax
jax.config.update('jax_platforms', 'cpu')
jax.config.update('jax_num_cpu_devices', int(sys.argv[3]))
port, pid, _, count = map(int, sys.argv[1:])
if count > 1:
  jax.distributed.initialize(
      f'127.0.0.1:{port}', num_processes=count, process_id=pid,
      initialization_timeout=60, heartbeat_timeout_seconds=10,
      shutdown_timeout_seconds=10,
      coordinator_bind_address=f'127.0.0.1:{port}')
import numpy as np
sys.path[:0] = ['tests', 'tests/data']
import batches_test as t
from msg_gan_jax.data import batches, order
devices = jax.devices()
for turn in (devices, [devices[i] for i in (0, 2, 1, 3)]):
  mesh = jax.sharding.Mesh(np.asarray(turn), ('data',))
  source = t.Numbered()
  ways = order.Order(len(source), 0, True)
  wanted = batches.Resident(source, ways)
  kinds = [batches.Resident(source, ways, mesh)]
  source = t.Numbered()
  kinds.append(batches.Streamed(source, ways, 2, mesh))
  for kind in kinds:
    for start in (0, 16, 32, 200):
      all_of_it = wanted.at(start, (2, 8))
      got = kind.at(start, (2, 8))
      for whole, part in zip(all_of_it, got):
        assert part.shape == whole.shape
        assert len(part.addressable_shards) == 4 // count
        for shard in part.addressable_shards:
          np.testing.assert_array_equal(
              np.asarray(whole)[shard.index], shard.data)
    kind.close()
  # A process decodes its own rows only: 4 batches of 16, and what was ahead.
  assert len(source.asked) <= (64 + 3 * 32) // count, len(source.asked)
try:
  kinds[0].at(0, (2, 6))
except ValueError as error:
  assert 'config.train.batch: 6' in str(error) and '4 devices' in str(error)
else:
  raise AssertionError('6 images divided among 4 devices')
print('DONE')
'''


@pytest.mark.slow
@pytest.mark.parametrize('processes', [1, 2])
def test_every_process_has_its_own_rows_and_no_others(processes):
  with socket.socket() as free:
    free.bind(('127.0.0.1', 0))
    port = free.getsockname()[1]
  children = [
      subprocess.Popen(
          [sys.executable, '-c', CHILD, str(port), str(i),
           str(4 // processes), str(processes)], cwd=ROOT,
          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
      for i in range(processes)]
  try:
    said = [child.communicate(timeout=120)[0] for child in children]
  finally:
    for child in children:
      child.kill()
      child.wait()
  for child, text in zip(children, said, strict=True):
    assert child.returncode == 0 and 'DONE' in text, text
