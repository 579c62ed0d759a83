"""The engine: a value that remembers where it came from, and the walk back through that memory.

Read in this order: `tensor` (the value), `operation` (how a value is made and recorded), a file of
`tinygrad_nuc.operations` (the table of derivatives), `backward` (the chain rule).
"""
