"""The pages of a running mock: what it is, its API reference, its rules, and the contract itself.

Registering them costs nothing: a page's module is imported when somebody first asks for the page.
"""
