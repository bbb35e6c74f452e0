"""Laws of checkpoints: what comes back is what was saved, or an older one."""
import os
import resource
import shutil
import socket
import subprocess
import sys
import textwrap

from helpers import ROOT
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from msg_gan_jax.gan.state import Player, State
from msg_gan_jax.runs import checkpoints, fingerprints


def _state(seed=0):
  """A State with a leaf of every kind that a run can have."""
  key = jax.random.key(seed)
  params = {'conv': {'kernel': jax.random.normal(key, (3, 3, 4, 8)),
                     'bias': jnp.full(8, .1, jnp.bfloat16)}}
  optimizer = optax.chain(optax.clip(1.), optax.adam(1e-3))
  return State(
      images=jnp.int32(seed), g=Player(params, {}, optimizer.init(params)),
      d=Player({'w': jnp.array([jnp.nan, -0., jnp.inf, seed])}, None, ()),
      ema=jax.tree.map(jnp.copy, params),
      hyper={'rate': jnp.float32(.003)},
      aux=(key, jax.random.split(key, 3), jnp.array([True, False, True]),
           jnp.zeros((0, 4)), jnp.arange(300, dtype=jnp.uint8)))


def _bits(tree):
  """Bytes of every leaf, found without the code under test."""
  def raw(x):
    if jnp.issubdtype(x.dtype, jax.dtypes.prng_key):
      x = jax.random.key_data(x)
    return str(x.dtype), x.shape, np.asarray(x).tobytes()
  return [raw(x) for x in jax.tree.leaves(tree)]


def _saved(path, *steps, keep=9):
  with checkpoints.Checkpoints(path, keep) as c:
    for images in steps:
      assert c.save(images, _state(images))
  return path


def _like(tree):
  return jax.eval_shape(lambda: tree)


def _flip(file, position):
  data = bytearray(file.read_bytes())
  data[position] ^= 0x10
  file.write_bytes(data)


@pytest.fixture(scope='module')
def two(tmp_path_factory):
  """A folder with the steps 1 and 2; tests leave it as it is."""
  return _saved(tmp_path_factory.mktemp('two') / 'checkpoints', 1, 2)


def test_what_comes_back_is_bit_identical_for_every_kind_of_leaf(two):
  images, tree = checkpoints.Checkpoints(two).restore(_like(_state()))
  assert images == 2
  assert _bits(tree) == _bits(_state(2))
  assert jax.tree.structure(tree) == jax.tree.structure(_state(2))
  assert fingerprints.fingerprint(tree) == fingerprints.fingerprint(_state(2))
  assert fingerprints.fingerprint(tree) != fingerprints.fingerprint(_state(1))


def test_no_folder_and_an_empty_one_restore_to_none(tmp_path):
  assert checkpoints.Checkpoints(
      tmp_path / 'none', read_only=True).restore(_state()) is None
  assert not (tmp_path / 'none').exists()
  assert checkpoints.Checkpoints(tmp_path).restore(_state()) is None


@pytest.mark.parametrize('dtype', [
    'float32', 'bfloat16', 'int32', 'uint8', 'bool', 'complex64'])
