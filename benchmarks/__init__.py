"""What `make bench` runs: each file measures one group of rows of docs/performance.md. `python -m benchmarks --help`."""
