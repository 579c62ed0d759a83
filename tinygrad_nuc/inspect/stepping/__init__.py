"""Step through a program: recorded (recording), as text (trace), as a drawing (drawing), as a page (player).

Read `steps.py` first: what can happen. `recording.py` writes it down while it does. `written.py` puts numbers into the
rules. `layout.py` says where the nodes of a drawn graph go, for `drawing.py` and, in the browser, for `page/layout.js`.
"""
