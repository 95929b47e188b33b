"""What people read, in words; one module for each thing that is told."""
