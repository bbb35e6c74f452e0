"""Laws of what libraries warn of: a sentence each, once, without source."""
import io
import warnings

from helpers import picture, save
from PIL import Image
import pytest

from msg_gan_jax.commands import library_warnings
from msg_gan_jax.data import decode


@pytest.fixture
def told(monkeypatch):
  """As the command line tells warnings; Python's own way comes back."""
  with warnings.catch_warnings():
    warnings.simplefilter('default')
    library_warnings.tell()
    yield


def test_a_warning_is_one_line_and_told_once(told, capsys):
  for _ in range(3):
    warnings.warn('two\n  lines \x1b[2J', UserWarning, stacklevel=1)
  assert capsys.readouterr() == ('', 'warning: two lines \\x1b[2J\n')


@pytest.mark.parametrize('verb, done', [
    ('writing', 'written'), ('reading', 'read')])
def test_a_cache_that_fails_is_told_once(verb, done, told, capsys):
  """jax warns once a program."""
  for name in ('step', 'sample', 'draw'):
    warnings.warn(
        f"Error {verb} persistent compilation cache entry for 'jit_{name}': "
        f"OSError: [Errno 28] No space left on device: '/cache/jit_{name}-1'",
        UserWarning, stacklevel=1)
  assert capsys.readouterr().err == (
      f'warning: the cache of compiled programs cannot be {done}: OSError: '
      '[Errno 28] No space left on device. The run goes on; the next start '
      'compiles again.\n')


def test_the_words_are_those_of_jax(told, capsys, tmp_path, monkeypatch):
  """Of a real program that cannot be kept."""
  import jax
  from jax._src import compilation_cache

  def full(*unused, **unused_too):
    raise OSError(28, 'No space left on device')
  monkeypatch.setattr(compilation_cache, 'put_executable_and_time', full)
  monkeypatch.setattr(compilation_cache, 'get_executable_and_time',
                      lambda *unused, **unused_too: (None, None))
  least = 'jax_persistent_cache_min_compile_time_secs'
  before = getattr(jax.config, least)
  jax.config.update(least, 0.)
  try:
    for i in range(2):
      jax.jit(lambda x, i=i: x * 3.25 + i)(1.)
  finally:
    jax.config.update(least, before)
  assert capsys.readouterr().err.count('warning: ') == 1


def test_a_damaged_picture_is_told_by_its_error_alone(told, capsys):
  file = io.BytesIO()
  Image.fromarray(picture(0)).save(file, 'TIFF')
  for cut in (8, 15, 50):
    with pytest.raises(ValueError, match='not a picture of a format'):
      decode.decode(file.getvalue()[:cut],
                    decode.Recipe(8, 8, 3, 'stretch', 'area'))
  assert capsys.readouterr() == ('', '')


def test_the_command_line_tells_them_so(command, tmp_path, monkeypatch):
  """A folder with a damaged TIFF is one line, and --debug leaves Python's."""
  save(tmp_path / 'data' / 'a.tiff', picture(0))
  whole = (tmp_path / 'data' / 'a.tiff').read_bytes()
  (tmp_path / 'data' / 'b.tiff').write_bytes(whole[:50])
  with warnings.catch_warnings():
    warnings.simplefilter('default', UserWarning)
    status, out, err = command(
        '--mode=inspect', '--config.data.name=folder',
        '--config.data.path=data', '--config.data.cache_dir=cache')
    assert warnings.showwarning.__module__ == library_warnings.__name__
  assert status == 1 and err.count('\n') == 2
  assert err.startswith("error: config.data.path: ") and 'b.tiff' in err
