"""Room for checkpoints is looked for before a run, and before each of them."""
import jax.numpy as jnp
import pytest

from msg_gan_jax.files import disk
from msg_gan_jax.runs import space
from msg_gan_jax.runs.checkpoints import Checkpoints


@pytest.mark.parametrize('images, there, settings, count', [
    (0, 0, {}, 3), (0, 3, {}, 1), (1000, 0, {}, 0), (950, 0, {}, 1),
    (0, 2, {'train__keep_every_images': 300}, 4),
    (0, 2, {'evaluate__best': 'swd'}, 3)])
def test_what_is_to_come_is_counted(
    images, there, settings, count, small, tmp_path, monkeypatch):
  config = small(train__total_images=1000, train__checkpoint_every_images=100,
                 **settings)
  assert space.to_come(config, images, there) == count
  free = [count * 1000]
  monkeypatch.setattr(disk, 'room', lambda path: free[0])

  def check():
    return space.check_run(tmp_path, config, images, there, 1000)

  assert check() == ''
  free[0] -= 1
  if count > 1:
    assert f'1 kB, and {disk.size(free[0])} are free' in check()
    assert f'up to {count} are to come' in check()
    free[0] = 999
  if count:
    with pytest.raises(OSError, match='check_disk=False begins all the same'):
      check()


def test_what_cannot_fit_is_not_begun(tmp_path, monkeypatch):
  tree = {'a': jnp.zeros(5000)}
  with Checkpoints(tmp_path) as c:
    c.save(1, tree)
    c.wait()
    held = disk.held(tmp_path / '1')
    monkeypatch.setattr(disk, 'room', lambda path: held - 1)
    with pytest.raises(OSError, match=r'of 2 images was not begun; .* \[1\]'):
      c.save(2, tree)
    assert [x.name for x in tmp_path.iterdir()] == ['1']
    c.check_disk = False
    assert c.save(2, tree)
