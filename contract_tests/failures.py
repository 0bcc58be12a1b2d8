"""Why a target gave no whole answer, in words; never in those of the error, which may quote headers."""

from __future__ import annotations

import ssl
from http.client import HTTPException, IncompleteRead

from urllib3.exceptions import ProtocolError, SSLError

from contract_tests import patience

_KINDS = {
    "NewConnectionError": "the connection is refused",
    "NameResolutionError": "the name has no address",
    "ConnectTimeoutError": "no connection within 5 seconds",
    "ReadTimeoutError": "no answer within 20 seconds",
    "ProtocolError": "the connection breaks off",
    "IncompleteRead": "the body breaks off",
    "DecodeError": "the body can't be unpacked",
}
"""Failures of a connection by their kind."""
_CERTIFICATES = {
    9: "its certificate is not valid yet",
    10: "its certificate has expired",
    62: "its certificate is for another host",
    64: "its certificate is for another host",
}
"""What is wrong with a certificate, by the code that OpenSSL gives it (X509_V_ERR)."""


def told(error: Exception) -> str:
    """Return why there is no whole answer, after what the client raised."""
    if isinstance(error.__cause__, patience.TooSlow):
        return f"no whole answer within {patience.WHOLE:.0f} seconds"
    if isinstance(error, SSLError):
        return _of_tls(error.args[0])
    if isinstance(error, ProtocolError) and _is_no_http(error.args[-1]):
        return "its answer can't be read as HTTP"
    kind = type(error).__name__
    return _KINDS.get(kind, kind)


def _of_tls(cause: object) -> str:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _CERTIFICATES.get(cause.verify_code, "its certificate is not trusted")
    return "no TLS connection comes about"


def _is_no_http(cause: object) -> bool:
    """Whether something came and made no sense; a connection that ended is a failure of the same class."""
    is_cut = isinstance(cause, ConnectionError | IncompleteRead)
    return isinstance(cause, HTTPException) and not is_cut
