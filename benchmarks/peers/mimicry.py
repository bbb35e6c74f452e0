"""Images a second of mimicry's own training step: SNGAN at 32 pixels.

  python mimicry.py --path=mimicry --batch=64 --width=256

Theirs: SNGANGenerator32, SNGANDiscriminator32, the train_step of both with its
hinge loss, and the linear decay of the rates. D has --width feature maps too,
but 128 at most. Ours: the loop of their trainer, which updates D five times and
G once, and a batch of random pictures that stays on the device. The package's
own __init__ is passed by, as it asks for TensorFlow, and that of `training`, as
it asks for TensorBoard.
"""
import sys
import types

import peer_clock

URL = 'https://github.com/kwotsin/mimicry'
N_DIS = 5


def pass_by(folder, *names):
  """Packages whose __init__ is not run; their modules are imported as ever."""
  for name in names:
    package = types.ModuleType(name)
    package.__path__ = [str(folder.joinpath(*name.split('.')))]
    sys.modules[name] = package


def run():
  options = peer_clock.step_flags(
      __doc__, batch=64, width=256).parse_args()
  peer_clock.check(options, ('batch', 'width'))
  folder = peer_clock.use_checkout(
      options.path, URL, '', 'torch_mimicry/nets/sngan/sngan_32.py')
  pass_by(folder, 'torch_mimicry', 'torch_mimicry.training')
  import torch
  from torch_mimicry.nets.sngan import sngan_32
  from torch_mimicry.training import metric_log, scheduler

  device = peer_clock.device()
  g = sngan_32.SNGANGenerator32(ngf=options.width).to(device)
  d = sngan_32.SNGANDiscriminator32(ndf=min(128, options.width)).to(device)
  of_g, of_d = (torch.optim.Adam(network.parameters(), 2e-4, (0., .9))
                for network in (g, d))
  rates = scheduler.LRScheduler('linear', of_d, of_g, num_steps=100000)
  batch = (peer_clock.random_pictures(options.batch, 3, 32, 32),
           torch.zeros(options.batch, dtype=torch.long, device=device))
  done = 0

  def step():
    nonlocal done
    log = metric_log.MetricLog()
    for _ in range(N_DIS):
      d.train_step(batch, netG=g, optD=of_d, log_data=log, device=device)
    g.train_step(batch, netD=d, optG=of_g, log_data=log, device=device)
    done += 1
    rates.step(log, done)

  return peer_clock.images_a_second(
      step, N_DIS * options.batch, options.seconds)


if __name__ == '__main__':
  peer_clock.main(run)
