"""What is released: an archive with all of it, and a wheel that runs alone."""
import configparser
import os
import re
import runpy
import shutil
import subprocess
import sys
import tarfile
import zipfile

from helpers import ROOT
import oldest
import pytest

import msg_gan_jax

ADDRESS = 'https://example.org/us/it'
# What a checkout has besides its files.
NOT_OURS = {'.git', '.venv', 'build', 'dist', 'runs'}


@pytest.fixture(scope='module')
def setup():
  return runpy.run_path(str(ROOT / 'setup.py'), run_name='setup')


def targets(text):
  """Where links and pictures of a page lead."""
  return re.findall(r'\]\(([^)\s]+)\)', text)


def test_links_of_the_long_description_lead_to_files_or_nowhere(setup):
  readme = (ROOT / 'README.md').read_text(encoding='utf-8')
  relative = [x for x in targets(readme) if '://' not in x]
  assert len(relative) > 15
  with_address = targets(setup['long_description'](readme, ADDRESS))
  assert len(with_address) == len(targets(readme))
  for link in with_address:
    if link.startswith(ADDRESS):
      found = re.fullmatch(f'{ADDRESS}/(raw|blob)/HEAD/(.*)', link)
      assert (ROOT / found[2]).exists(), link
      assert (found[1] == 'raw') == link.endswith(('.png', '.webp'))
    else:
      assert re.match('https?://', link)
  without = setup['long_description'](readme, '')
  assert all('://' in link for link in targets(without))
  assert 'More than fifty experiments have the settings' in without


def test_code_has_no_links(setup):
  code = '```python\nlevels[0](state)\n```'
  text = f'[a\nb](c.md)\n{code}\n![d](e.png) [f](#g)'
  assert setup['long_description'](text, '') == f'a\nb\n{code}\nd [f](#g)'
  assert setup['long_description'](text, ADDRESS) == (
      f'[a\nb]({ADDRESS}/blob/HEAD/c.md)\n{code}\n'
      f'![d]({ADDRESS}/raw/HEAD/e.png) [f](#g)')


def test_the_address_is_that_of_all_links_of_the_project(setup):
  assert setup['links']('') == {}
  found = setup['links'](ADDRESS)
  assert len(found) > 2 and all(x.startswith(ADDRESS) for x in found.values())
  for link in found.values():
    _, _, path = link.partition('/blob/HEAD/')
    assert (ROOT / path).exists()


def run(*command, cwd, **env):
  done = subprocess.run(
      [sys.executable, *command], cwd=cwd, text=True, capture_output=True,
      env={**os.environ, **env})
  assert not done.returncode, done.stdout + done.stderr
  return done.stdout + done.stderr


def test_the_version_is_told_once():
  citation = (ROOT / 'CITATION.cff').read_text(encoding='utf-8')
  assert f'\nversion: {msg_gan_jax.__version__}\n' in citation
  assert '\nversion = attr: msg_gan_jax.__version__\n' in (
      ROOT / 'setup.cfg').read_text(encoding='utf-8')


def test_every_dependency_has_one_lower_bound(tmp_path, monkeypatch):
  """Which the suite is run with: tests/oldest.py prints them."""
  bounds = dict(line.split('==') for line in oldest.oldest())
  assert len(bounds) > 30 and bounds['flax'].startswith('0.12')
  for wrong in 'numpy', 'numpy<3', 'pillow>=10', 'jax[cuda12]<1':
    (tmp_path / 'setup.cfg').write_text(
        '[options]\ninstall_requires =\n  pillow>=11\n'
        f'[options.extras_require]\na =\n  {wrong}\n')
    monkeypatch.setattr(oldest, 'ROOT', tmp_path)
    with pytest.raises(ValueError, match=re.escape(f'setup.cfg: {wrong};')):
      oldest.oldest()


@pytest.fixture(scope='module')
def built(tmp_path_factory):
  """(source archive, wheel that is built from it)."""
  folder = tmp_path_factory.mktemp('built')
  shutil.copytree(ROOT, folder / 'copy', ignore=lambda place, names: {
      name for name in names if name.endswith(('cache', '__', '.egg-info')) or (
          place == str(ROOT) and name in NOT_OURS)})
  run('-c', 'from setuptools import build_meta as b; b.build_sdist("..")',
      cwd=folder / 'copy')
  archive, = folder.glob('*.tar.gz')
  with tarfile.open(archive) as file:
    file.extractall(folder, filter='data')
  run('-m', 'pip', 'wheel', '--quiet', '--no-build-isolation', '--no-deps',
      '--no-index', '--wheel-dir', '..', '.',
      cwd=folder / archive.name.removesuffix('.tar.gz'))
  wheel, = folder.glob('*.whl')
  return archive, wheel


@pytest.mark.slow
def test_the_source_archive_has_what_the_checkout_has(built):
  with tarfile.open(built[0]) as file:
    names = {name.partition('/')[2] for name in file.getnames()}
  for top in ('.ci', 'benchmarks', 'docs', 'experiments', 'msg_gan_jax',
              'tests'):
    wanted = {path.relative_to(ROOT).as_posix()
              for path in (ROOT / top).rglob('*') if path.is_file()}
    assert {x for x in wanted - names if '__pycache__' not in x} == set()
  assert {path.name for path in ROOT.glob('[A-Za-z]*') if path.is_file()
          } | {'.gitignore'} <= names


@pytest.mark.slow
def test_the_wheel_runs_where_there_is_no_checkout(built, tmp_path):
  with zipfile.ZipFile(built[1]) as file:
    names = set(file.namelist())
    about = file.read(next(
        x for x in names if x.endswith('.dist-info/METADATA'))).decode()
  assert 'msg_gan_jax/py.typed' in names  # Type checkers then read its types.
  for path in (ROOT / 'msg_gan_jax' / 'report' / 'templates').iterdir():
    assert f'msg_gan_jax/report/templates/{path.name}' in names
  assert {f'msg_gan_jax/{path.relative_to(ROOT).as_posix()}'
          for path in (ROOT / 'experiments').glob('*.py')} <= names
  assert not [x for x in names if x.startswith(('tests/', 'docs/'))]
  for line in ('License-Expression: Apache-2.0', 'License-File: LICENSE',
               'Requires-Python: >=3.11', 'Keywords: GAN,'):
    assert f'\n{line}' in about
  installed, empty = tmp_path / 'installed', tmp_path / 'empty'
  empty.mkdir()
  run('-m', 'pip', 'install', '--quiet', '--no-deps', '--no-index',
      '--target', str(installed), str(built[1]), cwd=tmp_path)

  def command(*arguments):
    return run('-m', 'msg_gan_jax', *arguments, cwd=empty,
               PYTHONPATH=str(installed))

  setup = configparser.ConfigParser()
  setup.read(ROOT / 'setup.cfg')
  script, _, _ = setup['options.entry_points']['console_scripts'].partition('=')
  assert (installed / 'bin' / script.strip()).exists()
  assert str(installed) in run('-c', 'import msg_gan_jax as m; print(m)',
                               cwd=empty, PYTHONPATH=str(installed))
  assert f'msg_gan_jax {msg_gan_jax.__version__}' in command('--version')
  assert 'toy_ring' in command('--help')
  command('--config=toy_ring', '--config.train.total_images=512',
          '--config.data.count=1024', '--workdir=run')
  assert (empty / 'run' / 'summary.json').exists()
