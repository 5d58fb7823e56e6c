"""What runs inside a sandbox, before and beside untrusted code: knows nothing of this package."""