def test_any_flipped_bit_changes_the_fingerprint(dtype):
  x = np.asarray(jax.random.uniform(jax.random.key(0), (2, 3)) > .5).astype(
      jnp.dtype(dtype))
  seen = {fingerprints.fingerprint(jnp.asarray(x))}
  positions = range(x.nbytes * 8)
  if dtype == 'bool':  # One bit of each byte is all that a bool has.
    positions = positions[::8]
  for bit in positions:
    raw = bytearray(x.tobytes())
    raw[bit // 8] ^= 1 << bit % 8
    y = np.frombuffer(bytes(raw), x.dtype).reshape(x.shape)
    seen.add(fingerprints.fingerprint(jnp.asarray(y)))
  assert len(seen) == len(positions) + 1


def test_constants_permutations_and_shapes_have_other_fingerprints():
  trees = [jnp.zeros(288), jnp.ones(288), jnp.ones((288, 1)), jnp.arange(288.),
           jnp.arange(288.)[::-1], jnp.zeros(288, jnp.int32),
           {'a': jnp.zeros(288)}, {'b': jnp.zeros(288)}, jnp.zeros((0, 288))]
  assert len({fingerprints.fingerprint(x) for x in trees}) == len(trees)


@pytest.mark.slow
def test_a_flipped_byte_in_any_file_is_never_loaded(two):
  # The known-bad input of orbax alone: it loads such data silently.
  like, right, older = _like(_state()), _bits(_state(2)), _bits(_state(1))
  detected = 0
  files = [x for x in (two / '2').rglob('*') if x.is_file()]
  assert len(files) > 8
  for file in files:
    size = file.stat().st_size
    for position in {size // 2, size // 5} if size else ():
      _flip(file, position)
      c = checkpoints.Checkpoints(two, read_only=True)
      images, tree = c.restore(like)
      _flip(file, position)
      assert _bits(tree) == (right if images == 2 else older), file
      assert len(c.passed_over) == (images == 1), file
      detected += images == 1
  assert detected >= 6  # Record, metadata, manifests and data at least.


@pytest.mark.slow
@pytest.mark.parametrize('harm', [
    'truncated', 'no record', 'no state', 'empty', 'no data'])
def test_a_damaged_step_is_moved_aside_and_the_older_one_used(
    two, tmp_path, harm):
  path = shutil.copytree(two, tmp_path / 'checkpoints')
  data = max((path / '2').rglob('d/*'), key=lambda x: x.stat().st_size)
  if harm == 'truncated':
    data.write_bytes(data.read_bytes()[:500])
  elif harm == 'no data':
    data.unlink()
  else:
    for name in {'no record': ['record'], 'no state': ['state'],
                 'empty': os.listdir(path / '2')}[harm]:
      x = path / '2' / name
      x.unlink() if x.is_file() else shutil.rmtree(x)
  c = checkpoints.Checkpoints(path)
  images, tree = c.restore(_like(_state()))
  assert images == 1 and _bits(tree) == _bits(_state(1))
  assert c.steps() == [1]
  assert [x.name[:2] for x in (path / 'damaged').iterdir()] == ['2-']
  assert c.passed_over[0].startswith('checkpoint 2 is damaged: ')
  # The run goes on over the same numbers.
  assert c.save(2, _state(2))
  c.close()
  assert c.steps() == [1, 2]
  assert c.restore(_like(_state()))[0] == 2 and not c.passed_over


@pytest.mark.slow
def test_where_none_is_intact_nothing_is_touched(two, tmp_path):
  path = shutil.copytree(two, tmp_path / 'checkpoints')
  for step in '12':
    (path / step / 'record' / 'metadata').write_text('{}')
  before = sorted(path.rglob('*'))
  with pytest.raises(ValueError, match=r'none of the checkpoints .*\n  2: '):
    checkpoints.Checkpoints(path).restore(_like(_state()))
  assert sorted(path.rglob('*')) == before


def test_a_folder_whose_checkpoints_all_lie_aside_is_not_begun_anew(tmp_path):
  (tmp_path / 'damaged' / '7-20260101-000000-0').mkdir(parents=True)
  with pytest.raises(ValueError, match='no checkpoints in .* 1 in its folder'):
    checkpoints.Checkpoints(tmp_path).restore(_like(_state()))


def test_half_written_leftovers_are_removed(two, tmp_path):
  path = shutil.copytree(two, tmp_path / 'checkpoints')
  shutil.copytree(path / '2', path / '3.orbax-checkpoint-tmp')
  checkpoints.Checkpoints(path, read_only=True)
  assert (path / '3.orbax-checkpoint-tmp').exists()
  c = checkpoints.Checkpoints(path)
  assert sorted(x.name for x in path.iterdir()) == ['1', '2']
  assert c.restore(_like(_state()))[0] == 2


def test_another_tree_is_an_error_that_names_the_leaf(two):
  c = checkpoints.Checkpoints(two)
  like = _like(_state())
  wide = like.replace(g=like.g.replace(
      params={'conv': {**like.g.params['conv'],
                       'kernel': jax.ShapeDtypeStruct((3, 3, 4, 9), 'f4')}}))
  with pytest.raises(ValueError, match=(
      r"two.*: 'g.params.conv.kernel' is float32\[3, 3, 4, 8\]; wanted "
      r'float32\[3, 3, 4, 9\]')):
    c.restore(wide)
  half = like.replace(images=jax.ShapeDtypeStruct((), jnp.int8))
  with pytest.raises(ValueError, match=r"'images' is int32\[\]; wanted int8"):
    c.restore(half)
  with pytest.raises(ValueError, match=r"no 'hyper.rates'; the nearest is "
                     "'hyper.rate'"):
    c.restore(like.replace(hyper={'rates': like.hyper['rate']}))
  with pytest.raises(ValueError, match=r"'hyper.rate', for which .* no place"):
    c.restore(like.replace(hyper={}))
  assert c.steps() == [1, 2] and not (two / 'damaged').exists()


def test_parts_of_another_run_are_read_alone(two):
  like = _like(_state())
  wanted = like.replace(d=None, hyper=None, aux=None, images=None,
                        g=Player(like.g.params, None, None))
  c = checkpoints.Checkpoints(two, read_only=True)
  images, tree = c.restore(wanted, partial=True, place='config.train.init_from')
  assert images == 2 and tree.d is None
  assert _bits(tree.ema) == _bits(_state(2).ema)
  assert _bits(tree.g.params) == _bits(_state(2).g.params)
  with pytest.raises(ValueError, match='^config.train.init_from: .*ema.conv'):
    c.restore(wanted.replace(ema={'conv': {
        'kernel': jax.ShapeDtypeStruct((1,), 'f4')}}), partial=True,
        place='config.train.init_from')
  with pytest.raises(ValueError, match='read only'):
    c.save(3, _state(3))


def test_the_latest_stay_and_older_ones_go(tmp_path):
  _saved(tmp_path, 1, 2, 3, keep=2)
  assert checkpoints.Checkpoints(tmp_path).steps() == [2, 3]
  _saved(tmp_path, 4, keep=1)
  assert checkpoints.Checkpoints(tmp_path).steps() == [4]


@pytest.mark.slow
def test_saving_the_same_step_again(tmp_path):
  path = _saved(tmp_path / 'checkpoints', 1, 2)
  with checkpoints.Checkpoints(path) as c:
    assert not c.save(2, _state(2))  # Read back, and found the same.
    assert c.save(3, _state(3))
    assert not c.save(3, _state(3))  # Known without reading.
    with pytest.raises(ValueError, match='at 2 images, but .* of 3'):
      c.save(2, _state(2))
  _flip(path / '3' / 'record' / 'metadata', 40)
  with checkpoints.Checkpoints(path) as c:
    assert c.save(3, _state(3))  # A damaged one gives way.
    c.wait()
    assert c.restore(_like(_state()))[0] == 3 and not c.passed_over


def test_notes_come_back_with_their_arrays(tmp_path):
  like = {'a': jnp.zeros(2)}
  notes = {1: {'sums': {'b': [3, .1, 1e300], 'a': [1, 1 / 3, 5e-324]}},
           2: {'sums': {}}, 3: None}
  with checkpoints.Checkpoints(tmp_path, keep=9) as c:
    assert c.notes == {}
    for images, of_one in notes.items():
      c.save(images, {'a': jnp.full(2, images, float)}, of_one)
  for images, of_one in notes.items():
    assert c.restore(like, images=images)[0] == images
    assert repr(c.notes) == repr(of_one or {})  # The order of names too.
  record = tmp_path / '2' / 'record' / 'metadata'
  record.write_text(record.read_text().replace('"sums"', '"sumz"'))
  (tmp_path / '3').rename(tmp_path / 'aside')
  assert c.restore(like)[0] == 1 and c.notes == notes[1]
  assert c.passed_over[0].startswith(
      'checkpoint 2 is damaged: its record is not the one that was saved')


def test_leaves_that_are_no_arrays_are_refused(tmp_path):
  with pytest.raises(ValueError, match="'b.0' is float 0.5; wanted jax arr"):
    checkpoints.Checkpoints(tmp_path).save(1, {'a': jnp.ones(1), 'b': [.5]})


def test_buffers_may_be_donated_right_after_save(tmp_path):
  step = jax.jit(lambda x: jax.tree.map(lambda y: y + 1, x), donate_argnums=0)
  state = {'a': jnp.zeros((512, 1024)), 'b': jnp.int32(0)}
  with checkpoints.Checkpoints(tmp_path, keep=9) as c:
    for images in range(1, 6):
      state = step(state)
      c.save(images, state)
      state = step(state)
    for images in reversed(range(1, 6)):
      c.wait()
      found, tree = c.restore(state)
      assert found == images
      np.testing.assert_array_equal(tree['a'], 2 * images - 1)
      tree = step(tree)  # What was restored can be donated too.
      assert int(tree['b']) == 2 * images
      shutil.rmtree(tmp_path / str(images))


def test_a_full_disk_is_an_error_and_older_checkpoints_stay(tmp_path):
  big = {'a': jax.random.normal(jax.random.key(0), (256, 1024))}
  c = checkpoints.Checkpoints(tmp_path, keep=1)
  c.save(1, big)
  c.wait()
  limits = resource.getrlimit(resource.RLIMIT_FSIZE)
  resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
  try:
    with pytest.raises(OSError, match=(
        r'could not write the checkpoint of 2 .* are intact: \[1\].* a file '
        r'may be there \(100 kB by ulimit -f\); .* are free on that disk')):
      c.save(2, big)
      c.wait()
  finally:
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
  assert [x.name for x in tmp_path.iterdir()] == ['1']
  assert c.restore(big)[0] == 1
  assert c.save(3, big)  # And once there is room, all is well.
  c.close()
  assert c.steps() == [3]


def _child(code, *words, devices=1, **options):
  env = {**os.environ, 'PYTHONPATH': str(ROOT), 'JAX_PLATFORMS': 'cpu',
         'XLA_FLAGS': f'--xla_force_host_platform_device_count={devices}'}
  return subprocess.Popen(
      [sys.executable, '-c', textwrap.dedent(code), *map(str, words)],
      env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
      **options)


def _finish(child):
  out, _ = child.communicate(timeout=100)
  assert child.returncode == 0, out
  return out


@pytest.mark.slow
def test_two_devices_restore_to_one_and_four(tmp_path):
  code = '''
      import sys, jax, jax.numpy as jnp, numpy as np
      from jax.sharding import Mesh, NamedSharding, PartitionSpec as P
      from msg_gan_jax.runs import checkpoints, fingerprints
      def tree(n):
        mesh = Mesh(np.asarray(jax.devices()[:n]), ('data',))
        rows, all = (NamedSharding(mesh, P(*x)) for x in (('data',), ()))
        make = jax.jit(lambda: {
            'w': jnp.arange(12.), 'key': jax.random.key(3),
            'images': jnp.arange(64, dtype=jnp.uint8).reshape(8, 8)},
            out_shardings={'w': all, 'key': all, 'images': rows})
        return make()
      two, prints = tree(2), set()
      with checkpoints.Checkpoints(sys.argv[1]) as c:
        c.save(7, two)
      for n in (1, 2, 4):
        like = jax.tree.map(lambda x: jax.ShapeDtypeStruct(
            x.shape, x.dtype, sharding=x.sharding), tree(n))
        images, found = checkpoints.Checkpoints(sys.argv[1]).restore(like)
        assert images == 7
        assert found['images'].sharding == like['images'].sharding
        assert len(found['w'].sharding.device_set) == n
        np.testing.assert_array_equal(found['images'], two['images'])
        prints |= {fingerprints.fingerprint(x) for x in (found, two)}
      print(*prints)
      '''
  prints = _finish(_child(code, tmp_path, devices=4)).split()
  like = {'w': jnp.zeros(12), 'key': jax.random.key(0),
          'images': jnp.zeros((8, 8), jnp.uint8)}
  _, tree = checkpoints.Checkpoints(tmp_path).restore(like)
  assert prints == [fingerprints.fingerprint(tree)]


@pytest.mark.slow
def test_two_processes_save_and_restore_together(tmp_path):
  code = '''
      import sys, jax, jax.numpy as jnp, numpy as np, pathlib, time
      path, port, me = sys.argv[1], sys.argv[2], int(sys.argv[3])
      jax.distributed.initialize(
          '127.0.0.1:' + port, num_processes=2, process_id=me,
          initialization_timeout=60)
      from jax.sharding import Mesh, NamedSharding, PartitionSpec as P
      from msg_gan_jax.runs import (
          checkpoints, fingerprints, orbax_storage, processes)
      mesh = Mesh(np.asarray(jax.devices()), ('data',))
      rows, all = NamedSharding(mesh, P('data')), NamedSharding(mesh, P())
      tree = lambda n: jax.jit(
          lambda: {'w': jnp.arange(4.) + n, 'x': jnp.arange(8) * n},
          out_shardings={'w': all, 'x': rows})()
      c = checkpoints.Checkpoints(path)
      assert c.restore(tree(0)) is None
      for n in (1, 2, 3):
        assert c.save(n, tree(n))
      c.wait()
      assert not c.save(3, tree(3))
      images, found = c.restore(tree(0))
      assert images == 3, images
      prints = {fingerprints.fingerprint(x) for x in (found, tree(3))}
      assert len(prints) == 1
      processes.meet('damage')
      if me == 0:
        pathlib.Path(path, '3', 'record', 'metadata').unlink()
      processes.meet('damaged')
      images, found = c.restore(tree(0))
      assert images == 2 and len(c.passed_over) == 1, (images, c.passed_over)
      assert c.save(3, tree(3))
      c.wait()
      right = orbax_storage.read_leaves
      def fails(folder, wanted):
        assert folder.name != '3', 'this process cannot read it'
        return right(folder, wanted)
      if me == 1:  # One alone must not wait for the other for ever.
        orbax_storage.read_leaves = fails
      images, found = c.restore(tree(0))
      assert images == 2 and len(c.passed_over) == 1, (images, c.passed_over)
      assert c.save(3, tree(3))
      c.close()
      assert c.steps() == [2, 3], c.steps()

      # The best and the latest at once: process 0 ends late, and process 1
      # waits for it, where it could begin another.
      from types import SimpleNamespace
      from orbax.checkpoint import CheckpointManager
      from msg_gan_jax.training.saver import Saver
      ends = CheckpointManager._finalize
      if me == 0:
        CheckpointManager._finalize = lambda *x: (time.sleep(.5), ends(*x))[1]
      folder = pathlib.Path(path) / 'run'
      judge = SimpleNamespace(judge={'metric': 'swd'}, lower=True)
      for images in (0, 2):  # It goes back to 2 and forgets what came after.
        with checkpoints.Checkpoints(folder / 'checkpoints') as latest:
          saver = Saver(folder, latest, print)
          saver.keep_best(judge, images, dict, False)
          for n in (1, 2, 3):
            snapshot = {'state': tree(images + n)}
            saver.offer(images + n, snapshot, -n)
            saver.save(images + n, snapshot, {})
          saver.wait()
          saver.close()
        best = checkpoints.Checkpoints(folder / 'best', read_only=True)
        assert best.steps() == [images + 3], best.steps()
        assert latest.steps() == [images + 2, images + 3], latest.steps()
        processes.meet(f'saved {images}')
        if not images and me == 0:
          (latest.path / '3').rename(folder / '3')
        processes.meet(f'lost {images}')
      '''
  with socket.socket() as s:
    s.bind(('127.0.0.1', 0))
    port = s.getsockname()[1]
  children = [_child(code, tmp_path, port, i) for i in range(2)]
  try:
    for child in children:
      _finish(child)
  finally:
    for child in children:
      child.kill()
  like = {'w': jnp.zeros(4), 'x': jnp.zeros(8, jnp.int32)}
  images, tree = checkpoints.Checkpoints(tmp_path).restore(like)
  assert images == 3
  np.testing.assert_array_equal(tree['x'], np.arange(8) * 3)
