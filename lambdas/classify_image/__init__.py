"""ClassifyImage: the picture's bytes to the endpoint, checked probabilities back."""
