"""What stands between this machine and a working account: each finding says the problem, why it matters, the fix."""
