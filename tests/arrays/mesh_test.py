"""Who is alone, who is one of several, and which batches can be shared."""
import types

import numpy as np
import pytest

from msg_gan_jax.commands import processes, train
from msg_gan_jax.commands.processes import join, on_cluster
from msg_gan_jax.gan.devices import check_batch

STEP = {'SLURM_JOB_ID': '7', 'SLURM_STEP_NODELIST': 'n[1-2]',
        'SLURM_PROCID': '1', 'SLURM_LOCALID': '0'}


@pytest.mark.parametrize('environ, several', [
    ({}, False),
    # srun -n 4, and srun -n 1 inside an allocation of 4.
    ({**STEP, 'SLURM_NTASKS': '4', 'SLURM_STEP_NUM_TASKS': '4'}, True),
    ({**STEP, 'SLURM_NTASKS': '4', 'SLURM_STEP_NUM_TASKS': '1'}, False),
    # python in the script of sbatch -n 4: there is no step.
    ({'SLURM_JOB_ID': '7', 'SLURM_PROCID': '0', 'SLURM_NTASKS': '4'}, False),
    ({'OMPI_COMM_WORLD_SIZE': '2'}, True),
    ({'OMPI_COMM_WORLD_SIZE': '1'}, False),
])
def test_a_launcher_of_several_processes_is_seen(environ, several):
  assert on_cluster(environ) == several


@pytest.mark.parametrize('flag, wanted', [
    ([], 'auto'), (['--distributed=auto'], 'auto'),
    (['--distributed'], 'on'), (['--distributed=on'], 'on'),
    (['--nodistributed'], 'off'), (['--distributed=off'], 'off')])
@pytest.mark.parametrize('several', [False, True])
def test_processes_join_as_the_flag_says(
    flag, wanted, several, command, monkeypatch):
  joined, values = [], []

  def run():
    values.append(train.DISTRIBUTED.value)
    join(distributed=values[0])
    return 0

  monkeypatch.setattr(processes, '_found', lambda *given: ('host:1', 1, 0, []))
  monkeypatch.setattr(processes, '_join', lambda *given: joined.append(1))
  monkeypatch.setattr(processes, 'on_cluster', lambda environ: several)
  monkeypatch.setattr(train, 'run', run)
  status, _, err = command('--config=quickstart', *flag)
  assert status == 0 and values == [wanted]
  joins = wanted == 'on' or (wanted == 'auto' and several)
  assert joined == [1] * joins
  assert ('--distributed=off' in err) == (joins and wanted == 'auto')


def test_another_value_of_the_flag_is_refused(command):
  status, _, err = command('--distributed=maybe')
  assert status == 1 and err.startswith(
      "error: --distributed: wanted one of auto, on, off, found 'maybe'.\n")
  with pytest.raises(ValueError, match="^--distributed: .*found 'off'"):
    join('host:1', 2, 0, distributed='off')


def test_half_an_address_is_refused():
  for given in (dict(coordinator='host:1'), dict(processes=2),
                dict(coordinator='host:1', processes=2, process=2)):
    with pytest.raises(ValueError, match='wanted all three'):
      join(**given)


def test_a_batch_that_the_devices_cannot_share_names_one_that_they_can(small):
  mesh = types.SimpleNamespace(devices=np.arange(3))
  with pytest.raises(ValueError, match='8 images cannot be shared by 3 dev.*9'):
    check_batch(small(train__batch=8), mesh)
  check_batch(small(train__batch=12), mesh)
