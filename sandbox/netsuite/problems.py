"""Refusals in the vendor's shape: a problem document with a list of details."""

from collections.abc import Mapping

from starlette.responses import Response

from sandbox import jsonio

_SECTIONS = {
    400: ("15.5.1", "Bad Request"),
    401: ("15.5.2", "Unauthorized"),
    403: ("15.5.4", "Forbidden"),
    404: ("15.5.5", "Not Found"),
    405: ("15.5.6", "Method Not Allowed"),
    # The title of a 429 stays that of a 400.
    429: ("15.5.1", "Bad Request"),
    500: ("15.6.1", "Internal Server Error"),
}
INVALID_LOGIN = (
    "Invalid login attempt. For more details, see the Login Audit Trail in the NetSuite UI at "
    "Setup > Users/Roles > User Management > View Login Audit Trail."
)


class Refusal(Exception):
    """What the vendor will not do. `where` names the place: o:errorPath, o:errorQueryParam, o:errorHeader, …"""

    def __init__(self, detail: str, code: str = "USER_ERROR", status: int = 400, **where: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.where = {f"o:error{name[0].upper()}{name[1:]}": value for name, value in where.items()}

    def response(self, headers: Mapping[str, str] | None = None) -> Response:
        section, title = _SECTIONS[self.status]
        body = {
            "type": f"https://www.rfc-editor.org/rfc/rfc9110.html#section-{section}",
            "title": title,
            "status": self.status,
            "o:errorDetails": [{"detail": str(self), **self.where, "o:errorCode": self.code}],
        }
        if self.status == 429:
            body["o:errorCode"] = "USER_ERROR"
        return Response(
            jsonio.encode(body),
            self.status,
            media_type="application/vnd.oracle.resource+json; type=error",
            headers=dict(headers or {}),
        )


def invalid_value(value: object, field: str, path: str) -> Refusal:
    detail = (
        f"Error while accessing resource: You have entered an Invalid Field Value {value} for the following field: "
        f"{field}"
    )
    return Refusal(detail, "INVALID_CONTENT", path=path)


def missing(labels: str) -> Refusal:
    return Refusal(f"Error while accessing a resource. Please enter value(s) for: {labels}.")
