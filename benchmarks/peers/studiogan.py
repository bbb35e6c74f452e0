"""Images a second of PyTorch-StudioGAN's own training step on CIFAR-10.

  python studiogan.py --path=PyTorch-StudioGAN --model=SNGAN --batch=64

Theirs: configs/CIFAR10/MODEL.yaml, as their Configurations read it, networks by
load_generator_discriminator, the optimizers, and train_discriminator and
train_generator of their WORKER. Ours: the flags of their main.py that a step
asks for, and batches of random pictures and labels that stay on the device, in
place of its data loader. What the worker has to log and to measure is None.

A step shows d_updates_per_step batches to D: 5 of SNGAN, 2 of DCGAN.
"""
import contextlib
import itertools
import logging
import sys

import peer_clock

URL = 'https://github.com/POSTECH-CVLab/PyTorch-StudioGAN'
RUN = {'distributed_data_parallel': False, 'mixed_precision': False,
       'synchronized_bn': False, 'batch_statistics': False,
       'langevin_sampling': False, 'truncation_cutoff': None,
       'empty_cache': False, 'freezeD': -1, 'train': True}


def make_worker(file, batch):
  """(their worker, the real images of one of its steps)."""
  import config
  from models import model
  import torch
  import worker

  device = peer_clock.device()
  torch.backends.cudnn.benchmark = True
  cfgs = config.Configurations(str(file))
  cfgs.update_cfgs(RUN)
  cfgs.OPTIMIZATION.batch_size = batch
  cfgs.OPTIMIZATION.world_size = 1
  names = ('Gen', 'Gen_mapping', 'Gen_synthesis', 'Dis', 'Gen_ema',
           'Gen_ema_mapping', 'Gen_ema_synthesis', 'ema')
  networks = dict(zip(names, model.load_generator_discriminator(
      DATA=cfgs.DATA, OPTIMIZATION=cfgs.OPTIMIZATION, MODEL=cfgs.MODEL,
      STYLEGAN=cfgs.STYLEGAN, MODULES=cfgs.MODULES, RUN=cfgs.RUN,
      device=device, logger=logging.getLogger()), strict=True))
  cfgs.define_optimizer(networks['Gen'], networks['Dis'])
  images = batch * (
      cfgs.OPTIMIZATION.d_updates_per_step * cfgs.OPTIMIZATION.acml_steps)
  basket = (peer_clock.random_pictures(images, 3, 32, 32),
            torch.randint(cfgs.DATA.num_classes, (images,), device=device))
  # A rank other than 0 does not log to wandb.
  made = worker.WORKER(
      cfgs=cfgs, local_rank=device, global_rank=1, **networks,
      **dict.fromkeys((
          'run_name', 'eval_model', 'train_dataloader', 'eval_dataloader', 'mu',
          'sigma', 'real_feats', 'logger', 'best_step', 'best_fid',
          'best_ckpt_path', 'lecam_emas', 'num_eval', 'loss_list_dict',
          'metric_dict_during_train')), aa_p=cfgs.AUG.ada_initial_augment_p)
  made.train_iter = itertools.repeat(basket)
  return made, images


def run():
  flags = peer_clock.step_flags(__doc__, batch=64)
  flags.add_argument('--model', default='SNGAN', help='DCGAN, SNGAN, ...')
  options = flags.parse_args()
  peer_clock.check(options, ('batch',))
  file = f'configs/CIFAR10/{options.model}.yaml'
  folder = peer_clock.use_checkout(options.path, URL, 'src', file)
  with contextlib.redirect_stdout(sys.stderr):
    worker, images = make_worker(folder / file, options.batch)
  done = 0

  def step():
    nonlocal done
    worker.train_discriminator(done)
    worker.train_generator(done)
    done += 1

  return peer_clock.images_a_second(step, images, options.seconds)


if __name__ == '__main__':
  peer_clock.main(run)
