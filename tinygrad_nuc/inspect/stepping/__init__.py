"""Step through a program: record it, read its steps, draw their graph, play them in a browser.

Read `steps.py` first: what can happen. `recording.py` writes it down while it does; `trace.py` picks what belongs to a
result, `trace_text.py` prints it. `written.py` puts numbers into the rules. `layout.py` says where the nodes of a graph
go, for `drawing.py` and, in the browser, for `page/layout.js`; `player.py` writes the page.
"""
