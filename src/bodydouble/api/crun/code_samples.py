"""Code samples of the API reference: each operation as curl command, Python and TypeScript."""

import json
from collections.abc import Mapping
from typing import Any

KEY_VARIABLE, ADDRESS_VARIABLE = "BODYDOUBLE_API_KEY", "BODYDOUBLE_BASE_URL"
"""Environment variables that the samples read."""
PYTHON: Mapping[str, str] = {
    "createTask": (
        'task = client.submit("portrait.png", "shot.mp4", resolution="480P")  # uploads both files\nprint(task.id)'
    ),
    "getTask": 'task = client.task("019a1f0e-7c3b-7e55-8a51-0c4f2a6f9b1d").status()\nprint(task.status, task.progress)',
    "followTask": (
        'for update in client.task("019a1f0e-7c3b-7e55-8a51-0c4f2a6f9b1d").events():\n'
        "    print(update.stage, update.progress)"
    ),
    "listTasks": 'for task in client.tasks(status="success"):\n    print(task.id, task.credits)',
    "cancelTask": 'print(client.task("019a1f0e-7c3b-7e55-8a51-0c4f2a6f9b1d").cancel())',
    "deleteTask": 'client.delete("019a1f0e-7c3b-7e55-8a51-0c4f2a6f9b1d")',
    "estimateCredits": 'print(client.estimate("portrait.png", "shot.mp4", resolution="480P").credits)',
    "estimateTask": 'print(client.estimate("portrait.png", "shot.mp4").credits, client.balance())',
    "createUpload": 'print(client.upload("shot.mp4"))  # the URL for CreateTask',
    "uploadFile": 'print(client.upload("shot.mp4"))  # the URL for CreateTask',
    "appendToUpload": 'print(client.upload("shot.mp4"))  # continues after a lost connection',
    "downloadFile": 'client.task("019a1f0e-7c3b-7e55-8a51-0c4f2a6f9b1d").wait().download("result.mp4")',
    "listModels": "for model in client.models():\n    print(model.name, model.enabled, model.price)",
    "getModel": 'print(client.model("wan/2-2-animate-replace").input_schema)',
    "getBalance": "print(client.balance())",
    "getUsage": "for day in client.account.usage(days=30):\n    print(day.day, day.credits)",
    "listKeys": "for key in client.account.keys():\n    print(key.id, key.name, key.prefix)",
    "createKey": 'print(client.account.create_key("ci", scope="read").secret)',
    "disableKey": "client.account.disable_key(2)",
    "enableKey": "client.account.enable_key(2)",
    "rotateKey": "print(client.account.rotate_key(2, grace_seconds=3600).secret)",
    "getWebhookSecret": "print(client.account.webhook_secret())",
    "rotateWebhookSecret": "print(client.account.rotate_webhook_secret())",
    "listCallbacks": (
        'for callback in client.account.callbacks("019a1f0e-7c3b-7e55-8a51-0c4f2a6f9b1d"):\n'
        "    print(callback.status, callback.url)"
    ),
    "resendCallback": 'client.account.resend_callback("019a1f0e-7c3b-7e55-8a51-0c4f2a6f9b1d")',
}
"""Operation → lines of a program with our client. Other operations are called with httpx."""


def code_samples(method: str, path: str, operation: Mapping[str, Any]) -> list[dict[str, str]]:
    """The value of ``x-codeSamples``. ``path`` has its parameters in braces."""
    request = _Request(method, path, operation)
    python = PYTHON.get(operation["operationId"])
    return [
        {"lang": "shell", "label": "curl", "source": request.curl()},
        {"lang": "python", "label": "Python", "source": _with_client(python) if python else request.httpx()},
        {"lang": "typescript", "label": "TypeScript", "source": request.fetch()},
    ]


def _with_client(lines: str) -> str:
    indented = "\n".join(f"    {line}" for line in lines.splitlines())
    return (
        "from bodydouble_client import Client\n\n"
        f"with Client() as client:  # reads {ADDRESS_VARIABLE} and {KEY_VARIABLE}\n{indented}"
    )


class _Request:
    """One example request of an operation."""

    def __init__(self, method: str, path: str, operation: Mapping[str, Any]) -> None:
        parameters: list[Any] = operation.get("parameters", [])
        for parameter in parameters:
            if parameter["in"] == "path":
                path = path.replace(f"{{{parameter['name']}}}", _example(parameter))
        query = "&".join(f"{p['name']}={_example(p)}" for p in parameters if p["in"] == "query" and p.get("required"))
        self.method = method.upper()
        self.path = path + (f"?{query}" if query else "")
        self.needs_key = bool(operation.get("security"))
        content: dict[str, Any] = operation.get("requestBody", {}).get("content", {})
        examples = content.get("application/json", {}).get("examples", {})
        self.body: Any = next(iter(examples.values()))["value"] if examples else None
        self.has_file = bool(content) and self.body is None

    def curl(self) -> str:
        """A curl command."""
        options = [f'curl "${ADDRESS_VARIABLE}{self.path}"']
        if self.method != "GET":
            options.append(f"-X {self.method}")
        if self.needs_key:
            options.append(f'-H "x-api-key: ${KEY_VARIABLE}"')
        if self.has_file:
            options.append("--data-binary @shot.mp4")
        if self.body is not None:
            options += ['-H "Content-Type: application/json"', f"-d '{json.dumps(self.body, indent=2)}'"]
        return " \\\n  ".join(options)

    def httpx(self) -> str:
        """A Python program with httpx."""
        key = f', headers={{"x-api-key": os.environ["{KEY_VARIABLE}"]}}' if self.needs_key else ""
        address = f'os.environ["{ADDRESS_VARIABLE}"] + "{self.path}"'
        return f'import os\n\nimport httpx\n\nprint(httpx.request("{self.method}", {address}{key}).json())'

    def fetch(self) -> str:
        """A TypeScript program with fetch."""
        options = [f'method: "{self.method}"'] if self.method != "GET" else []
        headers = [f'"x-api-key": process.env.{KEY_VARIABLE}!'] if self.needs_key else []
        if self.body is not None:
            headers.append('"Content-Type": "application/json"')
            options.append(f"body: JSON.stringify({json.dumps(self.body, indent=2)})".replace("\n", "\n  "))
        if self.has_file:
            options.append('body: await openAsBlob("shot.mp4")')
        if headers:
            options.insert(min(1, len(options)), f"headers: {{ {', '.join(headers)} }}")
        given = ", {\n  " + ",\n  ".join(options) + ",\n}" if options else ""
        imports = 'import { openAsBlob } from "node:fs";\n\n' if self.has_file else ""
        return (
            f"{imports}const response = await fetch(`${{process.env.{ADDRESS_VARIABLE}}}{self.path}`{given});\n"
            "console.log(await response.text());"
        )


def _example(parameter: Mapping[str, Any]) -> str:
    schema: dict[str, Any] = parameter.get("schema", {})
    examples: list[Any] = [parameter.get("example"), *schema.get("examples", ()), schema.get("default")]
    return str(next((example for example in examples if example is not None), "2"))
