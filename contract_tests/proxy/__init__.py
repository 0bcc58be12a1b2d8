"""The validating proxy: a client's traffic goes through it to a real server, and every exchange is judged.

It only watches: what can be said of an answer without sending anything of its own is judged by the same
rules as a run of the gate, and everything else stays not checked.
"""
