"""Papers that several tricks come from."""

GANHACKS = "Chintala et al. 2016, ganhacks"
IMPROVED = "Salimans et al. 2016, Improved Techniques for Training GANs (arXiv 1606.03498)"
DCGAN = "Radford et al. 2016, DCGAN (arXiv 1511.06434)"
STYLEGAN2 = "Karras et al. 2020, StyleGAN2 (arXiv 1912.04958)"
R3GAN = "Huang et al. 2024, R3GAN (arXiv 2501.05441)"
