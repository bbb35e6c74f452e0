"""What writers leave when they are killed is known by its name."""
import os

from msg_gan_jax.files import atomic


def test_only_what_nobody_writes_any_more_is_swept(tmp_path):
  names = []
  for name in 'summary.json', 'report.html', 'old.html':
    try:
      with atomic.replacing(tmp_path / name) as temporary:
        open(temporary, 'w').close()
        os.link(temporary, f'{temporary[:-12]}deadbeef.tmp')  # As after a kill.
        names.append(f'{temporary[:-12]}deadbeef.tmp')
        raise KeyboardInterrupt
    except KeyboardInterrupt:
      assert not os.path.exists(temporary)
  os.utime(names[2], (0, 0))
  (tmp_path / '.lock').touch()
  atomic.sweep(tmp_path, lambda name: name == 'summary.json')
  assert {str(x) for x in tmp_path.iterdir()} == {
      names[1], str(tmp_path / '.lock')}
  atomic.sweep(tmp_path / 'none', bool)
