"""The workloads without an engine: derivatives worked out on paper, in NumPy.

- `straightforward`: as one would write it down. The yardstick for an engine that does the derivatives for its user.
- `optimised`: the same numbers, with nothing allocated in a step. The limit for an engine in NumPy.

Each has a function for each kind of workload that returns a step, a function of no arguments.
"""
