"""The service for agents: a server of the Model Context Protocol (MCP) over the API's own client.

Nothing is imported here: the MCP library takes a second to load, and most processes do not need it.
"""
