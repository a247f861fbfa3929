"""A page of documentation made from the OpenAPI document: no script, no request to anybody else."""

import html
import json
from typing import Any

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
section { border-top: 1px solid #8884; padding: .75rem 0; }
code, pre { font: 14px/1.45 ui-monospace, monospace; }
pre { background: #8881; padding: .75rem; overflow-x: auto; border-radius: 6px; }
.method { font-weight: 700; display: inline-block; min-width: 3.5rem; }
table { border-collapse: collapse; } td, th { text-align: left; padding: .15rem 1rem .15rem 0; vertical-align: top; }
"""


def render_docs(openapi: dict[str, Any]) -> str:
    """HTML of the whole API."""
    info = openapi["info"]
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>{html.escape(info['title'])}</title><style>{STYLE}</style>"
        f"<h1>{html.escape(info['title'])} <small>{html.escape(info['version'])}</small></h1>"
        f"<p>{html.escape(info.get('description', ''))}</p>"
        f"<p>Machine-readable: <a href=/openapi.json>/openapi.json</a></p>"
    ]
    for path, operations in openapi["paths"].items():
        for method, operation in operations.items():
            parts.append(_operation(method, path, operation))
    return "".join(parts)


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    lines = [
        f"<section><h2><span class=method>{method.upper()}</span> <code>{html.escape(path)}</code></h2>",
        f"<p>{html.escape(operation.get('description', operation.get('summary', '')))}</p>",
    ]
    parameters = operation.get("parameters", [])
    if parameters:
        rows = "".join(
            f"<tr><td><code>{html.escape(p['name'])}</code><td>{p['in']}<td>"
            f"{'required' if p.get('required') else 'optional'}"
            for p in parameters
        )
        lines.append(f"<table>{rows}</table>")
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    for example in content.get("examples", {}).values():
        lines.append(f"<pre>{html.escape(json.dumps(example['value'], indent=2))}</pre>")
    return "".join([*lines, "</section>"])
