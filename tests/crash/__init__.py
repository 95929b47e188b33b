"""The store under SIGKILL, broken disks, power loss and a crowd.

Read in this order: `scenes` (what the victims do), `launcher` (the process they are forked from), `tracing` (what is
done to them), `stage`, `soundness`; then the tests `kills`, `faults`, `full_disk`; `disk` and
`power_loss`; `crowd` and `contention`.
"""
