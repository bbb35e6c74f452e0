"""Experiments and flags that make no sense are refused in words."""
import contextlib
import io
import runpy

from fuzz.examples import PARTS, given, place
from fuzz.settings import NUMERIC, WORDS
from hypothesis import strategies as st

EXPERIMENT = '''"""An experiment: python launch.py --config=small.py"""
from msg_gan_jax.config import template


def get_config(preset='msg_progan'):
  config = template(preset)
  config.data.resolution = 8
  config.networks.update(latent=8, fmap_max=8)
  with config.unlocked():
    config.train.batch = 8
  for rate in ('g_rate', 'd_rate'):
    config.optimizer[rate] = .003
  return config
'''


PIECES = ['', '\n', '  ', '(', ')', ':', '"', "'", '\\', '#', '.', '=', '0',
          '1e9', '-', 'nan', 'None', 'config', 'return ', 'import ', 'exit()',
          '\t', '\0', 'é', '\ufeff', '# coding: klingon\n',
          'raise SystemExit\n']


def fuzz(tmp, count, examples):
  from absl import flags
  from absl.testing import flagsaver

  from msg_gan_jax.commands import experiments, main, shared_flags
  from msg_gan_jax.config import schema
  path = tmp / 'small.py'
  saved = flagsaver.save_flag_values(flags.FLAGS)

  @given(examples // 3, count.seed, harms=st.lists(
      st.tuples(PARTS, st.integers(0, 6), st.sampled_from(PIECES)),
      min_size=1, max_size=3), encoding=st.sampled_from(['utf-8', 'utf-16']))
  def _(harms, encoding):
    text = EXPERIMENT
    for part, length, piece in harms:
      at = place(text, part)
      text = text[:at] + piece + text[at + length:]
    path.write_text(text, encoding=encoding)
    with count.one(r'^--config: |^config\.|^template: ', repr(text)):
      experiments.run(str(path), [])
      schema.parse(runpy.run_path(str(path))['get_config']())

  words = st.sampled_from(
      [*map(repr, NUMERIC[:15] + NUMERIC[18:]), *(
          x for x in WORDS if x not in ('\0', '\ud800')), 'true', 'no', '0x10',
       '1_0', ' 8 ', '8.', '1e400', '=', '--', None])
  names = st.sampled_from([
      *schema.metadata(), '', '.', 'data', 'data.', 'data.name.x',
      'trian.batch', 'train.bacth', 'Data.path', 'data..path', 'é'])

  @given(examples - examples // 3, count.seed, name=names, word=words,
         flag=st.sampled_from(['--config.', '-config.', '--noconfig.']))
  def _(name, word, flag):
    said = io.StringIO()
    argv = ['launch.py', f'{flag}{name}' + ('' if word is None else f'={word}')]
    with count.one(r'^error: ', f'{argv}'), contextlib.redirect_stderr(said):
      try:
        main._parse(argv)
        schema.parse(shared_flags.CONFIG.value)
      except SystemExit as ended:
        assert ended.code == 1
        raise ValueError(said.getvalue()) from None
      except ValueError as error:
        raise ValueError(f'error: {error}') from None
      finally:
        flagsaver.restore_flag_values(saved, flags.FLAGS)
        assert 'Traceback' not in said.getvalue()
