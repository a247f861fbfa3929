"""Where the endpoints are."""

CLIENT_API = "/api/v1/client"
