"""Writes random weights that every program for FID reads.

  python make_weights.py weights.pth

The file has the layout of pt_inception-2015-12-05-6726825d.pth, which
pytorch-fid, torch-fidelity and this project read under the same names. Where
the published weights cannot be had, all are so compared on one network, and
their FIDs are equal as far as their definitions are. The layout is that of
torch-fidelity's module; the values are Kaiming's, so that features neither
vanish nor grow.
"""
import os

import peer_clock

URL = 'https://github.com/toshas/torch-fidelity'


def run():
  flags = peer_clock.flags(__doc__, seed=0)
  flags.add_argument('file', help='to write')
  options = flags.parse_args()
  if options.path:
    peer_clock.use_checkout(options.path, URL, '', 'torch_fidelity/__init__.py')
  import torch
  from torch_fidelity import feature_extractor_inceptionv3 as peer

  class Random(peer.FeatureExtractorInceptionV3):

    def load_state_dict(self, _):
      """Draws them, where the module would load what it has fetched."""
      torch.manual_seed(options.seed)
      for module in self.modules():
        if isinstance(module, torch.nn.Conv2d):
          torch.nn.init.kaiming_normal_(module.weight)

  peer.load_state_dict_from_url = lambda *_, **__: {}
  torch.save(dict(Random('random', ['2048']).state_dict()), options.file)
  print(f'Bytes of {options.file}:')
  return os.path.getsize(options.file)


if __name__ == '__main__':
  peer_clock.main(run)
