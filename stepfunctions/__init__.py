"""The state machines (`*.asl.json`) and the code that loads, checks and draws them."""
