"""The HTTP/1.1 server under the mock.

One thread at a time waits for all connections and answers what has arrived whole, so a request costs no
change of threads, and a slow client none at all.
Whoever has to wait for something else steps aside first, and another thread waits for the connections.
"""
