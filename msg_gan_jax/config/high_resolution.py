"""Rows of PRESETS: ProGAN, StyleGAN, StyleGAN2 and R3GAN.

Lengths and batches are those of one source each; what differs by resolution
stands in the experiments.
"""

_ADAM = {
    'optimizer.name': 'adam', 'optimizer.beta1': 0., 'optimizer.beta2': .99}

# Karras et al. 2018 (arXiv:1710.10196), appendix A.1: WGAN-GP with drift, Adam
# .001, minibatch deviation of the whole batch, at 4 px alone, batches of 16 and
# less where memory ends; its code's average keeps .999 a step: 693 steps to the
# half.
PROGAN = {
    **_ADAM, 'networks.name': 'progan', 'networks.scales': 'none',
    'networks.stddev': 'last', 'networks.stddev_group': 16,
    'optimizer.g_rate': .001, 'optimizer.d_rate': .001,
    'train.batch': 16, 'train.grow_batches': '256:14,512:6,1024:3',
    'train.grow_from': 4, 'train.ema_half_life_images': 16 * 692.8,
    'train.total_images': 12_000_000,
}

# Not saturating, R1 of weight 10.
_LOGISTIC = {
    'objective.loss': 'non_saturating', 'objective.drift': 0.,
    'objective.penalty': 'r1', 'objective.penalty_weight': 10.,
    'networks.latent_law': 'normal',
}

# Karras et al. 2019 (arXiv:1812.04948), sec. 2 and appendix C, and the rates
# and batches of its code on eight GPUs: growing from 8 px.
STYLEGAN = {
    **_ADAM, **_LOGISTIC, 'networks.name': 'stylegan',
    'networks.scales': 'none', 'networks.stddev': 'last',
    'optimizer.g_rate': .001, 'optimizer.d_rate': .001,
    'train.batch': 256, 'train.grow_from': 8,
    'train.grow_batches': '16:128,32:64,64:32',
    'train.grow_rates': '128:1.5,256:2,512:3',
    'train.total_images': 25_000_000,
}

# Karras et al. 2020 (arXiv:1912.04958), config F, and its code: twice the maps
# of fine levels, R1 in every 16th and path length in every 4th step (the paper:
# 8th). There both are steps of their own, and rates and betas are reduced by as
# much; here they share the step of the loss, and nothing is to be reduced.
STYLEGAN2 = {
    **_ADAM, **_LOGISTIC, 'networks.name': 'stylegan2',
    'networks.scales': 'none', 'networks.stddev': 'last',
    'networks.fmap_base': 16384, 'objective.penalty_every_d_steps': 16,
    'objective.g_penalty': 'path_length',
    'optimizer.g_rate': .002, 'optimizer.d_rate': .002,
    'train.total_images': 25_000_000,
}

# Karras et al. 2020 (arXiv:2006.06676) and its PyTorch code: the probability of
# the augmentations follows the sign of D(real), the average warms up. There
# r_t also counts what D says in the steps of R1, labels of fakes are drawn
# anew, and the pass for path lengths moves the mean of w too.
_ADA = {
    'networks.conv_clamp': 256., 'objective.augment_most': 0.,
    'objective.augment': 'ada', 'objective.augment_strength': 0.,
    'objective.augment_target': .6, 'networks.mapping_layers': 2,
    'optimizer.g_rate': .0025, 'optimizer.d_rate': .0025,
    'train.ema_rampup': .05,
}

# Huang et al. 2024 (arXiv:2501.05441), config E, as its code trains FFHQ at 64
# px: relativistic pairs, R1 + R2 in every step, and settings that move along
# half a cosine in the first 20 M images. How long it trains is not said there;
# the 150 M are ours.
R3GAN = {
    **_ADAM, 'networks.name': 'r3gan', 'networks.scales': 'none',
    'networks.stddev': 'none', 'networks.latent': 64,
    'networks.latent_law': 'normal', 'networks.fmap_max': 768,
    'networks.fmap_base': 12288, 'networks.dtype': 'bfloat16',
    'objective.loss': 'relativistic', 'objective.drift': 0.,
    'objective.penalty': 'r1_r2', 'objective.penalty_weight': 2.,
    'objective.augment': 'ada_r3gan', 'objective.augment_strength': 0.,
    'optimizer.g_rate': 2e-4, 'optimizer.d_rate': 2e-4,
    'optimizer.beta2': .9, 'train.batch': 256,
    'train.g_reals': 'new', 'train.ema_half_life_images': 0.,
    'train.total_images': 150_000_000,
    'schedule.images': 20_000_000, 'schedule.rates': .25,
    'schedule.beta2': .99, 'schedule.penalty_weight': .2,
    'schedule.augment_strength': .3,
    'schedule.ema_half_life_images': 500_000.,
}

ROWS = {
    'progan': PROGAN,
    # The branch original-theano-version of its code: inception score 8.80; D's
    # means come after bias and rectifier.
    'progan_cifar10': {
        **PROGAN, 'networks.d_mean': 'last', 'networks.latent': 128,
        'networks.fmap_max': 128, 'networks.fmap_base': 4096,
        'objective.penalty_target': 750.,
        'train.grow_batches': '', 'train.grow_stable_images': 400_000,
        'train.grow_fade_images': 400_000, 'train.update_order': 'joint',
        'train.reuse_latents': True, 'train.total_images': 20_000_000,
        'data.mirror': False,
    },
    'stylegan': STYLEGAN,
    # akanimax/msg-stylegan-tf, the paper's own code: Adam .003 (the paper says
    # RMSprop), φ_cat_lin, the deviation of groups of 4 in every block of D, R1
    # averaged over the scales, no mixing, no growing.
    'msg_stylegan': {
        **_ADAM, **_LOGISTIC, 'networks.name': 'stylegan',
        'networks.phi': 'cat_lin', 'networks.mixing': 0.,
        'train.total_images': 25_000_000,
    },
    'stylegan2': STYLEGAN2,
    # Its 'auto' at 256 px: half the maps, R1 of weight .0002 * 256^2 / 16.
    'stylegan2_ada': {
        **STYLEGAN2, **_ADA, 'networks.fmap_base': 8192,
        'objective.penalty_weight': .8192, 'train.batch': 16,
        'train.ema_half_life_images': 5_000.,
    },
    # Its 'cifar': a plain D, no path length, no mixing, groups of 32.
    'stylegan2_ada_cifar10': {
        **STYLEGAN2, **_ADA, 'networks.name': 'stylegan2_plain',
        'networks.mixing': 0., 'networks.stddev_group': 32,
        'objective.penalty_weight': .01, 'objective.g_penalty': 'none',
        'train.batch': 64, 'train.ema_half_life_images': 500_000.,
        'train.total_images': 100_000_000, 'data.mirror': False,
    },
    'r3gan_64': R3GAN,
    # The same for CIFAR-10 and its ten classes: FID 1.96 after 250 M images.
    'r3gan_cifar10': {
        **R3GAN, 'networks.classes': 10, 'networks.g_condition': 'mapping',
        'networks.d_condition': 'mapped_projection',
        'objective.penalty_weight': .05, 'schedule.penalty_weight': .005,
        'schedule.augment_strength': .55,
        'schedule.ema_half_life_images': 5_000_000., 'train.batch': 512,
        'train.total_images': 250_000_000,
    },
}
