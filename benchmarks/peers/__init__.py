"""The mock beside its peers, on one machine and in one run: `python -m benchmarks.peers`.

| module | holds |
|---|---|
| `calls` | the requests that every server is sent |
| `specs` | the contract as the servers read it, and generated ones of 3, 85 and 500 operations |
| `installs` | peers from npm and PyPI, pinned, in the user's cache |
| `servers`, `others` | what is started, and what each of them checks: ours, and the peers |
| `processes` | a server in a process of its own: ready, weighed, stopped |
| `wrk` | one load, and what came of it |
| `crowd` | clients that are idle or slow |
| `measure` | interleaved rounds of all that |
| `growth` | the same on generated contracts |
| `report` | the figures, as they stand in the JSON |
| `targets`, `table`, `chart` | the figures judged, as Markdown, and as a picture |
| `parts/` | small programs that the servers need |
"""
