"""FilterInferences: probabilities to a routing decision, or to a loud refusal."""
