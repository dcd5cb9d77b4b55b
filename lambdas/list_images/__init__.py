"""ListImages: the pictures under a prefix, cut into batches for the distributed Map."""
