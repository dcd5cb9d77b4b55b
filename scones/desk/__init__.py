"""The operations desk: a web dashboard over the same AWS interfaces that everything else uses."""
