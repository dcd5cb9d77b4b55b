"""Deploy: the steps from an approved model package to a live, checked endpoint."""
