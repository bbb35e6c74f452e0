"""Images a second of R3GAN's own training step: preset CIFAR10, 32 pixels.

  python r3gan.py --path=R3GAN --batch=64 --width=192
  python r3gan.py --path=R3GAN --batch=512 --cond --augment --bf16

Theirs: the settings, as their train.py makes them of its flags and its preset,
networks, Adam, R3GANLoss and the pipe of augmentations. --width is 768 there;
groups stay 16 channels wide. Ours: what `training_loop` does around them, for
it asks for a GPU: an update of D and one of G, each with its own batch, the
average, and random pictures that stay on the device. What moves in training is
as at its beginning, but for the probability of augmentations, which is .5; the
pipe costs nearly the same at any.

All is float32; --bf16 is their default, bfloat16 at the three finest sizes.
"""
import copy
import pathlib
import tempfile

import peer_clock

URL = 'https://github.com/brownvc/R3GAN'


def settings(options):
  """Their settings, of a data set that has one black picture."""
  import train
  found = []
  train.launch_training = lambda c, **_: found.append(c)
  with tempfile.TemporaryDirectory() as folder:
    peer_clock.black_picture(folder, 32)
    pathlib.Path(folder, 'dataset.json').write_text(
        '{"labels": [["black.png", 0]]}')
    train.main.main([
        f'--outdir={folder}', f'--data={folder}', '--gpus=1',
        '--preset=CIFAR10', f'--batch={options.batch}',
        f'--cond={options.cond}', f'--aug={options.augment}'],
        standalone_mode=False)
  for kwargs in (found[0].G_kwargs, found[0].D_kwargs):
    stages = len(kwargs.WidthPerStage)
    kwargs.WidthPerStage = [options.width] * stages
    kwargs.CardinalityPerStage = [options.width // 8] * stages
    if not options.bf16:
      kwargs.FP16Stages = []
  if options.cond:
    found[0].D_kwargs.ConditionEmbeddingDimension = options.width
  return found[0]


def run():
  flags = peer_clock.step_flags(__doc__, batch=64, width=768)
  flags.add_argument('--cond', action='store_true', help='of ten classes')
  flags.add_argument('--augment', action='store_true')
  flags.add_argument('--bf16', action='store_true')
  options = flags.parse_args()
  peer_clock.check(options, ('batch', 'width'))
  if options.width % 8:
    raise ValueError(f'--width: found {options.width}; wanted a multiple of 8.')
  peer_clock.use_checkout(options.path, URL, '', 'R3GAN/Trainer.py')
  import dnnlib
  import torch
  from torch_utils.ops import conv2d_gradfix, grid_sample_gradfix
  from training.training_loop import cosine_decay_with_warmup as at

  device = peer_clock.device()
  torch.backends.cudnn.benchmark = True
  torch.backends.cudnn.allow_tf32 = False
  conv2d_gradfix.enabled = grid_sample_gradfix.enabled = True
  make, found = dnnlib.util.construct_class_by_name, settings(options)

  def network(**kwargs):
    return make(**kwargs).train().requires_grad_(False).to(device)

  shape = {'c_dim': 10 * options.cond, 'img_resolution': 32}
  g, d = network(**found.G_kwargs, **shape), network(**found.D_kwargs, **shape)
  average, pipe = copy.deepcopy(g).eval(), None
  if options.augment:
    pipe = network(**found.augment_kwargs)
    pipe.p.fill_(.5)
  loss = make(G=g, D=d, augment_pipe=pipe, **found.loss_kwargs)
  of = {'lr': at(0, **found.lr_scheduler),
        'betas': (0., at(0, **found.beta2_scheduler))}
  phases = [
      (name, network, make(params=network.parameters(), **kwargs | of))
      for name, network, kwargs in (
          ('D', d, found.D_opt_kwargs), ('G', g, found.G_opt_kwargs))]
  gamma = at(0, **found.gamma_scheduler)
  reals = {name: peer_clock.random_pictures(options.batch, 3, 32, 32)
           for name in 'DG'}
  labels = torch.eye(10, device=device)[
      torch.arange(options.batch) % 10, :shape['c_dim']]

  def step():
    for name, network, optimizer in phases:
      optimizer.zero_grad(set_to_none=True)
      network.requires_grad_(True)
      z = torch.randn(options.batch, g.z_dim, device=device)
      loss.accumulate_gradients(
          phase=name, real_img=reals[name], real_c=labels, gen_z=z,
          gamma=gamma, gain=1)
      network.requires_grad_(False)
      optimizer.step()
    peer_clock.update_average(average, g, 0.)

  return peer_clock.images_a_second(step, options.batch, options.seconds)


if __name__ == '__main__':
  peer_clock.main(run)
