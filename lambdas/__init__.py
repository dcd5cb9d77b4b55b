"""The Lambda functions: one folder per function, one zip for all of them. They import only each other."""
