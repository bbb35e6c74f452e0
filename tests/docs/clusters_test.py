"""What the page of machines has to run is right, as far as stand-ins tell."""
import os
import re
import subprocess

import container
from helpers import ROOT
import pytest

from msg_gan_jax.commands import main

PAGE = (ROOT / 'docs' / 'guide' / 'clusters.md').read_text(encoding='utf-8')
BLOCKS = re.findall(r'```sh\n(.*?)```', PAGE, re.S)
SLURM = [block for block in BLOCKS if '\n#SBATCH' in block]


def run(script, folder, **programs):
  """Runs a script where some programs are stand-ins: shell scripts."""
  for name, line in programs.items():
    (folder / name).write_text(f'#!/bin/bash\n{line}\n')
    (folder / name).chmod(0o755)
  return subprocess.run(
      ['bash', '-c', script], text=True, capture_output=True, cwd=folder, env={
          'PATH': f'{folder}:{os.environ["PATH"]}', 'SLURM_JOB_ID': '7',
          'SLURM_ARRAY_TASK_ID': '3'})


@pytest.mark.parametrize('status', [0, 1, 75, 130])
@pytest.mark.parametrize('script', SLURM)
def test_a_job_is_queued_again_where_there_is_more_to_do(
    script, status, tmp_path):
  done = run(script, tmp_path, srun=f'echo "$@" > given; exit {status}',
             scontrol='echo "$@"')
  assert done.returncode == status and not done.stderr
  assert done.stdout == ('requeue 7\n' if status == 75 else '')
  given = (tmp_path / 'given').read_text()
  assert ('seed=3' in given and '--workdir=runs/mine_3' in given) == (
      '--array' in script)
  for option in '--requeue', '--signal=USR1@', '--open-mode=append', '--time=':
    assert re.search(rf'^#SBATCH.* {re.escape(option)}', script, re.M)


@pytest.mark.parametrize('statuses, wanted', [
    ((75, 137, 0), 0), ((75, 1, 0), 1), ((130, 0), 130), ((0,), 0)])
def test_a_box_starts_again_until_the_end_or_an_error(
    statuses, wanted, tmp_path):
  script, = (x for x in BLOCKS if 'until python' in x)
  (tmp_path / 'left').write_text('\n'.join(map(str, statuses)))
  done = run(script, tmp_path, sleep='true', python=(
      'status=$(head -n1 left); sed -i 1d left; exit $status'))
  assert done.returncode == wanted
  left = (tmp_path / 'left').read_text().split()
  assert left == [str(x) for x in statuses[statuses.index(wanted) + 1:]]


@pytest.mark.parametrize('block', BLOCKS)
def test_every_command_is_one_of_a_shell(block, tmp_path):
  """Those that a pod's hosts are told, too."""
  subprocess.run(['bash', '-n', '-c', block], check=True)
  if 'gcloud' in block:
    done = run(block, tmp_path, gcloud=(
        'for word in "$@"; do [[ $word != --command=* ]] || '
        '/bin/bash -n -c "${word#--command=}"; done; echo "$4"'))
    assert done.returncode == 0 and not done.stderr
    assert done.stdout.split() == ['create', *3 * ['ssh']]


def test_the_image_is_of_files_that_there_are_and_of_no_others():
  """And a container is given flags that exist."""
  steps = container.steps((ROOT / 'Dockerfile').read_text())
  sources = [source for word, rest in steps if word == 'COPY'
             for source in container.copied(rest)[0]]
  assert all((ROOT / source).exists() for source in sources)
  ignored = (ROOT / '.dockerignore').read_text().splitlines()
  assert {x[1:] for x in ignored if x.startswith('!')} == {*sources}
  assert [word for word, _ in steps][-1] == 'ENTRYPOINT'
  manifest = (ROOT / 'MANIFEST.in').read_text().split()
  assert {'Dockerfile', '.dockerignore'} <= {*manifest}
  given = re.findall(r'docker run .* msg_gan_jax(?::cuda)? (.*)',
                     PAGE.replace('\\\n', ' '))
  known = {'config', 'workdir', *main.flags_of('train')}
  assert len(given) == 2
  assert {*re.findall(r'--(\w+)=', ' '.join(given))} <= known
