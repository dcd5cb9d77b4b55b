"""Input archives: drawing a sample, fetching the real CIFAR-100."""
