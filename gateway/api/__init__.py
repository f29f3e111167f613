"""The HTTP API under `/api/v1`: slots, holds, codes, bookings, for a clinic's own systems.

An `Operation` says all there is to say of a request: method, path, scope, bodies, answers, handler. From
these declarations come the routes (`mount`), what is checked before a handler runs (`dispatch`) and the
OpenAPI document (`document`), so that none of them can say something else than the others.

    mount ▶ dispatch ▶ guard ▶ tokens, jwks
          ▶ slots, holds, codes, bookings … ▶ operations ▶ problems, cursors
"""
