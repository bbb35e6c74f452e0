"""Images a second of stylegan2-ada-pytorch's own training step.

  python stylegan2_ada.py --path=stylegan2-ada-pytorch --cfg=cifar --batch=64
  python stylegan2_ada.py --path=... --resolution=64 --maps=64 --batch=16
  python stylegan2_ada.py --path=... --cfg=cifar --augment=bgc

Theirs: the settings, by `setup_training_loop_kwargs` of their train.py, with
the lazy intervals of their training_loop; networks, Adam, StyleGAN2Loss and the
pipe of augmentations. Ours: what `training_loop` does around them, for it asks
for a GPU: the order of the phases, the update without NaNs, the average, and a
batch of random pictures that stays on the device. The probability of the
augmentations stays at .5, and the pipe costs nearly the same at any.

On a CPU their custom operations have references in PyTorch, which they take by
themselves, and all is float32; --fp16 is their default on a GPU.
"""
import copy
import inspect
import math
import tempfile

import peer_clock

URL = 'https://github.com/NVlabs/stylegan2-ada-pytorch'
CONFIGS = 'auto', 'stylegan2', 'paper256', 'paper512', 'paper1024', 'cifar'


def settings(train, options):
  """Their settings, of a data set that has one black picture."""
  with tempfile.TemporaryDirectory() as folder:
    peer_clock.black_picture(folder, options.resolution)
    augment = ({'aug': 'fixed', 'p': .5, 'augpipe': options.augment}
               if options.augment else {'aug': 'noaug'})
    _, found = train.setup_training_loop_kwargs(
        data=folder, metrics=[], cfg=options.cfg, batch=options.batch,
        fp32=not options.fp16, **augment)
  found.G_kwargs.z_dim = found.G_kwargs.w_dim = options.latent
  found.G_kwargs.synthesis_kwargs.channel_max = options.maps
  found.D_kwargs.channel_max = options.maps
  return found


def phases_of(networks, found, intervals, make):
  """[(name, network, optimizer, interval)]: a loss and a lazy one for each."""
  phases = []
  for name, network in networks.items():
    # Rate and betas are those of the steps that the lazy penalty adds.
    share = intervals[name] / (intervals[name] + 1)
    of = dict(found[f'{name}_opt_kwargs'])
    of |= {'lr': share * of['lr'], 'betas': [b**share for b in of['betas']]}
    optimizer = make(params=network.parameters(), **of)
    phases += [(f'{name}main', network, optimizer, 1),
               (f'{name}reg', network, optimizer, intervals[name])]
  return phases


def run():
  flags = peer_clock.step_flags(
      __doc__, resolution=32, maps=512, latent=512, batch=64)
  flags.add_argument('--cfg', default='auto', choices=CONFIGS)
  flags.add_argument('--augment', default='', help='such as bgc')
  flags.add_argument('--fp16', action='store_true', help='on a GPU')
  options = flags.parse_args()
  peer_clock.check(options, ('resolution', 'maps', 'latent', 'batch'))
  peer_clock.use_checkout(options.path, URL, '', 'training/loss.py')
  import dnnlib
  import torch
  from torch_utils import misc
  from torch_utils.ops import conv2d_gradfix, grid_sample_gradfix
  import train
  from training import training_loop

  device = peer_clock.device()
  if options.fp16 and device.type == 'cpu':
    raise ValueError('--fp16: PyTorch sees no GPU.')
  torch.backends.cudnn.benchmark = True
  torch.backends.cudnn.allow_tf32 = False
  conv2d_gradfix.enabled = grid_sample_gradfix.enabled = True
  make, found = dnnlib.util.construct_class_by_name, settings(train, options)

  def network(**kwargs):
    return make(**kwargs).train().requires_grad_(False).to(device)

  shape = {'c_dim': 0, 'img_resolution': options.resolution, 'img_channels': 3}
  g, d = network(**found.G_kwargs, **shape), network(**found.D_kwargs, **shape)
  average, pipe = copy.deepcopy(g).eval(), None
  if options.augment:
    pipe = network(**found.augment_kwargs)
    pipe.p.fill_(found.augment_p)
  loss = make(
      device=device, G_mapping=g.mapping, G_synthesis=g.synthesis, D=d,
      augment_pipe=pipe, **found.loss_kwargs)
  theirs = inspect.signature(training_loop.training_loop).parameters
  intervals = {x: theirs[f'{x}_reg_interval'].default for x in 'GD'}
  phases = phases_of({'G': g, 'D': d}, found, intervals, make)
  reals = peer_clock.random_pictures(
      options.batch, 3, options.resolution, options.resolution)
  no_labels = torch.zeros(options.batch, 0, device=device)
  share = .5**(options.batch / (1000 * found.ema_kimg))
  done = 0

  def step():
    nonlocal done
    for name, network, optimizer, interval in phases:
      if done % interval:
        continue
      optimizer.zero_grad(set_to_none=True)
      network.requires_grad_(True)
      z = torch.randn(options.batch, options.latent, device=device)
      loss.accumulate_gradients(
          phase=name, real_img=reals, real_c=no_labels, gen_z=z,
          gen_c=no_labels, sync=True, gain=interval)
      network.requires_grad_(False)
      for parameter in network.parameters():
        if (slope := parameter.grad) is not None:
          misc.nan_to_num(slope, nan=0, posinf=1e5, neginf=-1e5, out=slope)
      optimizer.step()
    peer_clock.update_average(average, g, share)
    done += 1

  return peer_clock.images_a_second(
      step, options.batch, options.seconds, math.lcm(*intervals.values()))


if __name__ == '__main__':
  peer_clock.main(run)
