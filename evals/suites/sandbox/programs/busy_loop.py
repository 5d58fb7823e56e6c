"""Works for ever; what it said before is kept."""

print("before", flush=True)
while True:
    pass
