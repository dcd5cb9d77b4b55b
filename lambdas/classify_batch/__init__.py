"""ClassifyBatch: serialize, classify and filter for every picture of one batch."""
