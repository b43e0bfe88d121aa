"""Measures textgen beside its peers on one machine; run by scripts/benchmark, told in docs/performance.md."""
